/// What gradient checking found: the section `gradients` of a run.
public struct GradientSection: Codable, Sendable {
  public var records: [GradientRecord]
  public var seconds: Double
  /// Stopped by a signal before every check was done. Absent in runs of earlier versions.
  public var interrupted: Bool?
  /// What the run amounts to, as the command's exit code.
  public var exitCode: Int
  /// Why, one sentence for each reason.
  public var reasons: [String]

  public init(records: [GradientRecord], seconds: Double) {
    self.records = records
    self.seconds = seconds
    let count = { (verdict: GradientVerdict) in records.count { $0.verdict == verdict } }
    var reasons: [String] = []
    for verdict in [GradientVerdict.fail, .error, .inconclusive] where count(verdict) > 0 {
      reasons.append("\(count(verdict)) \(verdict.rawValue)")
    }
    if count(.pass) == 0 { reasons.append("nothing passed") }
    exitCode = count(.fail) + count(.error) > 0 ? 1 : reasons.isEmpty ? 0 : 2
    self.reasons = reasons
  }

  /// All finite-difference estimates that could be held against duals.
  public var calibration: GradientCalibration {
    records.reduce(into: GradientCalibration()) { sum, record in
      if let calibration = record.calibration { sum.merge(calibration) }
    }
  }

  /// The worst resolution of one method; `nil` where it was not used.
  public func worstResolution(_ method: GradientMethod) -> Double? {
    records.flatMap(\.tensors).filter { $0.method == method }.map(\.worstResolution).max()
  }
}
