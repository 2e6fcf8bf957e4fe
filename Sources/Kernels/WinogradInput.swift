import KernelContracts

/// Bᵀ d B of a run of input tiles: see ``WinogradTiles``.
func winogradInput(_ outputTile: Int, _ tiles: UnsafePointer<WinogradTiles>) {
  switch outputTile {
  case 2: InputTransform<WinogradF2>.run(tiles)
  case 4: InputTransform<WinogradF4>.run(tiles)
  case 6: InputTransform<WinogradF6>.run(tiles)
  default: break
  }
}

/// Tiles overlap by two columns, so each column of the run is transformed once, into a line of `[column][point][V]` that
/// stays in the L1 cache; the second pass then runs along the line.
private enum InputTransform<F: WinogradFilter> {
  /// Tiles a line holds.
  @inline(__always) static var lineTiles: Int { 8 }

  static func run(_ tiles: UnsafePointer<WinogradTiles>) {
    let step = F.points * vectorWidth
    let columns = lineTiles * F.outputs + 2
    let line = tiles.pointee.scratch
    var first = 0
    while first < tiles.pointee.count {
      let count = min(lineTiles, tiles.pointee.count - first)
      fill(tiles, line, first, count * F.outputs + 2, line + columns * step)
      let pointStride = tiles.pointee.pointStride
      var target = tiles.pointee.transformed + first * vectorWidth
      var source = UnsafePointer(line)
      for _ in 0..<count {
        for i in 0..<F.points {
          F.input(
            source + i * vectorWidth, step, target + i * F.points * pointStride, pointStride)
        }
        source += F.outputs * step
        target += vectorWidth
      }
      first += count
    }
  }

  /// The first pass over `columns` columns from that of tile `first` on. `gathered` has room for one column.
  @inline(__always)
  static func fill(
    _ tiles: UnsafePointer<WinogradTiles>, _ line: UnsafeMutablePointer<Float>, _ first: Int, _ columns: Int,
    _ gathered: UnsafeMutablePointer<Float>
  ) {
    let step = F.points * vectorWidth
    let (pixelStride, rowStride) = (tiles.pointee.pixelStride, tiles.pointee.rowStride)
    let (row, column) = (tiles.pointee.row, tiles.pointee.column + first * F.outputs)
    let (top, bottom) = (max(0, -row), min(F.points, tiles.pointee.height - row))
    let (left, right) = (min(columns, max(0, -column)), min(columns, tiles.pointee.width - column))
    for j in 0..<max(left, 0) { clear(line + j * step) }
    for j in max(left, right)..<columns { clear(line + j * step) }
    guard left < right else { return }
    let whole = top == 0 && bottom == F.points && tiles.pointee.lanes == vectorWidth
    if whole {
      var source = UnsafePointer(tiles.pointee.activation) + row * rowStride + (column + left) * pixelStride
      for j in left..<right {
        F.input(source, rowStride, line + j * step, vectorWidth)
        source += pixelStride
      }
    } else {
      clear(gathered)
      for j in left..<right {
        for i in top..<max(top, bottom) {
          let source = tiles.pointee.activation + (row + i) * rowStride + (column + j) * pixelStride
          copyLanes(source, gathered + i * vectorWidth, tiles.pointee.lanes)
        }
        F.input(gathered, vectorWidth, line + j * step, vectorWidth)
      }
    }
  }

  @inline(__always)
  static func clear(_ to: UnsafeMutablePointer<Float>) {
    for i in 0..<F.points { store(.zero, to + i * vectorWidth) }
  }
}

/// One pixel's vector, of which only `lanes` floats may be touched.
@inline(__always)
func copyLanes(_ from: UnsafePointer<Float>, _ to: UnsafeMutablePointer<Float>, _ lanes: Int) {
  if lanes == vectorWidth {
    store(load(from), to)
  } else {
    for lane in 0..<lanes { to[lane] = from[lane] }
  }
}
