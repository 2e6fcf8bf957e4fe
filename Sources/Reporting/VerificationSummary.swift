import Results

/// Counts and statistics of a verification, by operation.
public struct VerificationSummary: Sendable {
  public struct Row: Sendable {
    public let engine: String
    public let operation: String
    public var counts: [VerificationStatus: Int] = [:]
    public var excused = 0
    public var omittedTensors = 0
    public var elements = 0
    public var worstRatio = 0.0
    public var medianRatio = 0.0
    public var worstUlps = 0.0
    /// Cases by fill.
    public var fills: [String: Int] = [:]
    public var caseCount: Int { counts.values.reduce(0, +) }
    public subscript(status: VerificationStatus) -> Int { counts[status] ?? 0 }
  }

  /// Those that get a column: NOT RUN is seldom met, and is left out then.
  public let statuses: [VerificationStatus]
  /// By engine, in the engines' order, then by operation.
  public let rows: [Row]

  public init(_ section: VerificationSection) {
    statuses = VerificationStatus.allCases.filter { status in
      status != .notRun || section.results.contains { $0.status == status }
    }
    rows = section.engines.flatMap { engine in
      let own = section.results.filter { $0.engine == engine.name }
      return Set(own.map(\.operation)).sorted().map { operation in
        Self.row(engine.name, operation, own.filter { $0.operation == operation })
      }
    }
  }

  private static func row(_ engine: String, _ operation: String, _ results: [CaseResult]) -> Row {
    var row = Row(engine: engine, operation: operation)
    var ratios: [Double] = []
    var names: [String: Set<String>] = [:]
    for result in results {
      row.counts[result.status, default: 0] += 1
      row.excused += result.knownFailure == nil ? 0 : 1
      row.omittedTensors += result.omitted.count
      names[result.fill, default: []].insert(result.file + result.name)
      for tensor in result.tensors {
        // Counts from outside may have no sum.
        let (sum, isTooLarge) = row.elements.addingReportingOverflow(tensor.compared)
        row.elements = isTooLarge ? .max : sum
        row.worstUlps = max(row.worstUlps, tensor.worstUlps)
        if tensor.compared > 0 { ratios.append(tensor.worstRatio) }
      }
    }
    row.fills = names.mapValues(\.count)
    ratios.sort()
    row.worstRatio = ratios.last ?? 0
    row.medianRatio = ratios.isEmpty ? 0 : ratios[ratios.count / 2]
    return row
  }
}
