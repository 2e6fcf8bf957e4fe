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

/// What a polynomial takes at the points 0, ±p …, ∞; named, so that they stay in registers.
private struct PointValues {
  var zero = HalfDoubles.zero
  var first = (HalfDoubles.zero, HalfDoubles.zero)
  var second = (HalfDoubles.zero, HalfDoubles.zero)
  var third = (HalfDoubles.zero, HalfDoubles.zero)
  var infinity = HalfDoubles.zero

  @inline(__always)
  func store(points: Int, _ body: (_ point: Int, _ value: HalfDoubles) -> Void) {
    forEach(self, self, points: points) { point, value, _, _ in body(point, value) }
  }

  /// Point by point, with the values of two others there.
  @inline(__always)
  func forEach(
    _ b: Self, _ c: Self, points: Int, _ body: (_ point: Int, HalfDoubles, HalfDoubles, HalfDoubles) -> Void
  ) {
    body(0, zero, b.zero, c.zero)
    body(1, first.0, b.first.0, c.first.0)
    body(2, first.1, b.first.1, c.first.1)
    if points > 4 {
      body(3, second.0, b.second.0, c.second.0)
      body(4, second.1, b.second.1, c.second.1)
    }
    if points > 6 {
      body(5, third.0, b.third.0, c.third.0)
      body(6, third.1, b.third.1, c.third.1)
    }
    body(points - 1, infinity, b.infinity, c.infinity)
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
    let (channelStride, laneStride) = (filters.pointee.channelStride, filters.pointee.laneStride)
    withUnsafeTemporaryAllocation(of: Float.self, capacity: together * tapCount) { gathered in
      guard let taps = gathered.baseAddress else { return }
      taps.initialize(repeating: 0, count: gathered.count)
      for first in stride(from: 0, to: filters.pointee.channels, by: together) {
        let count = min(together, filters.pointee.channels - first)
        let source = filters.pointee.filters + first * channelStride
        if channelStride == 9 {
          // A lane's taps of all channels follow one another.
          interleave(source, laneStride, taps, vectorWidth, filters.pointee.lanes, 9 * count)
        } else {
          for channel in 0..<count {
            interleave(
              source + channel * channelStride, laneStride, taps + channel * tapCount, vectorWidth,
              filters.pointee.lanes, 9)
          }
        }
        for channel in 0..<count {
          askForNext(filters, first + together, channel)
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
    @inline(__always) func column(_ first: UnsafePointer<Float>) -> PointValues {
      evaluate(doubles(first), doubles(first + 3 * step), doubles(first + 6 * step), matrix)
    }
    let columns = (column(tap), column(tap + step), column(tap + 2 * step))
    let pointStride = filters.pointee.pointStride
    columns.0.forEach(columns.1, columns.2, points: F.points) { point, a, b, c in
      let row = target + point * F.points * pointStride
      evaluate(a, b, c, matrix).store(points: F.points) { point, value in storeHalf(value, row + point * pointStride) }
    }
  }

  /// The product of G with three values: of the point 0 and of ∞ one term each, of a pair ±p an even part that both share and
  /// an odd one.
  @inline(__always)
  private static func evaluate(
    _ a: HalfDoubles, _ b: HalfDoubles, _ c: HalfDoubles, _ matrix: UnsafePointer<Double>
  ) -> PointValues {
    @inline(__always) func pair(_ point: Int) -> (HalfDoubles, HalfDoubles) {
      let row = matrix + 3 * point
      let even = fma(c, row[2], fma(a, row[0], .zero))
      return (fma(b, row[1], even), fma(b, -row[1], even))
    }
    var values = PointValues()
    values.zero = fma(a, matrix[0], .zero)
    values.first = pair(1)
    if F.points > 4 { values.second = pair(3) }
    if F.points > 6 { values.third = pair(5) }
    values.infinity = fma(c, matrix[3 * F.points - 1], .zero)
    return values
  }

  /// Asks for a part of the filters that are gathered next: a lane's of all channels where these follow one another, else all
  /// lanes' of a channel, which then do.
  @inline(__always)
  private static func askForNext(_ filters: UnsafePointer<WinogradFilters>, _ first: Int, _ part: Int) {
    let partStride = filters.pointee.channelStride == 9 ? filters.pointee.laneStride : filters.pointee.channelStride
    var later = UnsafePointer(filters.pointee.filters) + first * filters.pointee.channelStride + part * partStride
    // 9 taps each, which begin anywhere in a cache line.
    let end = later + 9 * together + 16
    while later < end {
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
