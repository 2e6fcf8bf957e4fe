import KernelContracts

/// Aᵀ M A of a run of tiles, and the epilogue; a tile that overflows is marked instead: see ``WinogradTiles``.
func winogradOutput(_ outputTile: Int, _ tiles: UnsafePointer<WinogradTiles>) {
  switch outputTile {
  case 2: OutputTransform<WinogradF2>.run(tiles)
  case 4: OutputTransform<WinogradF4>.run(tiles)
  case 6: OutputTransform<WinogradF6>.run(tiles)
  default: break
  }
}

private enum OutputTransform<F: WinogradFilter> {
  static func run(_ tiles: UnsafePointer<WinogradTiles>) {
    let half = F.outputs * F.points * vectorWidth
    let (m, n) = (F.outputs, F.points)
    let line = tiles.pointee.scratch
    let result = line + half
    let pointStride = tiles.pointee.pointStride
    let rows = min(m, tiles.pointee.height - tiles.pointee.row)
    for t in 0..<tiles.pointee.count {
      let source = UnsafePointer(tiles.pointee.transformed) + t * vectorWidth
      // Down the columns, to [column][row]; then along the rows, all of them before one is written.
      for j in 0..<n { F.output(source + j * pointStride, n * pointStride, line + j * m * vectorWidth, vectorWidth) }
      let column = tiles.pointee.column + t * m
      let columns = min(m, tiles.pointee.width - column)
      var zeros = Vector.zero
      for i in 0..<rows {
        let row = result + i * m * vectorWidth
        F.output(line + i * vectorWidth, m * vectorWidth, row, vectorWidth)
        // 0 times a sum is 0 unless a term is infinite or NaN, or the sum overflows.
        var sum = load(row)
        for j in 1..<m { sum += load(row + j * vectorWidth) }
        zeros += sum * 0
      }
      guard all(zeros .== .zero) else {
        tiles.pointee.transformed[t * vectorWidth] = .nan
        continue
      }
      for i in 0..<rows {
        let offset = (tiles.pointee.row + i) * tiles.pointee.rowStride + column * tiles.pointee.pixelStride
        write(tiles, result + i * m * vectorWidth, offset, columns)
      }
    }
  }

  /// The epilogue on `columns` pixels of a row.
  @inline(__always)
  static func write(
    _ tiles: UnsafePointer<WinogradTiles>, _ result: UnsafePointer<Float>, _ offset: Int, _ columns: Int
  ) {
    let step = tiles.pointee.pixelStride
    let lanes = tiles.pointee.lanes
    for j in 0..<columns {
      var y = load(result + j * vectorWidth)
      if let scale = tiles.pointee.scale { y *= load(scale) }
      if let shift = tiles.pointee.shift { y += load(shift) }
      let target = tiles.pointee.activation + offset + j * step
      if lanes == vectorWidth {
        if let residual = tiles.pointee.residual { y += load(residual + offset + j * step) }
        if tiles.pointee.relu { y = positive(y) }
        store(y, target)
      } else {
        for lane in 0..<lanes {
          var value = y[lane]
          if let residual = tiles.pointee.residual { value += residual[offset + j * step + lane] }
          if tiles.pointee.relu && value < 0 { value = 0 }
          target[lane] = value
        }
      }
    }
  }
}
