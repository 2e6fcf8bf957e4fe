/// The kernels of one instruction set. Each kernel module fills one; everything above calls through it.
///
/// Only pointers and extents cross this line, so that no code shared between the kernel modules could be emitted for
/// the wrong CPU.
public struct KernelTable: Sendable {
  /// V: floats in a vector, and channels in a block of a blocked activation.
  public let vectorWidth: Int
  /// Pixels in the largest register tile; rows of half as many or fewer are paired.
  public let tilePixels: Int
  /// See ``ConvolutionStrip``.
  public let convolveStrip: @Sendable (UnsafePointer<ConvolutionStrip>) -> Void
  /// Runs `iterations` rounds of 12 independent multiply-add chains on registers; returns the flop done.
  public let peak: @Sendable (_ iterations: Int) -> Int

  public init(
    vectorWidth: Int, tilePixels: Int, convolveStrip: @escaping @Sendable (UnsafePointer<ConvolutionStrip>) -> Void,
    peak: @escaping @Sendable (_ iterations: Int) -> Int
  ) {
    self.vectorWidth = vectorWidth
    self.tilePixels = tilePixels
    self.convolveStrip = convolveStrip
    self.peak = peak
  }
}
