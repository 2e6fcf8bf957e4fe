// An image in another size, as Pillow's `resize` with its bilinear filter has it, bit for bit: the triangle is as wide as the
// reduction asks for, so that no pixel is left out, and 22 bits hold its weights.

extension RGBImage {
  /// As torchvision's `Resize` and `CenterCrop` make a square: the shorter side becomes `resized`, and the middle is taken.
  /// - Parameters:
  ///   - side: of the square.
  ///   - resized: of the shorter side before it is cropped; `side` at least.
  public func square(_ side: Int, resized: Int) -> RGBImage {
    precondition(side > 0 && resized >= side && width > 0 && height > 0, "a square that has room")
    // Divided as torchvision divides.
    let longer = Int(Double(resized * max(width, height)) / Double(min(width, height)))
    let whole = width <= height ? self.resized(to: resized, longer) : self.resized(to: longer, resized)
    return whole.cropped(to: side)
  }

  /// - Requires: a size that is no larger.
  func cropped(to side: Int) -> RGBImage {
    // Python rounds halves to even.
    let left = Int((Double(width - side) / 2).rounded(.toNearestOrEven))
    let top = Int((Double(height - side) / 2).rounded(.toNearestOrEven))
    var cropped: [UInt8] = []
    cropped.reserveCapacity(side * side * 3)
    for row in top..<top + side { cropped += pixels[(row * width + left) * 3..<(row * width + left + side) * 3] }
    return RGBImage(width: side, height: side, pixels: cropped)
  }

  func resized(to newWidth: Int, _ newHeight: Int) -> RGBImage {
    var image = self
    if newWidth != width { image = image.resizedRows(to: newWidth) }
    if newHeight != height { image = image.transposed.resizedRows(to: newHeight).transposed }
    return image
  }

  private var transposed: RGBImage {
    var turned = [UInt8](repeating: 0, count: pixels.count)
    for row in 0..<height {
      for column in 0..<width {
        let (from, to) = ((row * width + column) * 3, (column * height + row) * 3)
        for channel in 0..<3 { turned[to + channel] = pixels[from + channel] }
      }
    }
    return RGBImage(width: height, height: width, pixels: turned)
  }

  private static let precision = 22

  private func resizedRows(to newWidth: Int) -> RGBImage {
    let filters = (0..<newWidth).map { Self.filter(at: $0, from: width, to: newWidth) }
    var resized: [UInt8] = []
    resized.reserveCapacity(newWidth * height * 3)
    for row in 0..<height {
      for (first, weights) in filters {
        let start = (row * width + first) * 3
        for channel in 0..<3 {
          var sum = 1 << (Self.precision - 1)
          for (index, weight) in weights.enumerated() { sum += Int(pixels[start + index * 3 + channel]) * weight }
          resized.append(UInt8(clamping: sum >> Self.precision))
        }
      }
    }
    return RGBImage(width: newWidth, height: height, pixels: resized)
  }

  /// Which pixels make a new one, from the first on, and with what weights.
  private static func filter(at position: Int, from size: Int, to newSize: Int) -> (first: Int, weights: [Int]) {
    let scale = Double(size) / Double(newSize)
    let support = max(scale, 1)
    let steepness = 1 / support
    let center = (Double(position) + 0.5) * scale
    let first = max(0, Int(center - support + 0.5))
    let end = min(size, Int(center + support + 0.5))
    let weights = (first..<end).map { max(0, 1 - abs((Double($0) - center + 0.5) * steepness)) }
    let sum = weights.reduce(0, +)
    return (first, weights.map { Int(0.5 + $0 / sum * Double(1 << precision)) })
  }
}
