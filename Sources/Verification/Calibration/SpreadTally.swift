import Problems
import Results

/// What was measured of the errors' spread over many tensors of one name, problem by problem: their worst decides.
struct SpreadTally {
  private struct Problem {
    var tensors = 0
    var elements = 0.0
    var independent = 0.0
    var squares = 0.0
    var fourths = 0.0
    var sum = 0.0
    var signed = 0.0
    var addends = 0.0
    var common = (plain: 0.0, signed: 0.0, pairs: 0.0)
  }

  private var problems: [String: Problem] = [:]
  private var worst = 0.0
  private var assumed: ErrorSpread?

  /// - Parameter problem: in text form.
  mutating func add(_ moments: ErrorMoments, _ distribution: ErrorDistribution, of problem: String) {
    guard let record = distribution.judge(moments) else { return }
    var found = problems[problem] ?? Problem()
    found.tensors += 1
    found.elements += Double(moments.count)
    found.independent += record.independent
    found.squares += moments.squares
    found.fourths += moments.fourths
    found.sum += moments.sum
    found.signed += moments.signed
    found.addends += moments.addendVariance
    let common = moments.common
    found.common = (
      found.common.plain + common.plain, found.common.signed + common.signed, found.common.pairs + common.pairs
    )
    problems[problem] = found
    worst = max(worst, record.ratio)
    assumed = assumed.map { $0.widest(with: distribution.spread) } ?? distribution.spread
  }

  /// - Returns: `nil` where no tensor was large enough.
  var record: CalibrationRecord.Spread? {
    guard let assumed, !problems.isEmpty else { return nil }
    let all = problems.values
    func largest(_ figure: (Problem) -> Double) -> Double { all.map(figure).max() ?? 0 }
    return CalibrationRecord.Spread(
      tensors: all.reduce(0) { $0 + $1.tensors },
      meanSquare: largest { $0.squares / $0.elements },
      scatter: largest { $0.fourths * $0.elements / ($0.squares * $0.squares) - 1 }, assumedScatter: assumed.scatter,
      common: largest { problem in
        guard problem.common.pairs > 0 else { return 0 }
        return max(problem.common.plain, problem.common.signed) / problem.common.pairs * problem.elements
          / problem.squares
      }, assumedCommon: assumed.common,
      // Beyond what three standard deviations of chance make of no drift at all.
      drift: largest { problem in
        let mean = max(abs(problem.sum), abs(problem.signed)) / problem.elements
        let variance =
          problem.squares / problem.elements / problem.independent
          + problem.addends / (problem.elements * problem.elements)
        return max(0, mean - 3 * variance.squareRoot())
      }, assumedDrift: assumed.drift, worst: worst)
  }
}
