/// The kernels of one instruction set. Each kernel module fills one; everything above calls through it.
///
/// Only pointers and extents cross this line, so that no code shared between the kernel modules could be emitted for
/// the wrong CPU.
public struct KernelTable: Sendable {
  public typealias Input = UnsafePointer<Float>
  public typealias Output = UnsafeMutablePointer<Float>

  /// V: floats in a vector, and channels in a block of a blocked activation.
  public var vectorWidth: Int
  /// Pixels in the largest register tile.
  public var tilePixels: Int
  /// Segments of V channels whose weights for a pair of output vectors stay in the first-level cache while pixels pass.
  public var panelSegments: Int
  /// Whether operands that are in the second-level cache should be asked for before a tile reads them.
  public var fetchesWhatIsNear: Bool
  /// See ``ConvolutionStrip``.
  public var convolveStrip: @Sendable (UnsafePointer<ConvolutionStrip>) -> Void
  /// See ``GradientStrip``.
  public var accumulateGradient: @Sendable (UnsafePointer<GradientStrip>) -> Void
  /// See ``PanelStrip``.
  public var multiplyPanels: @Sendable (UnsafePointer<PanelStrip>) -> Void
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
  /// `target[p·targetStep + c] = source[p·sourceStep + c]` for p < pixels, c < lanes.
  public var copyLanes:
    @Sendable (
      _ source: Input, _ sourceStep: Int, _ target: Output, _ targetStep: Int, _ lanes: Int, _ pixels: Int
    ) -> Void
  /// Copies `pixels` vectors, `sourceStride` floats apart, to consecutive ones: a tap of a channel block of im2col.
  public var gatherVectors: @Sendable (_ source: Input, _ sourceStride: Int, _ target: Output, _ pixels: Int) -> Void
  /// im2col for fewer channels than V. The segments at `source + p·sourceStride + segments[i]`, `wholeCount` of V floats and
  /// then `shortCount` of `shortLength`, become one row, cut into vectors; vector v of `first..<first + count` goes to
  /// `target + (v − first)·vectorStride + p·V`. `row` is scratch for a row rounded up to V floats, zeros past its end.
  public var gatherSegments:
    @Sendable (
      _ source: Input, _ sourceStride: Int, _ segments: UnsafePointer<Int>, _ wholeCount: Int, _ shortCount: Int,
      _ shortLength: Int, _ row: Output, _ target: Output, _ vectorStride: Int, _ first: Int, _ count: Int,
      _ pixels: Int
    ) -> Void
  /// Copies NCHW pixels to panels of 2V pixels: with `place = first + p`, `target[place / 2V·panelStride + c·2V + place mod 2V]
  /// = source[c·channelStride + p·pixelStride]` for c < channels, p < pixels.
  public var gatherPixels:
    @Sendable (
      _ source: Input, _ channelStride: Int, _ pixelStride: Int, _ target: Output, _ panelStride: Int, _ first: Int,
      _ channels: Int, _ pixels: Int
    ) -> Void
  /// Asks for `floats` floats of each of `rows` rows, `stride` apart, that will be read later; the addresses need not be valid.
  public var fetchRows: @Sendable (_ source: Input, _ stride: Int, _ rows: Int, _ floats: Int) -> Void
  /// The largest element of each window, lane by lane; NaN where the window has one. See ``PoolStrip``.
  public var maximaOfWindows: @Sendable (UnsafePointer<PoolStrip>) -> Void
  /// The sum of each window times a factor. See ``PoolStrip``.
  public var sumsOfWindows: @Sendable (UnsafePointer<PoolStrip>, _ scale: Float) -> Void
  public var winograd: WinogradKernels
  public var training: TrainingKernels
  /// Runs `iterations` rounds of 12 independent multiply-add chains on registers; returns the flop done.
  public var peak: @Sendable (_ iterations: Int) -> Int

  public init(
    vectorWidth: Int, tilePixels: Int, panelSegments: Int, fetchesWhatIsNear: Bool,
    convolveStrip: @escaping @Sendable (UnsafePointer<ConvolutionStrip>) -> Void,
    accumulateGradient: @escaping @Sendable (UnsafePointer<GradientStrip>) -> Void,
    multiplyPanels: @escaping @Sendable (UnsafePointer<PanelStrip>) -> Void,
    interleave: @escaping @Sendable (Input, Int, Output, Int, Int, Int) -> Void,
    deinterleave: @escaping @Sendable (Input, Int, Output, Int, Int, Int) -> Void,
    copyLanes: @escaping @Sendable (Input, Int, Output, Int, Int, Int) -> Void,
    gatherVectors: @escaping @Sendable (Input, Int, Output, Int) -> Void,
    gatherSegments:
      @escaping @Sendable (Input, Int, UnsafePointer<Int>, Int, Int, Int, Output, Output, Int, Int, Int, Int) -> Void,
    gatherPixels: @escaping @Sendable (Input, Int, Int, Output, Int, Int, Int, Int) -> Void,
    fetchRows: @escaping @Sendable (Input, Int, Int, Int) -> Void,
    maximaOfWindows: @escaping @Sendable (UnsafePointer<PoolStrip>) -> Void,
    sumsOfWindows: @escaping @Sendable (UnsafePointer<PoolStrip>, _ scale: Float) -> Void,
    winograd: WinogradKernels, training: TrainingKernels, peak: @escaping @Sendable (_ iterations: Int) -> Int
  ) {
    self.vectorWidth = vectorWidth
    self.tilePixels = tilePixels
    self.panelSegments = panelSegments
    self.fetchesWhatIsNear = fetchesWhatIsNear
    self.convolveStrip = convolveStrip
    self.accumulateGradient = accumulateGradient
    self.multiplyPanels = multiplyPanels
    self.interleave = interleave
    self.deinterleave = deinterleave
    self.copyLanes = copyLanes
    self.gatherVectors = gatherVectors
    self.gatherSegments = gatherSegments
    self.gatherPixels = gatherPixels
    self.fetchRows = fetchRows
    self.maximaOfWindows = maximaOfWindows
    self.sumsOfWindows = sumsOfWindows
    self.winograd = winograd
    self.training = training
    self.peak = peak
  }
}
