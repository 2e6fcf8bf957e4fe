import OperatingSystem
import Operations
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
    name: NullEngine.name, version: "1", operations: OperationRegistry.names, isBuiltIn: true, trust: .host)

  public init() {}

  public func compute(_ exercise: Exercise) throws(EngineError) -> Answer {
    throw .unsupported("it computes nothing")
  }

  public func prepare(
    _ exercise: Exercise, for timing: TimingRequest
  ) throws(EngineError) -> any PreparedOperation {
    let problem: (any OperationProblem)?
    do throws(ProblemError) { problem = try exercise.problem() } catch { throw EngineError(error) }
    guard let problem else { throw .unsupported("no operation here is called \(exercise.operation)") }
    return NullOperation(results: timing.pass.results(of: problem), isNative: timing.layout == .native)
  }
}

private final class NullOperation: PreparedOperation {
  private final class Buffers {
    let inputs: [[Float]]
    /// By path.
    var outputs: [String: [Float]]
    /// Of those that are numbers of elements.
    var integers: [String: [Int64]]

    init(_ inputs: [[Float]], _ results: [String: TensorType]) {
      self.inputs = inputs
      outputs = results.filter { $0.value.dtype != .int64 }.mapValues {
        [Float](repeating: UnwrittenMark.float32, count: $0.shape.count)
      }
      integers = results.filter { $0.value.dtype == .int64 }.mapValues { [Int64](repeating: -1, count: $0.shape.count) }
    }

    func mark() {
      for path in outputs.keys {
        outputs[path]?.withUnsafeMutableBufferPointer { $0.update(repeating: UnwrittenMark.float32) }
      }
      for path in integers.keys { integers[path]?.withUnsafeMutableBufferPointer { $0.update(repeating: -1) } }
    }
  }

  let workspaceBytes = 0
  let summary = "nothing"
  private let results: [String: TensorType]
  private let isNative: Bool
  private var sets: [Int: Buffers] = [:]
  private var flush = CacheFlush()

  init(results: [String: TensorType], isNative: Bool) {
    self.results = results
    self.isNative = isNative
  }

  func load(_ operands: LateOperands, set: Int) {
    let tensors = Array(operands.inputs.values) + Array(operands.upstream.values)
    sets[set] = Buffers(tensors.map { kept($0) }, results)
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
    var answer = Answer()
    for (path, type) in results {
      if let integers = held.integers[path] {
        answer[path] = .int64(Tensor(shape: type.shape, elements: integers.withUnsafeBufferPointer { Array($0) }))
        continue
      }
      guard var elements = held.outputs[path]?.withUnsafeBufferPointer({ Array($0) }) else { continue }
      if isNative, type.shape.rank == 4 {
        elements = Self.transposed(
          elements, rows: type.shape[2] * type.shape[3], columns: type.shape[1], count: type.shape[0])
      }
      answer[path] = .float32(Tensor(shape: type.shape, elements: elements))
    }
    return answer
  }
}
