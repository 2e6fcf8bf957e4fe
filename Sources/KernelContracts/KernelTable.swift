/// The kernels of one instruction set. Each kernel module fills one; everything above calls through it.
///
/// Only pointers and extents cross this line, so that no code shared between the kernel modules could be emitted for
/// the wrong CPU.
public struct KernelTable: Sendable {
  public typealias Input = UnsafePointer<Float>
  public typealias Output = UnsafeMutablePointer<Float>

  /// V: floats in a vector, and channels in a block of a blocked activation.
  public var vectorWidth: Int
  /// Pixels in the largest register tile; rows of half as many or fewer are paired.
  public var tilePixels: Int
  /// See ``ConvolutionStrip``.
  public var convolveStrip: @Sendable (UnsafePointer<ConvolutionStrip>) -> Void
  /// `target[p·block + c] = source[c·channelStride + p]` for p < pixels, c < channels ≤ block.
  public var interleave:
    @Sendable (
      _ source: Input, _ channelStride: Int, _ target: Output, _ block: Int, _ channels: Int, _ pixels: Int
    ) -> Void
  /// `target[c·channelStride + p] = source[p·block + c]` for p < pixels, c < channels ≤ block.
  public var deinterleave:
    @Sendable (
      _ source: Input, _ block: Int, _ target: Output, _ channelStride: Int, _ channels: Int, _ pixels: Int
    ) -> Void
  /// Runs `iterations` rounds of 12 independent multiply-add chains on registers; returns the flop done.
  public var peak: @Sendable (_ iterations: Int) -> Int

  public init(
    vectorWidth: Int, tilePixels: Int, convolveStrip: @escaping @Sendable (UnsafePointer<ConvolutionStrip>) -> Void,
    interleave: @escaping @Sendable (Input, Int, Output, Int, Int, Int) -> Void,
    deinterleave: @escaping @Sendable (Input, Int, Output, Int, Int, Int) -> Void,
    peak: @escaping @Sendable (_ iterations: Int) -> Int
  ) {
    self.vectorWidth = vectorWidth
    self.tilePixels = tilePixels
    self.convolveStrip = convolveStrip
    self.interleave = interleave
    self.deinterleave = deinterleave
    self.peak = peak
  }
}
