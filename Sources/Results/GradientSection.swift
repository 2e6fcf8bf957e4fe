/// What gradient checking found: the section `gradients` of a run.
public struct GradientSection: Codable, Sendable {
  public var records: [GradientRecord]
  public var seconds: Double
  /// Stopped by a signal before every check was done. Absent in runs of earlier versions.
  public var interrupted: Bool?
  /// Which part of the checks these are. Absent of all, and in runs of earlier versions.
  public var shard: ShardRecord?
  /// Golden files and cases that could not be read, a sentence each.
  public var badFiles: [String] {
    get { unreadable ?? [] }
    set { unreadable = newValue.isEmpty ? nil : newValue }
  }
  /// Absent in runs of earlier versions, and where there is none.
  private var unreadable: [String]?

  public init(records: [GradientRecord], seconds: Double) {
    self.records = records
    self.seconds = seconds
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
