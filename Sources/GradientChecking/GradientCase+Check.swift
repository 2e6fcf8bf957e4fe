import Engines
import Operations
import Problems
import Tensors

extension GradientCase {
  /// The check of this case against an engine; the reference's own generic backward when there is none.
  /// - Parameters:
  ///   - engine: computes the gradients.
  ///   - threads: that the engine is asked with.
  ///   - precision: of the gradients.
  ///   - options: of every check.
  ///   - spoilt: an element of a gradient (`weight[3, 0, 1, 2]`) or a layer of a network (`layer2.0.conv2`) to make
  ///     wrong, which shows what a failure looks like.
  /// - Throws: ``ProblemError`` for a text that is no problem, or a defect that names nothing.
  public func check(
    engine: (any Engine)? = nil, threads: Int = 1, precision: DType = .float64, options: GradientCheck.Options,
    spoilt: String? = nil
  ) throws(ProblemError) -> GradientCheck {
    let problem = try Problem.parse(text)
    let draw = OperandDraw(
      problem.operands, roles: problem.definition.roles, seed: options.seed, range: .init(-2, 2), fill: fill)
    var exercise = Exercise(problem, draw, named: Exercise.neutralName, dtype: precision)
    exercise.threads = threads
    let implementation = engine.map { Implementation.engine($0, exercise) } ?? .code(precision)
    let defect = try spoilt.map { text throws(ProblemError) in try GradientDefect(text) }
    var options = options
    var subject: any GenericFunction = OperationFunction(problem, integers: draw.integers)
    var sound: ReferenceNetwork?
    if var network = try NetworkFunction(problem, integers: draw.integers) {
      if network.isWhole {
        do { try network.freezeGates(at: draw.operands) } catch {
          throw ProblemError(.invalidArgument, text, expected: "a network that can be run", found: "\(error)")
        }
        // Every tensor by projections: eight of them share a pass, where single elements of each would take one more.
        options.workLimit = 0
      }
      sound = network.layers
      if let defect, defect.index == nil { try defect.apply(to: &network.layers) }
      subject = network
    } else if let defect, defect.index == nil {
      throw defect.namesNoLayer
    }
    var function = CheckedFunction(subject, name: name, at: draw.operands, by: implementation)
    function.hasIndependentOperands = fill == .random
    if let defect, defect.index != nil { try defect.apply(to: &function) }
    if engine != nil, defect?.index == nil, let sound, let spoilt = subject.network, spoilt.defect != nil {
      function.spoil(by: spoilt, insteadOf: sound)
    }
    return GradientCheck(function, options: options)
  }
}
