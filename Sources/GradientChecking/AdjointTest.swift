import Operations
import Problems
import Tensors

/// The exact adjoint test of linear maps: vᵀ(Ju) = (Jᵀv)ᵀu, on integers, so that equality means equality.
///
/// One wrong entry of the gradient is always noticed (its defect times uⱼ ≠ 0 is the whole difference). Where operands are drawn
/// from 2q integers any other wrong gradient escapes one trial with a probability of at most 1/2q, and a wrong map with at most
/// 1/q, since it may give the right gradient for the v that was drawn. Where it disagrees, halving sets of colours leads to the
/// elements at fault.
struct AdjointTest: Sendable {
  struct Outcome: Sendable {
    /// vᵀ(Ju) − (Jᵀv)ᵀu of the first trial that disagreed; 0 where none did.
    var mismatch: Double = 0
    /// The map of that trial, or of the first.
    var map: LinearMap
    /// A gradient that is not finite on integers.
    var nonFinite: String?
  }

  let evaluator: Evaluator
  let footprints: [String: Footprint]
  let threads: Int

  static let trials = 3
  /// Colours that a bisection names at most.
  static let colourLimit = 4

  /// The outcome for each operand. Forward and backward at each trial's point serve all operands.
  func run(seed: UInt64) throws -> [String: Outcome] {
    let operands = footprints.keys.sorted()
    let points = try parallelMap(Self.trials, threads: threads) { trial in
      try LinearPoint(evaluator: evaluator, seed: seed &+ UInt64(trial))
    }
    let maps = points.map { point in
      operands.compactMap { operand in
        footprints[operand].map { footprint in
          LinearMap(
            evaluator: evaluator, operand: operand, footprint: footprint, at: point,
            threads: threads)
        }
      }
    }
    let flat = maps.flatMap { $0 }
    let mismatches = try parallelMap(flat.count, threads: threads) {
      try flat[$0].mismatch(Array(flat[$0].analytic.indices))
    }
    var outcomes: [String: Outcome] = [:]
    for (map, mismatch) in zip(flat, mismatches) {
      var outcome = outcomes[map.operand] ?? Outcome(map: map)
      if outcome.nonFinite == nil, let position = map.analytic.firstIndex(where: { !$0.isFinite }) {
        let shape = evaluator.function.point[map.operand]?.shape ?? Shape()
        outcome.nonFinite =
          "\(map.operand)\(shape.index(ofOffset: position)): "
          + GradientJudge.reason(notFinite: map.analytic[position])
      } else if outcome.mismatch == 0, mismatch != 0 {
        outcome.mismatch = mismatch
        outcome.map = map
      }
      outcomes[map.operand] = outcome
    }
    return outcomes
  }
}
