import KernelContracts

/// G g Gᵀ of a row of filters: see ``WinogradFilters``.
func winogradFilters(_ outputTile: Int, _ filters: UnsafePointer<WinogradFilters>) {
  switch outputTile {
  case 2: transformFilters(filters, points: 4)
  case 4: transformFilters(filters, points: 6)
  case 6: transformFilters(filters, points: 8)
  default: break
  }
}

/// Gᵀ M G of a row of sums: see ``WinogradFilters``.
func winogradFilterGradient(_ outputTile: Int, _ filters: UnsafePointer<WinogradFilters>) {
  switch outputTile {
  case 2: transformSums(filters, points: 4)
  case 4: transformSums(filters, points: 6)
  case 6: transformSums(filters, points: 8)
  default: break
  }
}

/// In Double, lane by lane in loops that the compiler makes vectors of.
@inline(__always)
private func transformFilters(_ filters: UnsafePointer<WinogradFilters>, points: Int) {
  let matrix = filters.pointee.matrix
  let pointStride = filters.pointee.pointStride
  let tapCount = 9 * vectorWidth
  // Where the taps of a lane's channels follow one another, those of several channels are brought into lanes at once.
  let together = filters.pointee.channelStride == 9 ? 16 : 1
  withUnsafeTemporaryAllocation(of: Float.self, capacity: together * tapCount) { gathered in
    withUnsafeTemporaryAllocation(byteCount: 3 * points * vectorWidth * 8, alignment: 64) { memory in
      guard let half = memory.bindMemory(to: Double.self).baseAddress, let taps = gathered.baseAddress else { return }
      taps.initialize(repeating: 0, count: gathered.count)
      for channel in 0..<filters.pointee.channels {
        if channel % together == 0 {
          interleave(
            filters.pointee.filters + channel * filters.pointee.channelStride, filters.pointee.laneStride, taps,
            vectorWidth, filters.pointee.lanes, 9 * min(together, filters.pointee.channels - channel))
        }
        let own = UnsafePointer(taps) + channel % together * tapCount
        // A turned filter's rows and columns are read from the end.
        let (first, step) = filters.pointee.turned ? (own + tapCount - vectorWidth, -vectorWidth) : (own, vectorWidth)
        for i in 0..<points {
          let (g0, g1, g2) = (matrix[3 * i], matrix[3 * i + 1], matrix[3 * i + 2])
          for column in 0..<3 {
            let from = first + column * step
            let to = half + (3 * i + column) * vectorWidth
            for lane in 0..<vectorWidth {
              to[lane] =
                g0 * Double(from[lane]) + g1 * Double(from[3 * step + lane]) + g2 * Double(from[6 * step + lane])
            }
          }
        }
        let target = filters.pointee.transformed + channel * filters.pointee.transformedChannelStride
        for i in 0..<points {
          let row = half + i * 3 * vectorWidth
          for j in 0..<points {
            let (g0, g1, g2) = (matrix[3 * j], matrix[3 * j + 1], matrix[3 * j + 2])
            let to = target + (i * points + j) * pointStride
            for lane in 0..<vectorWidth {
              to[lane] = Float(g0 * row[lane] + g1 * row[vectorWidth + lane] + g2 * row[2 * vectorWidth + lane])
            }
          }
        }
      }
    }
  }
}

/// In float32; the taps of a channel are gathered for all lanes and then written filter by filter.
@inline(__always)
private func transformSums(_ filters: UnsafePointer<WinogradFilters>, points: Int) {
  let matrix = filters.pointee.matrix
  let pointStride = filters.pointee.pointStride
  withUnsafeTemporaryAllocation(byteCount: (9 + 3 * points) * vectorWidth * 4, alignment: 64) { memory in
    guard let taps = memory.bindMemory(to: Float.self).baseAddress else { return }
    let half = taps + 9 * vectorWidth
    for channel in 0..<filters.pointee.channels {
      let source =
        UnsafePointer(filters.pointee.transformed) + channel * filters.pointee.transformedChannelStride
      for j in 0..<points {
        var rows = (Vector.zero, Vector.zero, Vector.zero)
        for i in 0..<points {
          let x = load(source + (i * points + j) * pointStride)
          rows.0 = fma(x, Vector(repeating: Float(matrix[3 * i])), rows.0)
          rows.1 = fma(x, Vector(repeating: Float(matrix[3 * i + 1])), rows.1)
          rows.2 = fma(x, Vector(repeating: Float(matrix[3 * i + 2])), rows.2)
        }
        store(rows.0, half + j * vectorWidth)
        store(rows.1, half + (points + j) * vectorWidth)
        store(rows.2, half + (2 * points + j) * vectorWidth)
      }
      for i in 0..<3 {
        var columns = (Vector.zero, Vector.zero, Vector.zero)
        for j in 0..<points {
          let x = load(half + (i * points + j) * vectorWidth)
          columns.0 = fma(x, Vector(repeating: Float(matrix[3 * j])), columns.0)
          columns.1 = fma(x, Vector(repeating: Float(matrix[3 * j + 1])), columns.1)
          columns.2 = fma(x, Vector(repeating: Float(matrix[3 * j + 2])), columns.2)
        }
        store(columns.0, taps + 3 * i * vectorWidth)
        store(columns.1, taps + (3 * i + 1) * vectorWidth)
        store(columns.2, taps + (3 * i + 2) * vectorWidth)
      }
      let target = filters.pointee.filters + channel * filters.pointee.channelStride
      for lane in 0..<filters.pointee.lanes {
        let filter = target + lane * filters.pointee.laneStride
        for tap in 0..<9 { filter[tap] = taps[tap * vectorWidth + lane] }
      }
    }
  }
}
