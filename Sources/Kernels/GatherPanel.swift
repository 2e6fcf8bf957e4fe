/// Copies `pixels` vectors, `sourceStride` floats apart, to consecutive ones: one tap of one channel block of im2col.
/// - Requires: each pixel has V floats; source and target do not overlap.
func gatherVectors(
  _ source: UnsafePointer<Float>, _ sourceStride: Int, _ target: UnsafeMutablePointer<Float>, _ pixels: Int
) {
  var s = source
  var t = target
  var p = 0
  while p < pixels {
    store(load(s), t)
    s += sourceStride
    t += vectorWidth
    p += 1
  }
}

/// im2col for fewer channels than a vector: each pixel's segments, `wholeCount` of V floats and then `shortCount` of
/// `shortLength`, at `source + p·sourceStride + segments[i]`, become one row, cut into vectors; vectors `first..<first + count`
/// of pixel p go to `target + (v − first)·vectorStride + p·V`. The lanes past the row's end are zero.
/// - Requires: `row` has room for the row rounded up to V floats, zeros past its end.
func gatherSegments(
  _ source: UnsafePointer<Float>, _ sourceStride: Int, _ segments: UnsafePointer<Int>, _ wholeCount: Int,
  _ shortCount: Int, _ shortLength: Int, _ row: UnsafeMutablePointer<Float>, _ target: UnsafeMutablePointer<Float>,
  _ vectorStride: Int, _ first: Int, _ count: Int, _ pixels: Int
) {
  assert(first >= 0 && (first + count - 1) * vectorWidth < wholeCount * vectorWidth + shortCount * shortLength)
  var p = 0
  while p < pixels {
    let pixel = source + p * sourceStride
    var position = row
    var i = 0
    while i < wholeCount {
      store(load(pixel + segments[i]), position)
      position += vectorWidth
      i += 1
    }
    while i < wholeCount + shortCount {
      copy(pixel + segments[i], position, shortLength)
      position += shortLength
      i += 1
    }
    var v = 0
    while v < count {
      store(load(row + (first + v) * vectorWidth), target + v * vectorStride + p * vectorWidth)
      v += 1
    }
    p += 1
  }
}

/// Pixels of successive channels of an NCHW image, to panels of two vectors of pixels, `[panel][channel][pixel]`: pixel p of
/// channel c, at `source + c·channelStride + p·pixelStride`, goes to place `first + p`, which is
/// `target + place / 2V·panelStride + c·2V + place mod 2V`.
/// - Requires: source and target do not overlap.
func gatherPixels(
  _ source: UnsafePointer<Float>, _ channelStride: Int, _ pixelStride: Int, _ target: UnsafeMutablePointer<Float>,
  _ panelStride: Int, _ first: Int, _ channels: Int, _ pixels: Int
) {
  assert(first >= 0 && channels >= 0 && pixels >= 0 && pixelStride >= 1)
  let panelPixels = 2 * vectorWidth
  let (firstPanel, firstLane) = first.quotientAndRemainder(dividingBy: panelPixels)
  var c = 0
  while c < channels {
    let from = source + c * channelStride
    var panel = target + firstPanel * panelStride + c * panelPixels
    var position = panel + firstLane
    var p = 0
    while p < pixels {
      let end = min(pixels, p + (panel + panelPixels - position))
      // Channels are a plane apart, too far for the CPU to foresee them.
      let later = from + (fetchedChannels * channelStride + p * pixelStride)
      prefetch(later)
      // A cache line holds one vector of the widest.
      if vectorWidth == 16 { prefetch(later + vectorWidth) }
      if pixelStride == 1 {
        while p + vectorWidth <= end {
          store(load(from + p), position)
          position += vectorWidth
          p += vectorWidth
        }
      } else if pixelStride == 2 {
        // The float behind the last pixel is not read: there is one pixel more than a vector of them.
        while p + vectorWidth <= end, p + vectorWidth < pixels {
          store(everySecond(from + 2 * p), position)
          position += vectorWidth
          p += vectorWidth
        }
      }
      while p < end {
        position[0] = from[p * pixelStride]
        position += 1
        p += 1
      }
      panel += panelStride
      position = panel
    }
    c += 1
  }
}

/// Asks for `floats` floats of each of some rows, `stride` floats apart, which will be read later. The addresses need not be valid.
func fetchRows(_ source: UnsafePointer<Float>, _ stride: Int, _ rows: Int, _ floats: Int) {
  var row = 0
  while row < rows {
    let from = source + row * stride
    var p = 0
    // A cache line holds 16 floats.
    while p < floats {
      prefetchLater(from + p)
      p += 16
    }
    row += 1
  }
}

/// How many channels before it is read a row of pixels is asked for.
@inline(__always)
private var fetchedChannels: Int { 4 }

/// Floats 0, 2, 4, … of two vectors.
@inline(__always)
private func everySecond(_ p: UnsafePointer<Float>) -> Vector {
  let a = load(p)
  let b = load(p + vectorWidth)
  var v = Vector.zero
  v.lowHalf = a.evenHalf
  v.highHalf = b.evenHalf
  return v
}

/// Copies `count` floats, four at a time.
@inline(__always)
private func copy(_ source: UnsafePointer<Float>, _ target: UnsafeMutablePointer<Float>, _ count: Int) {
  var i = 0
  while i + 4 <= count {
    UnsafeMutableRawPointer(target + i).storeBytes(
      of: UnsafeRawPointer(source + i).loadUnaligned(as: SIMD4<Float>.self), as: SIMD4<Float>.self)
    i += 4
  }
  while i < count {
    target[i] = source[i]
    i += 1
  }
}
