import Problems

/// A gather's weights in the order its strips read them: `[phase][group][pair][segment][channel][pair's lanes]`,
/// lanes past the last output channel zero; and the epilogue's vectors, `[group][vector][lane]`.
struct PackedWeights {
  let storage: AlignedBuffer
  let scale: AlignedBuffer?
  let shift: AlignedBuffer?
  /// Whether a weight is infinite or NaN: see ``GatherPlan/mustSkipHalo(_:)``.
  private(set) var hasNonFinite = false

  /// Whether they are too many to stay in the second-level cache from one layer, or one block of pixels, to the next.
  let comesFromAfar: Bool

  init(_ plan: GatherPlan, _ epilogue: ConvolutionEpilogue) throws(ConvolutionError) {
    storage = try AlignedBuffer(zeros: plan.weightCount, name: "packed weights")
    comesFromAfar = Machine.current.comesFromAfar(storage.bytes)
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
    _ weights: UnsafeBufferPointer<Float>, _ plan: GatherPlan, _ pool: ThreadPool
  ) throws(ConvolutionError) {
    guard weights.count == plan.problem.weightShape.count, let values = weights.baseAddress else {
      throw .bufferMismatch(name: "weights", expected: plan.problem.weightShape.count, found: weights.count)
    }
    let target = storage.pointer
    hasNonFinite = weights.hasNonFinite
    let pairs = (plan.destinationVectors + 1) / 2
    for phase in plan.phases {
      pool.run(tasks: plan.groups * pairs) { task, _ in
        Self.packPair(values, target, plan, phase, group: task / pairs, vector: task % pairs * 2)
      }
    }
  }

  private static func packPair(
    _ weights: UnsafePointer<Float>, _ target: UnsafeMutablePointer<Float>, _ plan: GatherPlan,
    _ phase: GatherPlan.Phase, group: Int, vector: Int
  ) {
    let problem = plan.problem
    let area = problem.kernelSize.height * problem.kernelSize.width
    let forward = plan.pass == .forward
    // w is K × C/groups × R × S; forward gathers from C into K, backward from K into C.
    let perK = problem.inputChannels / problem.groups * area
    let outputStep = forward ? perK : area
    let inputStep = forward ? area : perK
    let first = forward ? group * plan.destinationChannels * perK : group * plan.sourceChannels * perK
    let lanes = plan.vectors(at: vector) * plan.vectorWidth
    let firstOutput = vector * plan.vectorWidth
    let outputs = min(lanes, plan.destinationChannels - firstOutput)
    var position = target + plan.weightOffset(phase, group: group, vector: vector)
    let base = weights + first + firstOutput * outputStep
    plan.forEachTerm(of: phase) { tap, channel in
      let from = base + tap.r * problem.kernelSize.width + tap.s + channel * inputStep
      for lane in 0..<outputs { position[lane] = from[lane * outputStep] }
      position += lanes
    }
  }
}
