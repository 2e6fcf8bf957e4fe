import Tensors

/// The exact adjoint test of a linear map: vᵀ(Ju) = (Jᵀv)ᵀu, on integers, so that equality means equality.
///
/// One wrong entry of the gradient is always noticed (its defect times uⱼ ≠ 0 is the whole difference); any other wrong linear map escapes one
/// trial with a probability of at most 1/2q. Where it disagrees, halving sets of colours leads to
/// the elements at fault.
struct AdjointTest: Sendable {
  struct Outcome: Sendable {
    /// vᵀ(Ju) − (Jᵀv)ᵀu of the first trial that disagreed.
    var mismatch: Double = 0
    /// The map of that trial.
    var map: LinearMap?
    /// Exact derivatives of the elements that were looked at.
    var numeric: NumericGradient?
    /// Whether the bisection stopped before all of them were found.
    var isPartial = false
    /// A gradient or an output that is not finite on integers.
    var nonFinite: String?
  }

  let evaluator: Evaluator
  let operand: String
  let footprint: Footprint
  let threads: Int

  static let trials = 3
  /// Colours that a bisection names at most.
  static let colourLimit = 4

  func run(seed: UInt64) throws -> Outcome {
    for trial in 0..<Self.trials {
      let map = try LinearMap(
        evaluator: evaluator, operand: operand, footprint: footprint, seed: seed &+ UInt64(trial), threads: threads)
      if let position = map.analytic.firstIndex(where: { !$0.isFinite }) {
        var outcome = Outcome()
        let shape = evaluator.function.point[operand]?.shape ?? Shape()
        outcome.nonFinite = "\(operand)\(shape.index(ofOffset: position)) is \(map.analytic[position])"
        outcome.map = map
        return outcome
      }
      let mismatch = try map.mismatch(Array(map.analytic.indices))
      if mismatch != 0 { return try locate(map, mismatch: mismatch) }
    }
    return Outcome()
  }

  private func locate(_ map: LinearMap, mismatch: Double) throws -> Outcome {
    let classes = footprint.elements(count: map.analytic.count)
    let guilty = try map.guiltyClasses(classes, limit: Self.colourLimit)
    var outcome = Outcome(mismatch: mismatch, map: map)
    outcome.numeric = try map.allColumns(of: guilty.map { classes[$0] })
    outcome.isPartial = guilty.count == Self.colourLimit && classes.count > Self.colourLimit
    return outcome
  }
}
