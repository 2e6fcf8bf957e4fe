import OperatingSystem
import Problems
import Tensors

/// Does nothing with what it is given: the least that an honest engine does of each request, and so the yardstick for the
/// requests in which no work is to be done.
///
/// Between layers it keeps another layout than NCHW, as engines do that are fast: what that costs when operands are loaded and
/// results collected is no work of the operation.
public struct NullEngine: Engine {
  public static let name = "null"

  public let description = EngineDescription(
    name: NullEngine.name, version: "1", operations: [Conv2dProblem.operation, ResNetProblem.operation],
    isBuiltIn: true, trust: .host)

  public init() {}

  public func compute(_ exercise: Exercise) throws(EngineError) -> Answer {
    throw .unsupported("it computes nothing")
  }

  public func prepare(
    _ exercise: Exercise, for timing: TimingRequest
  ) throws(EngineError) -> any PreparedOperation {
    let problem: (any OperationProblem)?
    do throws(ProblemError) { problem = try exercise.problem() } catch { throw EngineError(error) }
    let (name, shape, isGradient): (String, Shape, Bool)
    switch problem {
    case let problem as Conv2dProblem:
      (name, shape, isGradient) =
        switch timing.pass {
        case .backwardData: ("x", problem.inputShape, true)
        case .backwardWeight: ("weight", problem.weightShape, true)
        case .forward, .inference, .trainingStep: ("y", problem.outputShape, false)
        }
    case is ResNetProblem where timing.pass == .trainingStep: (name, shape, isGradient) = ("loss", [], false)
    case let problem as ResNetProblem: (name, shape, isGradient) = ("logits", problem.plan.logitsShape, false)
    default: throw .unsupported("it stands beside convolutions and networks alone")
    }
    return NullOperation(result: (name, shape, isGradient), isNative: timing.layout == .native)
  }
}

private final class NullOperation: PreparedOperation {
  private final class Buffers {
    let inputs: [[Float]]
    var output: [Float]

    init(_ inputs: [[Float]], output: [Float]) {
      self.inputs = inputs
      self.output = output
    }

    func mark() {
      output.withUnsafeMutableBufferPointer { $0.update(repeating: UnwrittenMark.float32) }
    }
  }

  let workspaceBytes = 0
  let summary = "nothing"
  private let result: (name: String, shape: Shape, isGradient: Bool)
  private let isNative: Bool
  private var sets: [Int: Buffers] = [:]
  private var flush = CacheFlush()

  init(result: (name: String, shape: Shape, isGradient: Bool), isNative: Bool) {
    self.result = result
    self.isNative = isNative
  }

  func load(_ operands: LateOperands, set: Int) {
    let tensors = Array(operands.inputs.values) + Array(operands.upstream.values)
    sets[set] = Buffers(
      tensors.map { kept($0) }, output: [Float](repeating: UnwrittenMark.float32, count: result.shape.count))
  }

  /// A copy, channels last where that is the layout between layers.
  private func kept(_ tensor: AnyTensor) -> [Float] {
    let elements = (tensor.floating(as: Float.self) ?? Tensor(shape: tensor.shape, repeating: 0)).elements
    guard isNative, tensor.shape.rank == 4 else { return elements.withUnsafeBufferPointer { Array($0) } }
    return Self.transposed(
      elements, rows: tensor.shape[1], columns: tensor.shape[2] * tensor.shape[3], count: tensor.shape[0])
  }

  private static func transposed(_ elements: [Float], rows: Int, columns: Int, count: Int) -> [Float] {
    [Float](unsafeUninitializedCapacity: elements.count) { target, filled in
      for image in 0..<count {
        let offset = image * rows * columns
        for column in 0..<columns {
          for row in 0..<rows {
            target.initializeElement(
              at: offset + column * rows + row, to: elements[offset + row * columns + column])
          }
        }
      }
      filled = elements.count
    }
  }

  func time(_ run: TimedRun) throws(EngineError) -> [UInt64] {
    for set in Set(run.sets) {
      guard let buffers = sets[set] else { throw notLoaded(set) }
      buffers.mark()
    }
    var durations: [UInt64] = []
    durations.reserveCapacity(run.iterations)
    for _ in 0..<run.iterations {
      if run.cold { flush.flush() }
      let start = ContinuousClock.now
      durations.append(UInt64(max(1, (ContinuousClock.now - start).nanoseconds)))
    }
    return durations
  }

  func collect(set: Int) throws(EngineError) -> Answer {
    guard let held = sets[set] else { throw notLoaded(set) }
    var elements = held.output.withUnsafeBufferPointer { Array($0) }
    if isNative, result.shape.rank == 4 {
      elements = Self.transposed(
        elements, rows: result.shape[2] * result.shape[3], columns: result.shape[1], count: result.shape[0])
    }
    let tensor = AnyTensor.float32(Tensor(shape: result.shape, elements: elements))
    return result.isGradient ? Answer(gradients: [result.name: tensor]) : Answer(outputs: [result.name: tensor])
  }
}
