import KernelContracts

/// A dy Aᵀ of a run of tiles of the output's gradient: see ``WinogradTiles``.
func winogradGradient(_ outputTile: Int, _ tiles: UnsafePointer<WinogradTiles>) {
  switch outputTile {
  case 2: GradientTransform<WinogradF2>.run(tiles)
  case 4: GradientTransform<WinogradF4>.run(tiles)
  case 6: GradientTransform<WinogradF6>.run(tiles)
  default: break
  }
}

private enum GradientTransform<F: WinogradFilter> {
  static func run(_ tiles: UnsafePointer<WinogradTiles>) {
    let (m, n) = (F.outputs, F.points)
    let half = m * n * vectorWidth
    let line = tiles.pointee.scratch
    let gathered = line + half
    let (rowStride, pixelStride) = (tiles.pointee.rowStride, tiles.pointee.pixelStride)
    let pointStride = tiles.pointee.pointStride
    let rows = min(m, tiles.pointee.height - tiles.pointee.row)
    let whole = rows == m && tiles.pointee.lanes == vectorWidth
    for t in 0..<tiles.pointee.count {
      let column = tiles.pointee.column + t * m
      let columns = min(m, tiles.pointee.width - column)
      let source = UnsafePointer(tiles.pointee.activation) + tiles.pointee.row * rowStride + column * pixelStride
      // Down the columns, to [column][point]; then along the rows.
      for j in 0..<m {
        let to = line + j * n * vectorWidth
        if whole && j < columns {
          F.gradient(source + j * pixelStride, rowStride, to, vectorWidth)
        } else {
          for i in 0..<m { store(.zero, gathered + i * vectorWidth) }
          if j < columns {
            for i in 0..<rows {
              copyLanes(source + i * rowStride + j * pixelStride, gathered + i * vectorWidth, tiles.pointee.lanes)
            }
          }
          F.gradient(gathered, vectorWidth, to, vectorWidth)
        }
      }
      let target = tiles.pointee.transformed + t * vectorWidth
      for i in 0..<n {
        F.gradient(line + i * vectorWidth, n * vectorWidth, target + i * n * pointStride, pointStride)
      }
    }
  }
}
