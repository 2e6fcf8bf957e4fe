extension ConvolutionEpilogue {
  /// Finishes the sums of `count` pixels of a channel that follow one another, from the products to the output, which may be the
  /// same.
  func finish(
    _ products: UnsafePointer<Float>, _ target: UnsafeMutablePointer<Float>, _ residual: UnsafePointer<Float>?,
    channel: Int, _ count: Int
  ) {
    let scale = scale?[channel]
    let shift = shift?[channel]
    for pixel in 0..<count {
      var y = products[pixel]
      if let scale { y *= scale }
      if let shift { y += shift }
      if let residual { y += residual[pixel] }
      target[pixel] = relu && y < 0 ? 0 : y
    }
  }
}
