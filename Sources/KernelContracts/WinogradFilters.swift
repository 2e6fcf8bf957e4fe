/// Up to V filters in a row of output lanes and their transformed values: what `G g Gᵀ` and its adjoint need.
///
/// The taps of lane l are at `filters + l·laneStride + tap` (tap = 3·r + s, or 8 minus that when `turned`), its n² values at
/// `transformed + point·pointStride + l`. Strides count floats.
///
/// - Requires: `matrix` is G, n×3, row by row. All ranges lie inside their buffers and do not overlap; addresses outside may be
///   prefetched.
public struct WinogradFilters {
  /// Read by the filters' transform, written by the gradient's.
  public var filters: UnsafeMutablePointer<Float>
  public var laneStride: Int
  /// Lanes that have a filter; the others count as zero, and are not written.
  public var lanes: Int
  /// Whether the taps are in reverse order: a filter turned by 180°.
  public var turned: Bool
  public var matrix: UnsafePointer<Double>
  /// Written by the filters' transform, read by the gradient's.
  public var transformed: UnsafeMutablePointer<Float>
  public var pointStride: Int
  /// Filters of further channels follow `channelStride` floats apart, their transformed values
  /// `transformedChannelStride` apart.
  public var channels: Int
  public var channelStride: Int
  public var transformedChannelStride: Int

  @inlinable
  public init(
    filters: UnsafeMutablePointer<Float>, laneStride: Int, lanes: Int, turned: Bool, matrix: UnsafePointer<Double>,
    transformed: UnsafeMutablePointer<Float>, pointStride: Int, channels: Int, channelStride: Int,
    transformedChannelStride: Int
  ) {
    self.filters = filters
    self.laneStride = laneStride
    self.lanes = lanes
    self.turned = turned
    self.matrix = matrix
    self.transformed = transformed
    self.pointStride = pointStride
    self.channels = channels
    self.channelStride = channelStride
    self.transformedChannelStride = transformedChannelStride
  }
}
