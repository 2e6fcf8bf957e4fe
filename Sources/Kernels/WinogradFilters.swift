import KernelContracts

/// G g Gᵀ of a row of filters: see ``WinogradFilters``.
func winogradFilters(_ outputTile: Int, _ filters: UnsafePointer<WinogradFilters>) {
  switch outputTile {
  case 2: FilterTransform<WinogradF2>.run(filters)
  case 4: FilterTransform<WinogradF4>.run(filters)
  case 6: FilterTransform<WinogradF6>.run(filters)
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

/// In Double, half a vector's lanes at a time, each value rounded once. Filters lie so far apart that no prefetching of the
/// core's own finds them: those of later channels are asked for while these are transformed.
private enum FilterTransform<F: WinogradFilter> {
  /// Channels whose taps are brought into lanes before the first is transformed. A load that takes in several stores waits until
  /// they have left the core, behind all that went before them; of taps that were written a while ago they have.
  private static var together: Int { 16 }

  static func run(_ filters: UnsafePointer<WinogradFilters>) {
    let tapCount = 9 * vectorWidth
    let (lanes, laneStride) = (filters.pointee.lanes, filters.pointee.laneStride)
    let channelStride = filters.pointee.channelStride
    // A lane's taps of all channels follow one another, or else those of each channel are gathered by themselves.
    let byLane = channelStride == 9
    withUnsafeTemporaryAllocation(of: Float.self, capacity: together * tapCount) { gathered in
      guard let taps = gathered.baseAddress else { return }
      taps.initialize(repeating: 0, count: gathered.count)
      for first in stride(from: 0, to: filters.pointee.channels, by: together) {
        let count = min(together, filters.pointee.channels - first)
        let source = UnsafePointer(filters.pointee.filters) + first * channelStride
        if byLane {
          interleave(source, laneStride, taps, vectorWidth, lanes, 9 * count)
        } else {
          for channel in 0..<count {
            interleave(
              source + channel * channelStride, laneStride, taps + channel * tapCount, vectorWidth, lanes, 9)
          }
        }
        let next = source + together * channelStride
        for channel in 0..<count {
          if !byLane {
            ask(for: next + channel * channelStride, 9 * lanes)
          } else if channel < lanes {
            ask(for: next + channel * laneStride, 9 * together)
          }
          let own = UnsafePointer(taps) + channel * tapCount
          let target = filters.pointee.transformed + (first + channel) * filters.pointee.transformedChannelStride
          transform(own, filters, target)
          transform(own + vectorWidth / 2, filters, target + vectorWidth / 2)
        }
      }
    }
  }

  /// Half the lanes of a channel.
  @inline(__always)
  private static func transform(
    _ taps: UnsafePointer<Float>, _ filters: UnsafePointer<WinogradFilters>, _ target: UnsafeMutablePointer<Float>
  ) {
    // A turned filter's rows and columns are read from the end.
    let step = filters.pointee.turned ? -vectorWidth : vectorWidth
    let tap = filters.pointee.turned ? taps + 8 * vectorWidth : taps
    let matrix = filters.pointee.matrix
    let (x, y, z) = (column(tap, step, matrix), column(tap + step, step, matrix), column(tap + 2 * step, step, matrix))
    let pointStride = filters.pointee.pointStride
    var written = target
    @inline(__always) func row(_ a: HalfDoubles, _ b: HalfDoubles, _ c: HalfDoubles) {
      var point = 0
      while point < F.points {
        storeHalf(combine(a, b, c, matrix + 3 * point), written)
        written += pointStride
        point += 1
      }
    }
    row(x.0, y.0, z.0)
    row(x.1, y.1, z.1)
    row(x.2, y.2, z.2)
    row(x.3, y.3, z.3)
    if F.points > 4 {
      row(x.4, y.4, z.4)
      row(x.5, y.5, z.5)
    }
    if F.points > 6 {
      row(x.6, y.6, z.6)
      row(x.7, y.7, z.7)
    }
  }

  /// What a column of taps takes at each point; elements of a tuple stay in registers.
  private typealias Column = (
    HalfDoubles, HalfDoubles, HalfDoubles, HalfDoubles, HalfDoubles, HalfDoubles, HalfDoubles, HalfDoubles
  )

  @inline(__always)
  private static func column(_ tap: UnsafePointer<Float>, _ step: Int, _ matrix: UnsafePointer<Double>) -> Column {
    let (a, b, c) = (doubles(tap), doubles(tap + 3 * step), doubles(tap + 6 * step))
    @inline(__always) func value(_ point: Int) -> HalfDoubles {
      point < F.points ? combine(a, b, c, matrix + 3 * point) : .zero
    }
    return (value(0), value(1), value(2), value(3), value(4), value(5), value(6), value(7))
  }

  /// The product of three values with a row of G.
  @inline(__always)
  private static func combine(
    _ a: HalfDoubles, _ b: HalfDoubles, _ c: HalfDoubles, _ row: UnsafePointer<Double>
  ) -> HalfDoubles {
    fma(c, row[2], fma(b, row[1], a * HalfDoubles(repeating: row[0])))
  }

  /// Asks for floats that begin anywhere in a cache line.
  @inline(__always)
  private static func ask(for first: UnsafePointer<Float>, _ count: Int) {
    var later = first
    while later < first + count + 16 {
      prefetch(later)
      later += 16
    }
  }
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
