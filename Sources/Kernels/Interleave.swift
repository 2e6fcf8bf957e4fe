/// Channel rows to pixels of channels: `target[p·block + c] = source[c·channelStride + p]`, p < pixels, c < channels.
/// - Requires: `channels ≤ block`; source and target do not overlap. Other lanes are left alone.
func interleave(
  _ source: UnsafePointer<Float>, _ channelStride: Int, _ target: UnsafeMutablePointer<Float>, _ block: Int,
  _ channels: Int, _ pixels: Int
) {
  if block == 3, channels == 3 { return interleaveThree(source, channelStride, target, pixels) }
  forEachChunk(pixels) { first, count in
    interleaveChunk(source + first, channelStride, target + first * block, block, channels, count)
  }
}

/// Pixels that are done for all channels before the next are, so that their blocks stay in the first-level cache.
@inline(__always)
private func forEachChunk(_ pixels: Int, _ body: (_ first: Int, _ count: Int) -> Void) {
  for first in stride(from: 0, to: pixels, by: 64) { body(first, min(64, pixels - first)) }
}

@inline(__always)
private func interleaveChunk(
  _ source: UnsafePointer<Float>, _ channelStride: Int, _ target: UnsafeMutablePointer<Float>, _ block: Int,
  _ channels: Int, _ pixels: Int
) {
  var c = 0
  while c + 4 <= channels {
    var s = source + c * channelStride
    var t = target + c
    var p = 0
    while p + 4 <= pixels {
      let q = transpose(
        load4(s), load4(s + channelStride), load4(s + 2 * channelStride), load4(s + 3 * channelStride))
      store4(q.0, t)
      store4(q.1, t + block)
      store4(q.2, t + 2 * block)
      store4(q.3, t + 3 * block)
      s += 4
      t += 4 * block
      p += 4
    }
    while p < pixels {
      for i in 0..<4 { t[i] = s[i * channelStride] }
      s += 1
      t += block
      p += 1
    }
    c += 4
  }
  while c < channels {
    let s = source + c * channelStride
    for p in 0..<pixels { target[p * block + c] = s[p] }
    c += 1
  }
}

/// The same of the three channels of pictures, whose pixels follow one another without a gap.
@inline(__always)
private func interleaveThree(
  _ source: UnsafePointer<Float>, _ channelStride: Int, _ target: UnsafeMutablePointer<Float>, _ pixels: Int
) {
  let (green, blue) = (source + channelStride, source + 2 * channelStride)
  var p = 0
  while p + 4 <= pixels {
    let (r, g, b) = (load4(source + p), load4(green + p), load4(blue + p))
    let t = target + 3 * p
    store4(Four(r[0], g[0], b[0], r[1]), t)
    store4(Four(g[1], b[1], r[2], g[2]), t + 4)
    store4(Four(b[2], r[3], g[3], b[3]), t + 8)
    p += 4
  }
  while p < pixels {
    (target[3 * p], target[3 * p + 1], target[3 * p + 2]) = (source[p], green[p], blue[p])
    p += 1
  }
}

/// Pixels of channels to channel rows: `target[c·channelStride + p] = source[p·block + c]`, p < pixels, c < channels.
/// - Requires: `channels ≤ block`; source and target do not overlap.
func deinterleave(
  _ source: UnsafePointer<Float>, _ block: Int, _ target: UnsafeMutablePointer<Float>, _ channelStride: Int,
  _ channels: Int, _ pixels: Int
) {
  forEachChunk(pixels) { first, count in
    deinterleaveChunk(source + first * block, block, target + first, channelStride, channels, count)
  }
}

@inline(__always)
private func deinterleaveChunk(
  _ source: UnsafePointer<Float>, _ block: Int, _ target: UnsafeMutablePointer<Float>, _ channelStride: Int,
  _ channels: Int, _ pixels: Int
) {
  var c = 0
  while c + 4 <= channels {
    var s = source + c
    var t = target + c * channelStride
    var p = 0
    while p + 4 <= pixels {
      let q = transpose(load4(s), load4(s + block), load4(s + 2 * block), load4(s + 3 * block))
      store4(q.0, t)
      store4(q.1, t + channelStride)
      store4(q.2, t + 2 * channelStride)
      store4(q.3, t + 3 * channelStride)
      s += 4 * block
      t += 4
      p += 4
    }
    while p < pixels {
      for i in 0..<4 { t[i * channelStride] = s[i] }
      s += block
      t += 1
      p += 1
    }
    c += 4
  }
  while c < channels {
    let t = target + c * channelStride
    for p in 0..<pixels { t[p] = source[p * block + c] }
    c += 1
  }
}

typealias Four = SIMD4<Float>

@inline(__always)
func load4(_ p: UnsafePointer<Float>) -> Four { UnsafeRawPointer(p).loadUnaligned(as: Four.self) }

@inline(__always)
func store4(_ v: Four, _ p: UnsafeMutablePointer<Float>) {
  UnsafeMutableRawPointer(p).storeBytes(of: v, as: Four.self)
}

@inline(__always)
private func transpose(_ a: Four, _ b: Four, _ c: Four, _ d: Four) -> (Four, Four, Four, Four) {
  let ac0 = Four(a[0], c[0], a[1], c[1])
  let ac1 = Four(a[2], c[2], a[3], c[3])
  let bd0 = Four(b[0], d[0], b[1], d[1])
  let bd1 = Four(b[2], d[2], b[3], d[3])
  return (
    Four(ac0[0], bd0[0], ac0[1], bd0[1]), Four(ac0[2], bd0[2], ac0[3], bd0[3]),
    Four(ac1[0], bd1[0], ac1[1], bd1[1]), Four(ac1[2], bd1[2], ac1[3], bd1[3])
  )
}
