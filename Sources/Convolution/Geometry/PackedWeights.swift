import KernelContracts
import Problems

/// A gather's weights in the order its strips read them: `[phase][group][pair][segment][channel][pair's lanes]`,
/// lanes past the last output channel zero; and the epilogue's vectors, `[group][vector][lane]`.
struct PackedWeights {
  let storage: AlignedBuffer
  let scale: AlignedBuffer?
  let shift: AlignedBuffer?
  /// Whether they must not be multiplied with zeros that are no terms, because 0·∞ is NaN.
  private(set) var mustSkipHalo = false

  /// Whether they are too many to stay in the second-level cache from one layer, or one block of pixels, to the next.
  let comesFromAfar: Bool

  /// Whether strips ask for a later one's.
  let areAskedFor: Bool

  init(_ plan: GatherPlan, _ epilogue: ConvolutionEpilogue) throws(ConvolutionError) {
    storage = try AlignedBuffer(zeros: plan.weightCount, name: "packed weights")
    comesFromAfar = Machine.current.comesFromAfar(storage.bytes)
    areAskedFor = Machine.current.asksAhead(forWeights: storage.bytes)
    let channels = plan.destinationChannels * plan.groups
    scale = try Self.lanes(epilogue.scale, plan, channels, "scale")
    shift = try Self.lanes(epilogue.shift, plan, channels, "shift")
  }

  private static func lanes(
    _ values: [Float]?, _ plan: GatherPlan, _ channels: Int, _ name: String
  ) throws(ConvolutionError) -> AlignedBuffer? {
    guard let values else { return nil }
    guard values.count == channels else {
      throw .bufferMismatch(name: "epilogue \(name)", expected: channels, found: values.count)
    }
    let lanes = plan.destinationVectors * plan.vectorWidth
    let buffer = try AlignedBuffer(zeros: plan.groups * lanes, name: name)
    for channel in 0..<channels {
      let group = channel / plan.destinationChannels
      buffer.pointer[group * lanes + channel % plan.destinationChannels] = values[channel]
    }
    return buffer
  }

  /// - Throws: ``ConvolutionError/bufferMismatch(name:expected:found:)``.
  mutating func pack(
    _ weights: UnsafeBufferPointer<Float>, _ plan: GatherPlan, _ kernels: KernelTable, _ pool: ThreadPool
  ) throws(ConvolutionError) {
    guard weights.count == plan.problem.weightShape.count, let values = weights.baseAddress else {
      throw .bufferMismatch(name: "weights", expected: plan.problem.weightShape.count, found: weights.count)
    }
    let target = storage.pointer
    mustSkipHalo = plan.readsZerosOfItsOwn && weights.hasNonFinite
    let pairs = (plan.destinationVectors + 1) / 2
    for phase in plan.phases {
      pool.run(tasks: plan.groups * pairs) { task, _ in
        Self.packPair(values, target, plan, phase, kernels, group: task / pairs, vector: task % pairs * 2)
      }
    }
  }

  /// A pair of vectors' weights: those of a block of source channels are brought into lanes at once, whose taps then go to their
  /// places as vectors.
  private static func packPair(
    _ weights: UnsafePointer<Float>, _ target: UnsafeMutablePointer<Float>, _ plan: GatherPlan,
    _ phase: GatherPlan.Phase, _ kernels: KernelTable, group: Int, vector: Int
  ) {
    let problem = plan.problem
    let area = problem.kernelSize.height * problem.kernelSize.width
    let forward = plan.pass == .forward
    // w is K × C/groups × R × S; forward gathers from C into K, backward from K into C.
    let perK = problem.inputChannels / problem.groups * area
    let outputStep = forward ? perK : area
    let first = forward ? group * plan.destinationChannels * perK : group * plan.sourceChannels * perK
    let lanes = plan.vectors(at: vector) * plan.vectorWidth
    let firstOutput = vector * plan.vectorWidth
    let outputs = min(lanes, plan.destinationChannels - firstOutput)
    var position = target + plan.weightOffset(phase, group: group, vector: vector)
    let base = weights + first + firstOutput * outputStep
    let block = plan.source.block
    if area == 1, phase.geometry.taps.count == 1 {
      // The terms are the channels in their order; lanes past the last output channel keep their zeros.
      if forward {
        kernels.interleave(base, perK, position, lanes, outputs, plan.sourceChannels)
      } else {
        for channel in 0..<plan.sourceChannels {
          (position + channel * lanes).update(from: base + channel * perK, count: outputs)
        }
      }
      return
    }
    withUnsafeTemporaryAllocation(of: Float.self, capacity: block * area * lanes) { memory in
      guard let inLanes = memory.baseAddress else { return }
      if outputs < lanes { inLanes.initialize(repeating: 0, count: memory.count) }
      var filled = -1
      plan.forEachTerm(of: phase) { tap, channel in
        if channel / block != filled {
          filled = channel / block
          let channels = min(block, plan.sourceChannels - filled * block)
          if forward {
            // The taps of a filter's channels follow one another.
            kernels.interleave(
              base + filled * block * area, perK, inLanes, lanes, outputs, channels * area)
          } else {
            for source in 0..<channels {
              kernels.interleave(
                base + (filled * block + source) * perK, area, inLanes + source * area * lanes, lanes, outputs, area)
            }
          }
        }
        let term = (channel - filled * block) * area + tap.r * problem.kernelSize.width + tap.s
        position.update(from: inLanes + term * lanes, count: lanes)
        position += lanes
      }
    }
  }
}
