import KernelContracts
import Problems

/// Transformed weights, `[pair of output vectors][point][source channel][pair's lanes]`, in the order the products read them.
///
/// `@unchecked Sendable`: `given` changes with the weights alone, which happens between runs.
final class WinogradWeights: @unchecked Sendable {
  let storage: AlignedBuffer
  /// A copy of the weights as they were given; `nil` where the caller's stay.
  private let copy: AlignedBuffer?
  /// The weights as they were given, for tiles that overflow.
  private(set) var given: UnsafePointer<Float>

  /// Whether they are too many to stay in the second-level cache from one block of tiles to the next.
  let comesFromAfar: Bool

  /// - Throws: ``ConvolutionError/outOfMemory(name:bytes:)``.
  init(
    _ plan: WinogradPlan, _ weights: UnsafeBufferPointer<Float>, weightsStay: Bool
  ) throws(ConvolutionError) {
    let lanes = plan.destinationVectors * plan.vectorWidth
    let (count, overflow) = lanes.multipliedReportingOverflow(by: plan.points * plan.source.channels)
    guard !overflow else { throw .outOfMemory(name: "transformed weights", bytes: nil) }
    storage = try AlignedBuffer(zeros: count, name: "transformed weights")
    comesFromAfar = Machine.current.comesFromAfar(storage.bytes)
    copy = weightsStay ? nil : try AlignedBuffer(zeros: plan.problem.weightShape.count, name: "weights")
    given = copy.map { UnsafePointer($0.pointer) } ?? weights.baseAddress ?? UnsafePointer(storage.pointer)
  }

  func address(pair: Int, _ plan: WinogradPlan) -> UnsafeMutablePointer<Float> {
    storage.pointer + 2 * pair * plan.vectorWidth * plan.points * plan.source.channels
  }

  /// - Throws: ``ConvolutionError/bufferMismatch(name:expected:found:)``.
  func transform(
    _ weights: UnsafeBufferPointer<Float>, _ plan: WinogradPlan, _ kernels: KernelTable, _ pool: ThreadPool
  ) throws(ConvolutionError) {
    guard weights.count == plan.problem.weightShape.count, let values = weights.baseAddress else {
      throw .bufferMismatch(name: "weights", expected: plan.problem.weightShape.count, found: weights.count)
    }
    if let copy {
      copy.pointer.update(from: values, count: weights.count)
    } else {
      given = values
    }
    // w is K × C × 3 × 3; forward goes from C to K, backward-data from K to C with the taps turned.
    let forward = plan.pass == .forward
    let kStride = plan.problem.inputChannels * 9
    let width = plan.vectorWidth
    plan.filterMatrix.withUnsafeBufferPointer { matrix in
      guard let matrix = matrix.baseAddress else { return }
      pool.run(tasks: plan.destinationVectors) { vector, _ in
        let lanes = min(2, plan.destinationVectors - vector / 2 * 2) * width
        var filters = WinogradFilters(
          filters: UnsafeMutablePointer(mutating: values) + vector * width * (forward ? kStride : 9),
          laneStride: forward ? kStride : 9, lanes: min(width, plan.destination.channels - vector * width),
          turned: !forward, matrix: matrix, transformed: address(pair: vector / 2, plan) + vector % 2 * width,
          pointStride: plan.source.channels * lanes, channels: plan.source.channels,
          channelStride: forward ? 9 : kStride, transformedChannelStride: lanes)
        kernels.winograd.filters(plan.outputTile, &filters)
      }
    }
  }
}
