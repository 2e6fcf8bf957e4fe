import KernelContracts

/// SGD: see ``KernelContracts/ParameterStep``.
func sgdStep(_ step: UnsafePointer<ParameterStep>) {
  forEachVector(step.pointee.count) { i, lanes in
    let s = step.pointee
    var p = load(s.parameters + i, as: Vector.self, lanes)
    var g = decayed(load(s.gradient + i, as: Vector.self, lanes), p, s.decay)
    if let first = s.first {
      let next = s.isFirst ? g : load(first + i, as: Vector.self, lanes) * s.momentum + g * s.share
      store(next, first + i, lanes)
      g = s.nesterov ? fma(next, Vector(repeating: s.momentum), g) : next
    }
    p = fma(g, Vector(repeating: -s.rate), p)
    store(p, s.parameters + i, lanes)
  }
}

/// Adam and AdamW: see ``KernelContracts/ParameterStep``.
func adamStep(_ step: UnsafePointer<ParameterStep>) {
  guard let first = step.pointee.first, let second = step.pointee.second else { return }
  forEachVector(step.pointee.count) { i, lanes in
    let s = step.pointee
    var p = load(s.parameters + i, as: Vector.self, lanes) * s.shrink
    let g = decayed(load(s.gradient + i, as: Vector.self, lanes), p, s.decay)
    prefetchNextPage(s.parameters + i)
    prefetchNextPage(s.gradient + i)
    prefetchNextPage(first + i)
    prefetchNextPage(second + i)
    var m = load(first + i, as: Vector.self, lanes)
    m = fma(g - m, Vector(repeating: s.share), m)
    store(m, first + i, lanes)
    var v = load(second + i, as: Vector.self, lanes)
    v = fma(g * g, Vector(repeating: s.secondShare), v * s.beta)
    store(v, second + i, lanes)
    if let largest = s.largest {
      var most = load(largest + i, as: Vector.self, lanes)
      most.replace(with: v, where: (v .> most) .| (v .!= v))
      store(most, largest + i, lanes)
      v = most
    }
    p -= m / (squareRoot(v) / s.root + s.eps) * s.rate
    store(p, s.parameters + i, lanes)
  }
}

/// `target[i] += source[i]`.
func addFloats(_ source: UnsafePointer<Float>, _ target: UnsafeMutablePointer<Float>, _ count: Int) {
  forEachVector(count) { i, lanes in
    store(load(target + i, as: Vector.self, lanes) + load(source + i, as: Vector.self, lanes), target + i, lanes)
  }
}

/// Without decay p has no part in it, whatever it is.
@inline(__always)
private func decayed(_ gradient: Vector, _ p: Vector, _ decay: Float) -> Vector {
  decay == 0 ? gradient : fma(p, Vector(repeating: decay), gradient)
}

@inline(__always)
private func forEachVector(_ count: Int, _ body: (_ index: Int, _ lanes: Int) -> Void) {
  var i = 0
  while i + vectorWidth <= count {
    body(i, vectorWidth)
    i += vectorWidth
  }
  if i < count { body(i, count - i) }
}
