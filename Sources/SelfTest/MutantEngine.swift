import Engines
import Problems
import StrategyEngines
import Tensors

/// A correct engine with one mutant in front of it.
public struct MutantEngine: Engine {
  public let mutant: Mutant
  private let base: any Engine
  private let defect: Mutant.Defect

  public init(_ mutant: Mutant) {
    self.mutant = mutant
    base = Self.base(of: mutant)
    defect = mutant.make()
  }

  /// The correct engine that a mutant is a defect of.
  /// - Requires: a base that is built in, or none: then it is the reference, in 16 bits with each result rounded.
  static func base(of mutant: Mutant) -> any Engine {
    guard let name = mutant.base else { return mutant.isNarrow ? NarrowReference() : ReferenceEngine() }
    guard let engine = BuiltInEngines.named(name) else { preconditionFailure("\(name) is no built-in engine") }
    return engine
  }

  public var description: EngineDescription {
    var description = base.description
    description.name = "mutant: \(mutant.name)"
    // A defect is the same with any number of threads.
    description.usesThreads = false
    return description
  }

  public func compute(_ exercise: Exercise) throws(EngineError) -> Answer {
    let base = base
    guard mutant.applies(to: exercise.operation) else { return try base.compute(exercise) }
    return try defect(exercise) { (exercise) throws(EngineError) in try base.compute(exercise) }
  }

  public func prepare(_ exercise: Exercise, for timing: TimingRequest) throws(EngineError) -> any PreparedOperation {
    throw .unsupported("a mutant is not timed")
  }
}

extension Mutant {
  /// No defect at all: a gate that kills it fails correct code, and a self-test that does not report it as a survivor
  /// reports none.
  public static let harmless = Mutant.answering("no defect", .linearAndLoss, [GateProbe.operation]) { _, _ in }
}
