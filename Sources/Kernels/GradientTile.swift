import KernelContracts

/// One register tile of a weight gradient: `Terms` × one or two vectors of output channels.
enum GradientTile<Terms: Constant> {
  @inline(never)
  static func run(_ strip: UnsafePointer<GradientStrip>, _ first: Int) {
    if strip.pointee.vectors == 2 {
      run(strip, first, C2.self, whole: true)
    } else if strip.pointee.lanes == vectorWidth {
      run(strip, first, C1.self, whole: true)
    } else {
      run(strip, first, C1.self, whole: false)
    }
  }

  @inline(__always)
  private static func run<Vectors: Constant>(
    _ strip: UnsafePointer<GradientStrip>, _ first: Int, _: Vectors.Type, whole: Bool
  ) {
    let two = Vectors.value == 2
    let step = strip.pointee.targetStride
    let target = strip.pointee.target + first * step
    var sums = Sums<Terms, Vectors>()
    if strip.pointee.accumulate { sums.take(from: target, step) }
    // What the next tile will write.
    sums.ask(for: target + Terms.value * step, step)
    let inputStep = strip.pointee.inputPixelStride
    let gradientStep = strip.pointee.gradientPixelStride
    let vectorStride = strip.pointee.gradientVectorStride
    let lanes = strip.pointee.lanes
    var row = 0
    while row < strip.pointee.rowCount {
      let terms = RowPointers<Terms>(strip.pointee.input + strip.pointee.inputRows[row], strip.pointee.terms + first)
      var dy = strip.pointee.gradient + strip.pointee.gradientRows[row]
      var x = 0
      var left = strip.pointee.width
      while left > 0 {
        let g0 = whole ? load(dy) : loadLanes(dy, lanes)
        let g1 = two ? load(dy + vectorStride) : .zero
        sums.forEach { term, first, second in
          let v = broadcast(terms[term] + x)
          first = fma(v, g0, first)
          if two { second = fma(v, g1, second) }
        }
        x += inputStep
        dy += gradientStep
        left -= 1
      }
      row += 1
    }
    sums.write(to: target, step)
  }
}
