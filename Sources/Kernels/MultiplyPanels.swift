import KernelContracts

/// Runs a panel strip: see ``PanelStrip`` for the contract.
func multiplyPanels(_ strip: UnsafePointer<PanelStrip>) {
  assert(strip.pointee.vectors == 1 || strip.pointee.vectors == 2)
  assert(strip.pointee.depth >= 0 && strip.pointee.panelCount >= 0)
  assert(strip.pointee.ahead.pointee.interval >= 1)
  assert(strip.pointee.source == nil || strip.pointee.offsets == nil && strip.pointee.vectors == 2)
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
    if strip.pointee.source != nil {
      copyAndRun(strip)
    } else if strip.pointee.offsets != nil {
      gatherAndRun(strip)
    } else if strip.pointee.vectors == 2 {
      run(strip, Packed<C2>.self)
    } else {
      run(strip, Packed<C1>.self)
    }
  }

  @inline(never)
  private static func copyAndRun(_ strip: UnsafePointer<PanelStrip>) { run(strip, Copied.self) }

  @inline(never)
  private static func gatherAndRun(_ strip: UnsafePointer<PanelStrip>) {
    if strip.pointee.vectors == 2 {
      run(strip, Scattered<C2>.self)
    } else {
      run(strip, Scattered<C1>.self)
    }
  }

  @inline(__always)
  private static func run<Pixels: PanelPixels>(_ strip: UnsafePointer<PanelStrip>, _: Pixels.Type) {
    let step = strip.pointee.targetStride
    var target = strip.pointee.target
    var ahead = strip.pointee.ahead.pointee
    let interval = ahead.interval
    let panels = strip.pointee.panelCount
    var panel = 0
    while panel < panels {
      var sums = Sums<Rows, Pixels.Vectors>()
      if strip.pointee.accumulate { sums.take(from: target, step) }
      var w = strip.pointee.weights
      var pixels = Pixels(strip, panel)
      var asked = 0
      var left = strip.pointee.depth
      while left > 0 {
        // What is read and written later is asked for a little at a time: the CPU waits for so many lines at once, and no more.
        ahead.askForPiece()
        // What the next panel will write: rows are a plane apart, too far for the CPU to foresee.
        if asked < Rows.value {
          askForPanel(target + Pixels.Vectors.value * vectorWidth + asked * step)
          asked += 1
        }
        var c = min(left, interval)
        left -= c
        while c > 0 {
          let (x0, x1) = pixels.next()
          sums.forEach { row, first, second in
            let v = broadcast(w + row)
            first = fma(v, x0, first)
            if Pixels.Vectors.value == 2 { second = fma(v, x1, second) }
          }
          w += Rows.value
          c -= 1
        }
      }
      sums.write(to: target, step)
      target += Pixels.Vectors.value * vectorWidth
      panel += 1
    }
    strip.pointee.ahead.pointee = ahead
  }
}

/// Asks for a panel's pixels of one channel; a cache line holds one vector of the widest.
@inline(__always)
private func askForPanel(_ pixels: UnsafePointer<Float>) {
  prefetch(pixels)
  if vectorWidth == 16 { prefetch(pixels + vectorWidth) }
}

extension RowsAhead {
  @inline(__always)
  fileprivate mutating func askForPiece() {
    guard remaining > 0 else { return }
    prefetchLater(next)
    prefetchLater(next + 16)
    next += 32
    remaining -= 1
    left -= 1
    if left == 0 {
      left = pieces
      next += skip
    }
  }
}

/// Where a panel's pixels come from, channel after channel.
private protocol PanelPixels {
  associatedtype Vectors: Constant
  init(_ strip: UnsafePointer<PanelStrip>, _ panel: Int)
  mutating func next() -> (Vector, Vector)
}

private struct Packed<Vectors: Constant>: PanelPixels {
  private var x: UnsafePointer<Float>

  @inline(__always)
  init(_ strip: UnsafePointer<PanelStrip>, _ panel: Int) {
    x = UnsafePointer(strip.pointee.panels + panel * strip.pointee.panelStride)
  }

  @inline(__always)
  mutating func next() -> (Vector, Vector) {
    let found = (load(x), Vectors.value == 2 ? load(x + vectorWidth) : .zero)
    x += 2 * vectorWidth
    return found
  }
}

/// Each channel's at a place of its own.
private struct Scattered<Vectors: Constant>: PanelPixels {
  private let x: UnsafePointer<Float>
  private var offset: UnsafePointer<Int>

  @inline(__always)
  init(_ strip: UnsafePointer<PanelStrip>, _ panel: Int) {
    x = UnsafePointer(strip.pointee.panels + panel * strip.pointee.panelStride)
    offset = strip.pointee.offsets.unsafelyUnwrapped
  }

  @inline(__always)
  mutating func next() -> (Vector, Vector) {
    let from = x + offset.pointee
    offset += 1
    return (load(from), Vectors.value == 2 ? load(from + vectorWidth) : .zero)
  }
}

/// From the image, and packed on the way.
private struct Copied: PanelPixels {
  typealias Vectors = C2
  private var from: UnsafePointer<Float>
  private let step: Int
  private var target: UnsafeMutablePointer<Float>

  @inline(__always)
  init(_ strip: UnsafePointer<PanelStrip>, _ panel: Int) {
    from = strip.pointee.source.unsafelyUnwrapped + panel * 2 * vectorWidth
    step = strip.pointee.sourceStride
    target = strip.pointee.panels + panel * strip.pointee.panelStride
  }

  @inline(__always)
  mutating func next() -> (Vector, Vector) {
    let found = (load(from), load(from + vectorWidth))
    store(found.0, target)
    store(found.1, target + vectorWidth)
    // Channels are a plane apart, too far for the CPU to foresee them.
    askForPanel(from + Self.ahead * step)
    from += step
    target += 2 * vectorWidth
    return found
  }

  /// Channels.
  @inline(__always)
  private static var ahead: Int { 12 }
}
