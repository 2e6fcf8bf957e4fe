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

/// See ``KernelContracts/AffineRows``.
struct AffineWork: LaneWork {
  let work: UnsafePointer<AffineRows>

  @inline(__always)
  func run<V: RowVector>(_ type: V.Type, _ first: Int, _ lanes: Int) {
    let block = work.pointee.block
    let centre = load(work.pointee.centre + first, as: V.self, lanes)
    let factor = load(work.pointee.factor + first, as: V.self, lanes)
    let term = load(work.pointee.term + first, as: V.self, lanes)
    let count = work.pointee.pixels * block
    let relu = work.pointee.relu
    let step = work.pointee.targetStride
    var source = work.pointee.rows + first
    var target = work.pointee.target + first
    var residual = work.pointee.residual.map { $0 + first }
    for _ in 0..<work.pointee.rowCount {
      if let from = residual {
        for i in stride(from: 0, to: count, by: block) {
          let value = V.fma(load(source + i, as: V.self, lanes) - centre, factor, term)
          let sum = value + load(from + i, as: V.self, lanes)
          store(relu ? sum.gated(by: sum) : sum, target + i, lanes)
        }
        residual = from + step
      } else {
        for i in stride(from: 0, to: count, by: block) {
          let value = V.fma(load(source + i, as: V.self, lanes) - centre, factor, term)
          store(relu ? value.gated(by: value) : value, target + i, lanes)
        }
      }
      source += count
      target += step
    }
  }
}

/// The first pass of ``KernelContracts/GradientRows``.
struct GradientSums: LaneWork {
  let work: UnsafePointer<GradientRows>

  @inline(__always)
  func run<V: RowVector>(_ type: V.Type, _ first: Int, _ lanes: Int) {
    withGate(of: work, first, lanes, Pass<V>(work: work))
  }

  private struct Pass<V: RowVector>: GatedPass {
    let work: UnsafePointer<GradientRows>

    @inline(__always)
    func run<Gate: RowGate<V>>(_ rows: GatedRows<Gate>) {
      var rows = rows
      let (first, lanes) = (rows.first, rows.lanes)
      let scale = load(work.pointee.scale + first, as: V.self, lanes)
      var sums = load(work.pointee.sums + first, as: V.self, lanes)
      var products = load(work.pointee.products + first, as: V.self, lanes)
      var (sums1, products1) = (V(repeating: 0), V(repeating: 0))
      let block = work.pointee.block
      let pixels = work.pointee.pixels
      var masked = work.pointee.masked.map { $0.start + first }
      let maskedStep = work.pointee.masked?.stride ?? 0
      @inline(__always) func one(_ pixel: Int, _ sums: inout V, _ products: inout V) {
        let i = pixel * block
        let (m, difference) = rows.pixel(i)
        rows.askForNextPage(i)
        if let masked { store(m, masked + i, lanes) }
        sums += m
        products = V.fma(m, difference * scale, products)
      }
      for _ in 0..<work.pointee.rowCount {
        var pixel = 0
        while pixel + 1 < pixels {
          one(pixel, &sums, &products)
          one(pixel + 1, &sums1, &products1)
          pixel += 2
        }
        if pixel < pixels { one(pixel, &sums, &products) }
        rows.goToNext()
        masked = masked.map { $0 + maskedStep }
      }
      store(sums + sums1, work.pointee.sums + first, lanes)
      store(products + products1, work.pointee.products + first, lanes)
    }
  }
}

/// The second pass of ``KernelContracts/GradientRows``.
struct InputGradient: LaneWork {
  let work: UnsafePointer<GradientRows>

  @inline(__always)
  func run<V: RowVector>(_ type: V.Type, _ first: Int, _ lanes: Int) {
    withGate(of: work, first, lanes, Pass<V>(work: work))
  }

  private struct Pass<V: RowVector>: GatedPass {
    let work: UnsafePointer<GradientRows>

    @inline(__always)
    func run<Gate: RowGate<V>>(_ rows: GatedRows<Gate>) {
      var rows = rows
      let (first, lanes) = (rows.first, rows.lanes)
      let factor = load(work.pointee.factor + first, as: V.self, lanes)
      let slope = work.pointee.slope.map { load($0 + first, as: V.self, lanes) }
      let term = load(work.pointee.term + first, as: V.self, lanes)
      let block = work.pointee.block
      let count = work.pointee.pixels * block
      var target = work.pointee.target.start + first
      let targetStep = work.pointee.target.stride
      for _ in 0..<work.pointee.rowCount {
        if let slope {
          for i in stride(from: 0, to: count, by: block) {
            let (m, difference) = rows.pixel(i)
            rows.askForNextPage(i)
            store(V.fma(m, factor, V.fma(difference, slope, term)), target + i, lanes)
          }
        } else {
          for i in stride(from: 0, to: count, by: block) { store(rows.pixel(i).m * factor, target + i, lanes) }
        }
        rows.goToNext()
        target += targetStep
      }
    }
  }
}

/// What both passes read, row by row.
private struct GatedRows<Gate: RowGate> {
  let first: Int
  let lanes: Int
  private var gate: Gate
  private var gradient: UnsafePointer<Float>
  private let gradientStep: Int
  private var source: UnsafePointer<Float>
  private let sourceStep: Int
  private let centre: Gate.V

  @inline(__always)
  init(_ work: UnsafePointer<GradientRows>, _ first: Int, _ lanes: Int, _ gate: Gate) {
    (self.first, self.lanes, self.gate) = (first, lanes, gate)
    (gradient, gradientStep) = (work.pointee.dOutput + first, work.pointee.dOutputStride)
    (source, sourceStep) = (work.pointee.rows + first, work.pointee.pixels * work.pointee.block)
    centre = load(work.pointee.centre + first, as: Gate.V.self, lanes)
  }

  /// m, and row − centre.
  /// - Parameter offset: of the pixel in its row.
  @inline(__always)
  func pixel(_ offset: Int) -> (m: Gate.V, difference: Gate.V) {
    let difference = load(source + offset, as: Gate.V.self, lanes) - centre
    return (gate.apply(to: load(gradient + offset, as: Gate.V.self, lanes), offset, difference, lanes), difference)
  }

  /// With little arithmetic the passes take as long as reading does.
  @inline(__always)
  func askForNextPage(_ offset: Int) {
    prefetchNextPage(gradient + offset)
    prefetchNextPage(source + offset)
    gate.askForNextPage(offset)
  }

  @inline(__always)
  mutating func goToNext() {
    gate.goToNextRow()
    gradient += gradientStep
    source += sourceStep
  }
}

/// A pass over rows, for each kind of gate.
private protocol GatedPass {
  associatedtype V: RowVector
  func run<Gate: RowGate<V>>(_ rows: GatedRows<Gate>)
}

/// Where a gradient passes: see ``KernelContracts/GradientRows/Gate``.
private protocol RowGate<V> {
  associatedtype V: RowVector
  /// - Parameters:
  ///   - offset: of the pixel in its row.
  ///   - difference: row − centre.
  func apply(to gradient: V, _ offset: Int, _ difference: V, _ lanes: Int) -> V
  /// Of what the gate itself reads.
  func askForNextPage(_ offset: Int)
  mutating func goToNextRow()
}

@inline(__always)
private func withGate<Pass: GatedPass>(
  of work: UnsafePointer<GradientRows>, _ first: Int, _ lanes: Int, _ pass: Pass
) {
  switch work.pointee.gate {
  case .open: pass.run(GatedRows(work, first, lanes, OpenGate()))
  case .target(let target, let stride):
    pass.run(GatedRows(work, first, lanes, TargetGate(target: target + first, stride: stride)))
  case .row(let factor, let term):
    let gate = AffineGate(
      factor: load(factor + first, as: Pass.V.self, lanes), term: load(term + first, as: Pass.V.self, lanes))
    pass.run(GatedRows(work, first, lanes, gate))
  }
}

private struct OpenGate<V: RowVector>: RowGate {
  @inline(__always)
  func apply(to gradient: V, _ offset: Int, _ difference: V, _ lanes: Int) -> V { gradient }
  @inline(__always)
  func askForNextPage(_ offset: Int) {}
  @inline(__always)
  mutating func goToNextRow() {}
}

private struct TargetGate<V: RowVector>: RowGate {
  var target: UnsafePointer<Float>
  let stride: Int

  @inline(__always)
  func apply(to gradient: V, _ offset: Int, _ difference: V, _ lanes: Int) -> V {
    gradient.gated(by: load(target + offset, as: V.self, lanes))
  }
  @inline(__always)
  func askForNextPage(_ offset: Int) { prefetchNextPage(target + offset) }
  @inline(__always)
  mutating func goToNextRow() { target += stride }
}

private struct AffineGate<V: RowVector>: RowGate {
  let factor: V
  let term: V

  /// By the operations of ``AffineWork``, so that it is open for exactly what that let through.
  @inline(__always)
  func apply(to gradient: V, _ offset: Int, _ difference: V, _ lanes: Int) -> V {
    gradient.gated(by: V.fma(difference, factor, term))
  }
  @inline(__always)
  func askForNextPage(_ offset: Int) {}
  @inline(__always)
  mutating func goToNextRow() {}
}
