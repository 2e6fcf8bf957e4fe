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

/// In Double, half a vector's lanes at a time, each value rounded once.
@inline(__always)
private func transformFilters(_ filters: UnsafePointer<WinogradFilters>, points: Int) {
  let matrix = filters.pointee.matrix
  let pointStride = filters.pointee.pointStride
  let tapCount = 9 * vectorWidth
  // Where the taps of a lane's channels follow one another, those of several channels are brought into lanes at once.
  let together = filters.pointee.channelStride == 9 ? 16 : 1
  withUnsafeTemporaryAllocation(of: Float.self, capacity: together * tapCount) { gathered in
    withUnsafeTemporaryAllocation(of: HalfDoubles.self, capacity: 3 * points) { memory in
      guard let half = memory.baseAddress, let taps = gathered.baseAddress else { return }
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
        let target = filters.pointee.transformed + channel * filters.pointee.transformedChannelStride
        for lane in stride(from: 0, to: vectorWidth, by: vectorWidth / 2) {
          for column in 0..<3 {
            let tap = first + column * step + lane
            let (t0, t1, t2) = (doubles(tap), doubles(tap + 3 * step), doubles(tap + 6 * step))
            for i in 0..<points { half[3 * i + column] = combine(t0, t1, t2, matrix + 3 * i) }
          }
          for i in 0..<points {
            let (r0, r1, r2) = (half[3 * i], half[3 * i + 1], half[3 * i + 2])
            for j in 0..<points {
              storeHalf(combine(r0, r1, r2, matrix + 3 * j), target + (i * points + j) * pointStride + lane)
            }
          }
        }
      }
    }
  }
}

/// The product of three values with a row of G.
@inline(__always)
private func combine(
  _ a: HalfDoubles, _ b: HalfDoubles, _ c: HalfDoubles, _ row: UnsafePointer<Double>
) -> HalfDoubles {
  fma(c, row[2], fma(b, row[1], a * HalfDoubles(repeating: row[0])))
}

@inline(__always)
private func doubles(_ p: UnsafePointer<Float>) -> HalfDoubles {
  HalfDoubles(UnsafeRawPointer(p).loadUnaligned(as: HalfVector.self))
}

@inline(__always)
private func storeHalf(_ v: HalfDoubles, _ p: UnsafeMutablePointer<Float>) {
  UnsafeMutableRawPointer(p).storeBytes(of: HalfVector(v), as: HalfVector.self)
}

/// In float32; the taps of some channels are gathered for all lanes and then written filter by filter.
@inline(__always)
private func transformSums(_ filters: UnsafePointer<WinogradFilters>, points: Int) {
  let matrix = filters.pointee.matrix
  let pointStride = filters.pointee.pointStride
  // Where the taps of a lane's channels follow one another, those of several channels are written at once.
  let together = filters.pointee.channelStride == 9 ? 16 : 1
  withUnsafeTemporaryAllocation(byteCount: (9 * together + 3 * points) * vectorWidth * 4, alignment: 64) { memory in
    guard let taps = memory.bindMemory(to: Float.self).baseAddress else { return }
    let half = taps + 9 * together * vectorWidth
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
      let own = taps + channel % together * 9 * vectorWidth
      for i in 0..<3 {
        var columns = (Vector.zero, Vector.zero, Vector.zero)
        for j in 0..<points {
          let x = load(half + (i * points + j) * vectorWidth)
          columns.0 = fma(x, Vector(repeating: Float(matrix[3 * j])), columns.0)
          columns.1 = fma(x, Vector(repeating: Float(matrix[3 * j + 1])), columns.1)
          columns.2 = fma(x, Vector(repeating: Float(matrix[3 * j + 2])), columns.2)
        }
        store(columns.0, own + 3 * i * vectorWidth)
        store(columns.1, own + (3 * i + 1) * vectorWidth)
        store(columns.2, own + (3 * i + 2) * vectorWidth)
      }
      let gathered = channel % together + 1
      guard gathered == together || channel + 1 == filters.pointee.channels else { continue }
      deinterleave(
        taps, vectorWidth, filters.pointee.filters + (channel + 1 - gathered) * filters.pointee.channelStride,
        filters.pointee.laneStride, filters.pointee.lanes, 9 * gathered)
    }
  }
}
