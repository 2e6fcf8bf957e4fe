import Results

/// Where an engine's own algorithm widened the bounds of results, by engine, operation and algorithm.
public struct WideningTable {
  public static let headings = ["engine", "operation", "bound of", "tensors", "worst error/bound"]
  /// The first column of figures.
  static let firstFigure = 3
  static let caption =
    "These tensors were held against the bound of an algorithm that the engine declares, where it is wider than that of the "
    + "definition. Everything else was held against the definition's."

  public let rows: [[String]]

  public init(_ section: VerificationSection) {
    struct Key: Hashable {
      let engine: String
      let operation: String
      let algorithm: String
      var words: [String] { [engine, operation, algorithm] }
    }
    var found: [Key: (count: Int, worst: Double)] = [:]
    for result in section.results {
      for tensor in result.tensors {
        guard let algorithm = tensor.widening else { continue }
        let key = Key(engine: result.engine, operation: result.operation, algorithm: algorithm)
        let known = found[key] ?? (0, 0)
        found[key] = (known.count + 1, max(known.worst, tensor.worstRatio))
      }
    }
    rows = found.sorted { $0.key.words.lexicographicallyPrecedes($1.key.words) }.map { key, figures in
      key.words + ["\(figures.count)", NumberText.short(figures.worst)]
    }
  }

  /// A line for each tensor of a result that had a wider bound.
  public static func lines(_ result: CaseResult) -> [String] {
    result.tensors.filter { $0.widening != nil }.map { tensor in
      "\(result.name.printable)/\(tensor.path.printable) (\(result.engine.printable), \(result.dtype)): "
        + "\(FailureText.rule(tensor)); error/bound \(NumberText.short(tensor.worstRatio))"
    }
  }
}
