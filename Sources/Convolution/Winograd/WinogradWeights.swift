import KernelContracts
import Problems

/// Transformed weights, `[pair of output vectors][point][source channel][pair's lanes]`, in the order the products read them:
/// all pairs, or of one pair a thread some source channels, which the thread transforms when it gets there.
///
/// `@unchecked Sendable`: `given` changes with the weights alone, which happens between runs.
final class WinogradWeights: @unchecked Sendable {
  let storage: AlignedBuffer
  /// A copy of the weights as they were given; `nil` where the caller's stay.
  private let copy: AlignedBuffer?
  /// The weights as they were given, for tiles that overflow.
  private(set) var given: UnsafePointer<Float>

  /// Source channels that a pair's points hold.
  private let channels: Int
  /// Whether strips ask for a later one's.
  let areAskedFor: Bool

  /// - Parameters:
  ///   - plan: the convolution.
  ///   - weights: as they are given.
  ///   - weightsStay: whether their memory is the caller's as long as this is used.
  ///   - whereUsed: how many threads transform a pair at a time, and so many of its source channels; `nil`: all pairs are
  ///     transformed beforehand.
  /// - Throws: ``ConvolutionError/outOfMemory(name:bytes:)``.
  init(
    _ plan: WinogradPlan, _ weights: UnsafeBufferPointer<Float>, weightsStay: Bool,
    whereUsed: (workers: Int, channels: Int)?
  ) throws(ConvolutionError) {
    channels = whereUsed?.channels ?? plan.source.channels
    let lanes = whereUsed.map { $0.workers * 2 * plan.vectorWidth } ?? plan.destinationVectors * plan.vectorWidth
    let (count, overflow) = lanes.multipliedReportingOverflow(by: plan.points * Self.rows(channels))
    guard !overflow else { throw .outOfMemory(name: "transformed weights", bytes: nil) }
    storage = try AlignedBuffer(zeros: count, name: "transformed weights")
    // What a thread has just transformed is near, if its cache holds it.
    let bytes = storage.bytes
    areAskedFor =
      whereUsed.map { Machine.current.comesFromAfar(bytes / $0.workers) }
      ?? Machine.current.asksAhead(forWeights: bytes)
    copy = weightsStay ? nil : try AlignedBuffer(zeros: plan.problem.weightShape.count, name: "weights")
    given = copy.map { UnsafePointer($0.pointer) } ?? weights.baseAddress ?? UnsafePointer(storage.pointer)
  }

  /// Rows of a point's weights: one more than there are channels, so that the points do not all fall on the same cache sets.
  static func rows(_ channels: Int) -> Int { channels + 1 }

  /// Where a pair's weights are, or, where each thread transforms its own, those of a thread.
  func address(pair: Int, _ plan: WinogradPlan) -> UnsafeMutablePointer<Float> {
    storage.pointer + 2 * pair * plan.vectorWidth * plan.points * Self.rows(channels)
  }

  /// Takes other weights; `transform(pair:channels:to:_:_:)` then goes by them.
  /// - Throws: ``ConvolutionError/bufferMismatch(name:expected:found:)``.
  func set(_ weights: UnsafeBufferPointer<Float>, _ plan: WinogradPlan) throws(ConvolutionError) {
    guard weights.count == plan.problem.weightShape.count, let values = weights.baseAddress else {
      throw .bufferMismatch(name: "weights", expected: plan.problem.weightShape.count, found: weights.count)
    }
    if let copy {
      copy.pointer.update(from: values, count: weights.count)
    } else {
      given = values
    }
  }

  /// Transforms the weights of a pair of output vectors with some source channels.
  func transform(
    pair: Int, channels: Range<Int>, to transformed: UnsafeMutablePointer<Float>, _ plan: WinogradPlan,
    _ kernels: KernelTable
  ) {
    // w is K × C × 3 × 3; forward goes from C to K, backward-data from K to C with the taps turned.
    let forward = plan.pass == .forward
    let kStride = plan.problem.inputChannels * 9
    let channelStride = forward ? 9 : kStride
    let width = plan.vectorWidth
    let vectors = plan.vectors(of: pair)
    plan.filterMatrix.withUnsafeBufferPointer { matrix in
      guard let matrix = matrix.baseAddress else { return }
      for number in 0..<vectors {
        let channel = (2 * pair + number) * width
        var filters = WinogradFilters(
          filters: UnsafeMutablePointer(mutating: given) + channel * (forward ? kStride : 9)
            + channels.lowerBound * channelStride,
          laneStride: forward ? kStride : 9, lanes: min(width, plan.destination.channels - channel), turned: !forward,
          matrix: matrix, transformed: transformed + number * width,
          pointStride: Self.rows(channels.count) * vectors * width, channels: channels.count,
          channelStride: channelStride, transformedChannelStride: vectors * width)
        kernels.winograd.filters(plan.outputTile, &filters)
      }
    }
  }
}
