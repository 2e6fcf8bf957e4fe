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

/// im2col for fewer channels than a vector: each pixel's runs of `runLength` floats at `source + p·sourceStride +
/// taps[t]` become one row of taps·runLength floats, cut into vectors; vectors `first..<first + count` of pixel p go to
/// `target + (v − first)·vectorStride + p·V`. The lanes past the row's end are zero.
/// - Requires: `row` has room for the row rounded up to V floats, zeros past its end.
func gatherRuns(
  _ source: UnsafePointer<Float>, _ sourceStride: Int, _ taps: UnsafePointer<Int>, _ tapCount: Int, _ runLength: Int,
  _ row: UnsafeMutablePointer<Float>, _ target: UnsafeMutablePointer<Float>, _ vectorStride: Int, _ first: Int,
  _ count: Int, _ pixels: Int
) {
  var p = 0
  while p < pixels {
    let pixel = source + p * sourceStride
    var position = row
    var t = 0
    while t < tapCount {
      let run = pixel + taps[t]
      if runLength >= vectorWidth {
        var i = 0
        while i + vectorWidth <= runLength {
          store(load(run + i), position + i)
          i += vectorWidth
        }
        // The last vector overlaps the one before it rather than the run's end.
        if i < runLength { store(load(run + runLength - vectorWidth), position + runLength - vectorWidth) }
      } else {
        var i = 0
        while i < runLength {
          position[i] = run[i]
          i += 1
        }
      }
      position += runLength
      t += 1
    }
    var v = 0
    while v < count {
      store(load(row + (first + v) * vectorWidth), target + v * vectorStride + p * vectorWidth)
      v += 1
    }
    p += 1
  }
}
