import Convolution
import Engines
import Operations
import Problems
import Tensors

/// A convolution strategy as an engine: what is verified is what is timed.
public struct ConvolutionEngine: Engine {
  private let strategy: any ConvolutionStrategy
  public let description: EngineDescription

  /// - Parameters:
  ///   - strategy: what computes the convolutions.
  ///   - algorithms: which error bounds hold for it: the strategy's own name, or those that it chooses from.
  public init(_ strategy: any ConvolutionStrategy, algorithms: [String]? = nil) {
    self.strategy = strategy
    let names = algorithms ?? [strategy.name]
    description = EngineDescription(
      name: strategy.name, version: "1", operations: [Conv2dProblem.operation], dtypes: [.float32],
      omits: Self.omits(strategy), isBuiltIn: true,
      algorithms: [Conv2dProblem.operation: OperationAlgorithm(Set(names.map { SumAlgorithm(named: $0) }))],
      info: [EngineMessages.algorithmKey: names.joined(separator: " ")], trust: .host)
  }

  /// A pass that the strategy never does is declared, so that its other passes are still verified.
  private static func omits(_ strategy: any ConvolutionStrategy) -> Set<String> {
    let usual = [(kernel: 1, padding: 0), (kernel: 3, padding: 1)].compactMap {
      try? Conv2dProblem(
        batch: 1, inputChannels: 16, inputSize: 8, outputChannels: 16, kernelSize: Pair($0.kernel),
        padding: .explicit(Pair($0.padding)))
    }
    let passes: [(ConvolutionPass, String)] = [(.backwardData, "gradients/x"), (.backwardWeights, "gradients/weight")]
    return Set(
      passes.filter { pass in usual.allSatisfy { strategy.unsupportedReason($0, pass.0) != nil } }.map(\.1))
  }

  public func compute(_ exercise: Exercise) throws(EngineError) -> Answer {
    let (problem, given) = try given(by: exercise)
    var answer = Answer()
    let wanted = exercise.wanted.isEmpty ? everything(for: exercise) : exercise.wanted
    if exercise.passes.contains(.forward), wanted.contains("outputs/y") {
      let run = try ConvolutionRun(strategy, problem, .forward, given, layout: .nchw)
      answer.outputs["y"] = .float32(try run.result(of: exercise.late))
    }
    guard exercise.passes.contains(.backward), !exercise.upstream.isEmpty else { return answer }
    if wanted.contains("gradients/x") {
      let run = try ConvolutionRun(strategy, problem, .backwardData, given, layout: .nchw)
      answer.gradients["x"] = .float32(try run.result(of: exercise.late))
    }
    if wanted.contains("gradients/weight") {
      let run = try ConvolutionRun(strategy, problem, .backwardWeights, given, layout: .nchw)
      answer.gradients["weight"] = .float32(try run.result(of: exercise.late))
    }
    if wanted.contains("gradients/bias"), let upstream = given.upstream["y"] {
      answer.gradients["bias"] = .float32(Self.biasGradient(upstream))
    }
    return answer
  }

  /// What an empty `wanted` means: whatever the strategy gives of the passes that are asked for.
  private func everything(for exercise: Exercise) -> Set<String> {
    let operands = ["x", "weight"] + (exercise.parameters["bias"] == nil ? [] : ["bias"])
    return Set(["outputs/y"] + operands.map { "gradients/" + $0 }).subtracting(description.omits)
  }

  /// dBias[k] = Σ over n, p, q of dy[n,k,p,q]; no strategy has a part in it.
  private static func biasGradient(_ upstream: Tensor<Float>) -> Tensor<Float> {
    let (channels, plane) = (upstream.shape[1], upstream.shape[2] * upstream.shape[3])
    var sums = [Double](repeating: 0, count: channels)
    for (index, value) in upstream.elements.enumerated() { sums[index / plane % channels] += Double(value) }
    return Tensor(shape: [channels], elements: sums.map { Float($0) })
  }

  public func prepare(_ exercise: Exercise, for timing: TimingRequest) throws(EngineError) -> any PreparedOperation {
    let pass: ConvolutionPass
    switch timing.pass {
    case .forward, .inference: pass = .forward
    case .backwardData: pass = .backwardData
    case .backwardWeight: pass = .backwardWeights
    case .trainingStep: throw .unsupported("a training step needs a network; this engine computes single convolutions")
    }
    var timed = exercise
    timed.threads = timing.threads
    let (problem, given) = try given(by: timed)
    return ConvolutionOperation(try ConvolutionRun(strategy, problem, pass, given, layout: timing.layout))
  }

  private func given(by exercise: Exercise) throws(EngineError) -> (Conv2dProblem, Given<Float>) {
    let problem: any OperationProblem
    do throws(ProblemError) {
      guard let known = try exercise.problem() else { throw unknown(exercise) }
      problem = known
    } catch { throw EngineError(error) }
    guard let problem = problem as? Conv2dProblem else {
      throw .unsupported("\(strategy.name) computes conv2d, not \(exercise.operation)")
    }
    guard exercise.dtype == .float32 else { throw .unsupported("\(strategy.name) computes in float32") }
    return (problem, Given(exercise, problem.operands))
  }

  private func unknown(_ exercise: Exercise) -> ProblemError {
    ProblemError(.invalidArgument, "operation", expected: Conv2dProblem.operation, found: "'\(exercise.operation)'")
  }
}
