import Engines
import Problems
import Tensors

/// One problem to take derivatives of, and what kind of values to take them at.
public struct GradientCase: Sendable, Hashable {
  public enum Fill: String, Sendable, Hashable, CaseIterable {
    /// Independent values in [−2, 2], all different: no kink is met exactly.
    case random
    /// Many exact zeros and equal values: every window has a tie, every ReLU a zero.
    case ties
    /// Mean 1000, deviation 1.
    case shifted
    /// Logits up to ±30: softmax saturates.
    case saturated
    /// Deviation 1/100: eps weighs.
    case narrow
    /// Denormal in single precision: what underflows is rounded otherwise than the rest.
    case denormal
  }

  public var text: String
  public var fill: Fill

  public init(_ text: String, _ fill: Fill = .random) {
    self.text = text
    self.fill = fill
  }

  public var operation: String { String(text.prefix { $0 != " " }) }

  public var name: String { fill == .random ? text : "\(text) (\(fill.rawValue))" }

  /// The operands and class indices of the problem. All values are representable in float32.
  public static func operands(
    of problem: any OperationProblem, fill: Fill, seed: UInt64
  ) -> (operands: NamedTensors, classIndices: Tensor<Int64>?) {
    var operands: NamedTensors = [:]
    let types = problem.operands
    var stream = SplitMix64.mix(seed ^ 0x0FE2)
    func next(_ shape: Shape, _ low: Double, _ high: Double) -> Tensor<Double> {
      stream = SplitMix64.mix(stream &+ 1)
      return Tensor<Float>(splitMix64Uniform: shape, seed: stream, low: low, high: high).map {
        Double($0)
      }
    }
    for (name, type) in types.inputs.sorted(by: { $0.key < $1.key }) where type.dtype != .int64 {
      let values = next(type.shape, -2, 2)
      operands[name] =
        switch fill {
        case .random: values
        case .ties: values.map { $0.rounded() }
        case .shifted: values.map { Double(Float(1000 + $0)) }
        case .saturated: values.map { Double(Float(15 * $0)) }
        case .narrow: values.map { $0 * 0x1p-7 }
        case .denormal: values.map { Double(Float($0 * 0x1p-132)) }
        }
    }
    if let problem = problem as? CrossEntropyProblem, problem.hasProbabilityTargets {
      operands["target"] = probabilities(next(problem.inputShape, 0.1, 1), classes: problem.classes)
    }
    let isNormalisation = problem is BatchNorm2dProblem || problem is CrossEntropyProblem
    for (name, type) in types.parameters.sorted(by: { $0.key < $1.key }) {
      let isScale =
        isNormalisation && name == "weight" || problem is any LayeredProblem && type.shape.rank == 1
      // Convolutions of a network are scaled so that activations neither die out nor grow.
      let fanIn = Double(max(type.shape.dimensions.dropFirst().reduce(1, *), 1))
      let reach = problem is any LayeredProblem ? (6 / fanIn).squareRoot() : 1
      operands[name] =
        isScale && !name.hasSuffix("bias")
        ? next(type.shape, 0.5, 1.5) : next(type.shape, -reach, reach)
    }
    for (name, type) in types.buffers.sorted(by: { $0.key < $1.key }) where type.dtype != .int64 {
      operands[name] =
        name.hasSuffix("running_var") ? next(type.shape, 0.5, 2) : next(type.shape, -1, 1)
    }
    return (operands, classIndices(problem, seed: stream))
  }

  private static func probabilities(_ values: Tensor<Double>, classes: Int) -> Tensor<Double> {
    var target = values
    for row in stride(from: 0, to: target.count, by: classes) {
      let sum = values.elements[row..<row + classes].reduce(0, +)
      for c in row..<row + classes { target.elements[c] = Double(Float(values.elements[c] / sum)) }
    }
    return target
  }

  /// Each row a class, and every fourth row ignored where there are rows enough.
  private static func classIndices(_ problem: any OperationProblem, seed: UInt64) -> Tensor<Int64>? {
    guard let problem = problem as? CrossEntropyProblem, !problem.hasProbabilityTargets else {
      return nil
    }
    var random = SplitMix64(seed: seed)
    let indices = (0..<problem.batch).map { row in
      row % 4 == 3 ? Int64(problem.ignoreIndex) : Int64(random.next() % UInt64(problem.classes))
    }
    return Tensor(shape: Shape(problem.batch), elements: indices)
  }

  /// The exercise that asks an engine for this case.
  package static func exercise(
    _ name: String, problem: any OperationProblem, operands: NamedTensors,
    classIndices: Tensor<Int64>?, dtype: DType
  ) -> Exercise {
    let types = problem.operands
    func group(_ types: [String: TensorType]) -> [String: AnyTensor] {
      var tensors: [String: AnyTensor] = [:]
      for (name, type) in types {
        if let tensor = operands[name] {
          tensors[name] = AnyTensor.float64(tensor).converted(to: dtype)
        } else if let classIndices, name == "target" {
          tensors[name] = .int64(classIndices)
        } else if type.dtype == .int64 {
          // `num_batches_tracked`: no derivative depends on it.
          tensors[name] = .int64(Tensor(shape: type.shape, repeating: 0))
        }
      }
      return tensors
    }
    return Exercise(
      name: name, operation: type(of: problem).operation, attributes: problem.attributes,
      inputs: group(types.inputs), parameters: group(types.parameters),
      buffers: group(types.buffers), dtype: dtype)
  }

  /// The check of this case against an engine; the reference's own generic backward when there is none.
  /// - Parameters:
  ///   - engine: whose backward pass is checked; the reference's when there is none.
  ///   - precision: the arithmetic of the backward pass.
  ///   - options: how derivatives are determined.
  ///   - spoilt: an element of a gradient (`weight[3, 0, 1, 2]`) or a layer of a network (`layer2.0.conv2`) to make
  ///     wrong, which shows what a failure looks like.
  /// - Throws: `ProblemError` for a text that is not a problem, or a defect that names nothing.
  public func check(
    engine: (any Engine)? = nil, precision: DType = .float64, options: GradientCheck.Options, spoilt: String? = nil
  ) throws(ProblemError) -> GradientCheck {
    let problem = try Problem.parse(text)
    let (operands, classIndices) = Self.operands(of: problem, fill: fill, seed: options.seed)
    let exercise = Self.exercise(
      text, problem: problem, operands: operands, classIndices: classIndices, dtype: precision)
    var function: CheckedFunction
    var network = ReferenceNetwork(problem)
    if problem is ResNetProblem {
      // In a whole network some gate is always within a step, and roundings open and close others.
      do {
        let gates = try network?.gates(at: operands)
        network?.gates = gates
      } catch {
        throw ProblemError(
          .invalidArgument, text, expected: "a network that can be run", found: "\(error)")
      }
    }
    let defect = try spoilt.map { text throws(ProblemError) in try GradientDefect(text) }
    if let defect, defect.index == nil { try defect.apply(to: &network) }
    switch (network, engine) {
    case (let network?, let engine?):
      function = CheckedFunction(
        engine: engine, exercise: exercise, network: network, operands: operands,
        work: problem.multiplyAccumulates)
    case (let network?, nil):
      function = CheckedFunction(
        network, name: name, operands: operands, work: problem.multiplyAccumulates,
        precision: precision)
    case (nil, let engine?):
      function = CheckedFunction(
        engine: engine, exercise: exercise, problem: problem, operands: operands)
    case (nil, nil):
      function = CheckedFunction(
        ReferenceLayer(problem, classIndices: classIndices), operands: operands,
        precision: precision)
    }
    function.name = name
    function.hasIndependentOperands = fill == .random
    if let defect, defect.index != nil { try defect.apply(to: &function) }
    var options = options
    if problem is ResNetProblem {
      // Every tensor by projections: eight of them share a pass, where single elements of each would take one more.
      options.workLimit = 0
    }
    return GradientCheck(function, options: options)
  }
}
