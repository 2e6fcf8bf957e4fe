import Results

/// What one contestant's requests took on one workload, as it claims and as this program sees it. In nanoseconds.
struct AuditLedger {
  /// One request to time.
  struct Slice {
    var claimed: Double
    var wall: Double
    /// CPU time of the contestant's processes; `nil` where the system does not tell.
    var cpu: Double?
    /// Of the wall time, in which threads were ready to run and had no core.
    var waited: Double
    /// Each of its sets is visited once.
    var sets: Int
    /// Different durations among those that were claimed.
    var distinct: Int?
  }

  /// What came before and after the slices of one turn.
  struct Turn {
    var loads: Int
    var loadCPU: Double?
    var collects: Int
    var collectCPU: Double?
    /// What one iteration claims.
    var claimed: Double
  }

  var slices: [Slice] = []
  var turns: [Turn] = []
  /// Of the sets that a turn visited twice, the time of the first visits by that of the second ones.
  var visitRatios: [Double] = []
}
