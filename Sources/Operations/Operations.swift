import Problems

/// Every operation of the golden format. One line here makes an operation known everywhere.
public enum OperationRegistry {
  public static let all: [any Operation.Type] = [
    Conv2d.self,
    ConvTranspose2d.self,
    Linear.self,
    BatchNorm2d.self,
    GroupNorm.self,
    LayerNorm.self,
    ReLU.self,
    SiLU.self,
    GELU.self,
    Identity.self,
    Dropout.self,
    Flatten.self,
    Add.self,
    ScaledAdd.self,
    Softmax.self,
    LogSoftmax.self,
    MaxPool2d.self,
    AvgPool2d.self,
    AdaptiveAvgPool2d.self,
    Upsample2d.self,
    CrossEntropy.self,
    BasicBlock.self,
    Bottleneck.self,
    ResidualBlock.self,
    ResNet.self,
    SGDStep.self,
    AdamStep.self,
    AdamWStep.self,
    TrainingRun.self,
  ]

  private static let byName = Dictionary(uniqueKeysWithValues: all.map { ($0.name, $0) })

  public static var names: Set<String> { Set(byName.keys) }

  /// - Returns: `nil` for a custom operation.
  public static func type(named name: String) -> (any Operation.Type)? { byName[name] }

  /// - Requires: a problem of an operation that is registered.
  public static func definition(of problem: any OperationProblem) -> any Operation {
    let name = Swift.type(of: problem).operation
    guard let definition = byName[name].flatMap({ $0.init(any: problem) }) else {
      preconditionFailure("\(name) has no line in OperationRegistry")
    }
    return definition
  }

  /// The validated operation of an exercise; `nil` for a custom one, which has no rules to hold it to.
  /// - Throws: ``Problems/ProblemError``.
  public static func operation(of exercise: Exercise) throws(ProblemError) -> (any Operation)? {
    try exercise.problem().map { definition(of: $0) }
  }

  /// Defects of all operations. What several list under one name is one defect, which each has in its own form.
  public static let mutants = Mutant.joined(all.flatMap { $0.mutants.value ?? [] })
  /// No defects, in the form of some: correct layers put together correctly, by the means of the defects. They must pass.
  public static let controls = Mutant.joined([BasicBlock.control, Bottleneck.control])

  public static let gradientCases: [GradientCase] = all.flatMap { $0.gradientCases.value ?? [] }
  public static let calibrationProblems: [CalibrationProblem] = all.flatMap { $0.calibrationProblems.value ?? [] }
}

extension OperationProblem {
  /// What is known of the operation that this is a problem of.
  public var definition: any Operation { OperationRegistry.definition(of: self) }

  /// Whether results are sums of products of an input's elements with a parameter's.
  public var isSumOfProducts: Bool {
    let factors = definition.linearity.operands
    return !factors.isDisjoint(with: operands.inputs.keys) && !factors.isDisjoint(with: operands.parameters.keys)
  }
}

extension Exercise {
  /// The validated problem; `nil` for a custom operation.
  /// - Throws: ``ProblemError``.
  public func problem() throws(ProblemError) -> (any OperationProblem)? {
    try Problem.make(operation: operation, attributes: attributes, operands: operands)
  }
}
