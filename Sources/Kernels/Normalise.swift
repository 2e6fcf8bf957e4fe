import KernelContracts

/// Sums of a row about a centre: see ``KernelContracts/TrainingKernels``. Four chains, so that adding does not wait for itself.
struct CentredSums: LaneWork {
  let row: UnsafePointer<Float>
  let centre: UnsafePointer<Float>
  let sums: UnsafeMutablePointer<Float>
  let squares: UnsafeMutablePointer<Float>
  let block: Int
  let pixels: Int

  @inline(__always)
  func run<V: RowVector>(_ type: V.Type, _ first: Int, _ lanes: Int) {
    let centre = load(centre + first, as: V.self, lanes)
    var (s0, s1, s2, s3) = (V(repeating: 0), V(repeating: 0), V(repeating: 0), V(repeating: 0))
    var (q0, q1, q2, q3) = (s0, s0, s0, s0)
    var p = row + first
    var left = pixels
    while left >= 4 {
      let a = load(p, as: V.self, lanes) - centre
      let b = load(p + block, as: V.self, lanes) - centre
      let c = load(p + 2 * block, as: V.self, lanes) - centre
      let d = load(p + 3 * block, as: V.self, lanes) - centre
      (s0, s1, s2, s3) = (s0 + a, s1 + b, s2 + c, s3 + d)
      (q0, q1, q2, q3) = (V.fma(a, a, q0), V.fma(b, b, q1), V.fma(c, c, q2), V.fma(d, d, q3))
      p += 4 * block
      left -= 4
    }
    while left > 0 {
      let a = load(p, as: V.self, lanes) - centre
      s0 += a
      q0 = V.fma(a, a, q0)
      p += block
      left -= 1
    }
    store((s0 + s1) + (s2 + s3), sums + first, lanes)
    store((q0 + q1) + (q2 + q3), squares + first, lanes)
  }
}

/// See ``KernelContracts/AffineRow``.
struct AffineWork: LaneWork {
  let row: UnsafePointer<AffineRow>

  @inline(__always)
  func run<V: RowVector>(_ type: V.Type, _ first: Int, _ lanes: Int) {
    let block = row.pointee.block
    let centre = load(row.pointee.centre + first, as: V.self, lanes)
    let factor = load(row.pointee.factor + first, as: V.self, lanes)
    let term = load(row.pointee.term + first, as: V.self, lanes)
    let source = row.pointee.row + first
    let target = row.pointee.target + first
    let count = row.pointee.pixels * block
    let relu = row.pointee.relu
    if let residual = row.pointee.residual.map({ $0 + first }) {
      for i in stride(from: 0, to: count, by: block) {
        let value = V.fma(load(source + i, as: V.self, lanes) - centre, factor, term)
        let sum = value + load(residual + i, as: V.self, lanes)
        store(relu ? sum.gated(by: sum) : sum, target + i, lanes)
      }
    } else {
      for i in stride(from: 0, to: count, by: block) {
        let value = V.fma(load(source + i, as: V.self, lanes) - centre, factor, term)
        store(relu ? value.gated(by: value) : value, target + i, lanes)
      }
    }
  }
}

/// The first pass of a ``KernelContracts/GradientRow``.
struct GradientSums: LaneWork {
  let row: UnsafePointer<GradientRow>

  @inline(__always)
  func run<V: RowVector>(_ type: V.Type, _ first: Int, _ lanes: Int) {
    let block = row.pointee.block
    let centre = load(row.pointee.centre + first, as: V.self, lanes)
    let scale = load(row.pointee.scale + first, as: V.self, lanes)
    var sums = load(row.pointee.sums + first, as: V.self, lanes)
    var products = load(row.pointee.products + first, as: V.self, lanes)
    var (sums1, products1) = (V(repeating: 0), V(repeating: 0))
    let source = row.pointee.row + first
    let pixels = row.pointee.pixels
    let masked = row.pointee.masked.map { $0 + first }
    @inline(__always) func one(_ pixel: Int, _ sums: inout V, _ products: inout V) {
      let i = pixel * block
      let m = gated(row, i + first, V.self, lanes)
      askForNextPage(row, i)
      if let masked { store(m, masked + i, lanes) }
      sums += m
      products = V.fma(m, (load(source + i, as: V.self, lanes) - centre) * scale, products)
    }
    var pixel = 0
    while pixel + 1 < pixels {
      one(pixel, &sums, &products)
      one(pixel + 1, &sums1, &products1)
      pixel += 2
    }
    if pixel < pixels { one(pixel, &sums, &products) }
    store(sums + sums1, row.pointee.sums + first, lanes)
    store(products + products1, row.pointee.products + first, lanes)
  }
}

/// The second pass of a ``KernelContracts/GradientRow``.
struct InputGradient: LaneWork {
  let row: UnsafePointer<GradientRow>

  @inline(__always)
  func run<V: RowVector>(_ type: V.Type, _ first: Int, _ lanes: Int) {
    let block = row.pointee.block
    let factor = load(row.pointee.factor + first, as: V.self, lanes)
    let target = row.pointee.target + first
    guard let slopes = row.pointee.slope else {
      for i in stride(from: 0, to: row.pointee.pixels * block, by: block) {
        store(gated(row, i + first, V.self, lanes) * factor, target + i, lanes)
      }
      return
    }
    let centre = load(row.pointee.centre + first, as: V.self, lanes)
    let slope = load(slopes + first, as: V.self, lanes)
    let term = load(row.pointee.term + first, as: V.self, lanes)
    let source = row.pointee.row + first
    for i in stride(from: 0, to: row.pointee.pixels * block, by: block) {
      let m = gated(row, i + first, V.self, lanes)
      askForNextPage(row, i)
      let linear = V.fma(load(source + i, as: V.self, lanes) - centre, slope, term)
      store(V.fma(m, factor, linear), target + i, lanes)
    }
  }
}

/// All of a pixel's operands; with little arithmetic the passes take as long as reading does.
@inline(__always)
private func askForNextPage(_ row: UnsafePointer<GradientRow>, _ offset: Int) {
  prefetchNextPage(row.pointee.dOutput + offset)
  if let gate = row.pointee.gate { prefetchNextPage(gate + offset) }
  prefetchNextPage(row.pointee.row + offset)
}

@inline(__always)
private func gated<V: RowVector>(
  _ row: UnsafePointer<GradientRow>, _ offset: Int, _ type: V.Type, _ lanes: Int
) -> V {
  let gradient = load(row.pointee.dOutput + offset, as: V.self, lanes)
  guard let gate = row.pointee.gate else { return gradient }
  return gradient.gated(by: load(gate + offset, as: V.self, lanes))
}
