/// Some channels of each pixel to another layout: `target[p·targetStep + c] = source[p·sourceStep + c]`, p < pixels, c < lanes.
/// - Requires: source and target do not overlap. Other lanes are left alone.
func copyLanes(
  _ source: UnsafePointer<Float>, _ sourceStep: Int, _ target: UnsafeMutablePointer<Float>, _ targetStep: Int,
  _ lanes: Int, _ pixels: Int
) {
  assert(lanes >= 0 && lanes <= sourceStep && lanes <= targetStep && pixels >= 0)
  var s = source
  var t = target
  for _ in 0..<pixels {
    var c = 0
    while c + 4 <= lanes {
      store4(load4(s + c), t + c)
      c += 4
    }
    while c < lanes {
      t[c] = s[c]
      c += 1
    }
    s += sourceStep
    t += targetStep
  }
}
