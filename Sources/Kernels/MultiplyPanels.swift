import KernelContracts

/// Runs a panel strip: see ``PanelStrip`` for the contract.
func multiplyPanels(_ strip: UnsafePointer<PanelStrip>) {
  assert(strip.pointee.vectors == 1 || strip.pointee.vectors == 2)
  assert(strip.pointee.depth >= 0 && strip.pointee.panelCount >= 0)
  switch strip.pointee.rows {
  case 1: PanelTile<C1>.run(strip)
  case 2: PanelTile<C2>.run(strip)
  case 3: PanelTile<C3>.run(strip)
  case 4: PanelTile<C4>.run(strip)
  case 5: PanelTile<C5>.run(strip)
  case 6: PanelTile<C6>.run(strip)
  #if KERNELS_AVX512 || KERNELS_NEON
    case 7: PanelTile<C7>.run(strip)
    case 8: PanelTile<C8>.run(strip)
    case 9: PanelTile<C9>.run(strip)
    case 10: PanelTile<C10>.run(strip)
    case 11: PanelTile<C11>.run(strip)
    case 12: PanelTile<C12>.run(strip)
    case 13: PanelTile<C13>.run(strip)
    case 14: PanelTile<C14>.run(strip)
  #endif
  default: fatalError("no such tile")
  }
}

/// A register tile of a matrix product: `Rows` output channels × one or two vectors of pixels, panel after panel.
private enum PanelTile<Rows: Constant> {
  @inline(never)
  static func run(_ strip: UnsafePointer<PanelStrip>) {
    if strip.pointee.vectors == 2 { run(strip, C2.self) } else { run(strip, C1.self) }
  }

  @inline(__always)
  private static func run<Vectors: Constant>(_ strip: UnsafePointer<PanelStrip>, _: Vectors.Type) {
    let two = Vectors.value == 2
    let step = strip.pointee.targetStride
    var target = strip.pointee.target
    var panel = strip.pointee.panels
    var panels = strip.pointee.panelCount
    var fetched = strip.pointee.fetch
    let fetchStep = strip.pointee.fetchStride
    while panels > 0 {
      var sums = Sums<Rows, Vectors>()
      if strip.pointee.accumulate { sums.take(from: target, step) }
      // What the next panel will write: rows are a plane apart, too far for the CPU to foresee.
      sums.ask(for: target + 2 * vectorWidth, step)
      var w = strip.pointee.weights
      var x = panel
      var later = fetched
      var left = strip.pointee.depth
      while left > 0 {
        let x0 = load(x)
        let x1 = two ? load(x + vectorWidth) : .zero
        prefetchLater(later)
        later += fetchStep
        sums.forEach { row, first, second in
          let v = broadcast(w + row)
          first = fma(v, x0, first)
          if two { second = fma(v, x1, second) }
        }
        w += Rows.value
        x += 2 * vectorWidth
        left -= 1
      }
      sums.write(to: target, step)
      target += 2 * vectorWidth
      panel += strip.pointee.panelStride
      // A cache line.
      fetched += 16
      panels -= 1
    }
  }
}
