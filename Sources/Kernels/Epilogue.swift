import KernelContracts

/// What happens to a sum on its way to memory: accumulate, scale, shift, residual, ReLU.
struct Epilogue {
  let scale0: Vector
  let scale1: Vector
  let shift0: Vector
  let shift1: Vector

  @inline(__always)
  init(_ strip: UnsafePointer<ConvolutionStrip>, _ two: Bool) {
    scale0 = strip.pointee.scale.map { load($0) } ?? Vector(repeating: 1)
    scale1 = two ? strip.pointee.scale.map { load($0 + vectorWidth) } ?? Vector(repeating: 1) : .zero
    shift0 = strip.pointee.shift.map { load($0) } ?? .zero
    shift1 = two ? strip.pointee.shift.map { load($0 + vectorWidth) } ?? .zero : .zero
  }

  @inline(__always)
  func write(
    _ strip: UnsafePointer<ConvolutionStrip>, _ two: Bool, _ row: Int, _ pixel: Int, _ a: Vector, _ b: Vector
  ) {
    let offset = row + pixel * strip.pointee.outputPixelStride
    if two {
      write(strip, offset, a, scale0, shift0)
      write(strip, offset + strip.pointee.outputVectorStride, b, scale1, shift1)
    } else if strip.pointee.lanes == vectorWidth {
      write(strip, offset, a, scale0, shift0)
    } else {
      writeLanes(strip, offset, a, scale0, shift0)
    }
  }

  @inline(__always)
  private func write(
    _ strip: UnsafePointer<ConvolutionStrip>, _ offset: Int, _ sum: Vector, _ scale: Vector, _ shift: Vector
  ) {
    let target = strip.pointee.output + offset
    var y = sum
    if strip.pointee.accumulate { y += load(UnsafePointer(target)) }
    if strip.pointee.scale != nil { y *= scale }
    if strip.pointee.shift != nil { y += shift }
    if let residual = strip.pointee.residual { y += load(residual + offset) }
    if strip.pointee.relu { y.replace(with: 0, where: y .< 0) }
    store(y, target)
  }
}

/// The same for the first `lanes` lanes only: fewer output channels than a vector has.
@inline(never)
private func writeLanes(
  _ strip: UnsafePointer<ConvolutionStrip>, _ offset: Int, _ sum: Vector, _ scale: Vector, _ shift: Vector
) {
  let target = strip.pointee.output + offset
  for lane in 0..<strip.pointee.lanes {
    var y = sum[lane]
    if strip.pointee.accumulate { y += target[lane] }
    if strip.pointee.scale != nil { y *= scale[lane] }
    if strip.pointee.shift != nil { y += shift[lane] }
    if let residual = strip.pointee.residual { y += residual[offset + lane] }
    if strip.pointee.relu && y < 0 { y = 0 }
    target[lane] = y
  }
}
