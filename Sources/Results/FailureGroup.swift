import Foundation

/// Failures that look alike: one engine, and either one mistake that gives all of them, or one tensor that is wrong in elements
/// that have the same in common.
package struct FailureGroup: Sendable {
  package let engine: String
  /// What they have in common, in words.
  package let pattern: String
  /// The simplest first: exact before random before adversarial, then the fewest elements.
  package let results: [CaseResult]
  /// Results of the engine on the same operations that were judged, right ones among them.
  package let judged: Int
  /// What they look like.
  package let cause: FailureCause?

  package var representative: CaseResult { results[0] }
  /// Of the representative: the tensor that is wrong.
  package var tensor: TensorResult? { Self.tensor(of: representative) }
  package var others: ArraySlice<CaseResult> { results.dropFirst() }

  /// `98 of 226 results of mine are wrong: outputs/y: all with w the last; agrees with: last column skipped`.
  package var title: String {
    let verb = results.count == 1 ? "is" : "are"
    let what =
      switch representative.status {
      case .error: "missing"
      case .unsupported: "unsupported"
      default: "wrong"
      }
    return "\(count) of \(engine) \(verb) \(what): \(pattern)" + (cause.map { "; \($0.text)" } ?? "")
  }

  private var count: String {
    if results.count >= judged { return results.count == 1 ? "the only result" : "all \(results.count) results" }
    return "\(results.count) of \(judged) results"
  }

  /// `conv2d 96, relu 2; float32`.
  package var extent: String {
    let operations = Dictionary(grouping: results, by: \.operation).sorted { $0.key < $1.key }
      .map { "\($0.key) \($0.value.count)" }
    return operations.joined(separator: ", ") + "; " + Set(results.map(\.dtype)).sorted().joined(separator: ", ")
  }

  /// Those that count against the run, the largest group first.
  package static func groups(of section: VerificationSection) -> [FailureGroup] {
    struct Place: Hashable {
      var engine: String
      var operation: String

      init(_ result: CaseResult) { (engine, operation) = (result.engine, result.operation) }
    }
    struct Key: Hashable {
      var engine: String
      var causes: [String] = []
      var pattern = ""
    }
    let failing = section.results.filter { $0.counts(strict: section.strict) }
    // One mistake that gives all that an engine gets wrong in an operation is the reason, whatever elements show it.
    let causes = Dictionary(grouping: failing.filter(isWrongInElements), by: Place.init)
      .compactMapValues { FailureCause($0, isPart: false) }
    var judged: [Place: Int] = [:]
    for result in section.results where result.status != .notRun && (section.strict || result.status != .unsupported) {
      judged[Place(result), default: 0] += 1
    }
    func key(_ result: CaseResult) -> Key {
      if isWrongInElements(result), let cause = causes[Place(result)] {
        return Key(engine: result.engine, causes: cause.names)
      }
      return Key(engine: result.engine, pattern: pattern(of: result))
    }
    return Dictionary(grouping: failing, by: key)
      .map { key, found in
        let results = found.sorted { order($0) < order($1) }
        return FailureGroup(
          engine: key.engine, pattern: key.causes.isEmpty ? key.pattern : commonPattern(results), results: results,
          judged: Set(found.map(Place.init)).reduce(0) { $0 + (judged[$1] ?? 0) },
          cause: FailureCause(results, isPart: key.causes.isEmpty))
      }
      .sorted { ($1.results.count, $0.engine, $0.pattern) < ($0.results.count, $1.engine, $1.pattern) }
  }

  private static func tensor(of result: CaseResult) -> TensorResult? { result.tensors.first { !$0.passes } }

  private static func isWrongInElements(_ result: CaseResult) -> Bool {
    result.status == .fail && tensor(of: result)?.problem.isEmpty == true
  }

  /// What is simple comes first.
  package struct Order: Comparable {
    var fill: Int
    /// A sum of counts from outside, which no integer need hold.
    var elements: Double
    var name: String
    var dtype: String

    package static func < (a: Order, b: Order) -> Bool {
      (a.fill, a.elements, a.name, a.dtype) < (b.fill, b.elements, b.name, b.dtype)
    }
  }

  /// How simple a result is: exact before random before adversarial, then the fewest elements.
  package static func order(_ result: CaseResult) -> Order {
    Order(
      fill: ["exact", "random", "adversarial"].firstIndex(of: result.fill) ?? 3,
      elements: result.tensors.reduce(0) { $0 + Double(max($1.compared, 1)) }, name: result.name, dtype: result.dtype)
  }

  private static let shownPatterns = 2

  /// The patterns of results that one mistake gives, the most frequent first.
  private static func commonPattern(_ results: [CaseResult]) -> String {
    let counts = Dictionary(grouping: results, by: pattern).mapValues(\.count)
      .sorted { ($1.value, $0.key) < ($0.value, $1.key) }
    guard counts.count > 1, let first = results.first else { return counts.first?.key ?? "" }
    // One tensor is named once.
    let path = (tensor(of: first)?.path.printable ?? "") + ": "
    let isOne = counts.allSatisfy { $0.key.hasPrefix(path) }
    let shown = counts.prefix(shownPatterns).map { key, count in
      "\(isOne ? String(key.dropFirst(path.count)) : key) (\(count))"
    }
    let rest = counts.dropFirst(shownPatterns).reduce(0) { $0 + $1.value }
    return (isOne ? path : "") + (shown + (rest == 0 ? [] : ["otherwise (\(rest))"])).joined(separator: "; ")
  }

  /// What is wrong without what differs from shape to shape: `outputs/y: all with w the last` for `12 of 24 elements, all with
  /// w = 1 (the last)`.
  package static func pattern(of result: CaseResult) -> String {
    guard result.status == .fail, let tensor = tensor(of: result) else {
      let line = result.message.split(separator: "\n").first.map(String.init) ?? ""
      return general(line.isEmpty ? "no reason given" : line)
    }
    return "\(tensor.path.printable): \(general(tensor.problem.isEmpty ? tensor.pattern : tensor.problem))"
  }

  /// The same of a contestant of a benchmark.
  package static func pattern(of contestant: BenchmarkContestant) -> String {
    let rules = (contestant.audit?.violations ?? []).map(\.rule.rawValue)
    guard rules.isEmpty else { return rules.joined(separator: ", ") }
    guard let tensor = contestant.failing?.first else {
      return general(contestant.message.split(separator: "\n").first.map(String.init) ?? "no reason given")
    }
    return "\(tensor.path.printable): \(general(tensor.problem.isEmpty ? tensor.pattern : tensor.problem))"
  }

  private static func general(_ text: String) -> String {
    var words = text.printable
    // Figures of a sampled tensor follow from its elements.
    if let end = words.range(of: #"; \w+ of the whole tensor"#, options: .regularExpression)?.lowerBound {
      words = String(words[..<end])
    }
    // Shares, places and messages' own figures.
    words = words.replacing(#/^\d+ of \d+ elements, /#, with: "")
    words = words.replacing(#/ = \d+ \(the last\)/#, with: " the last")
    words = words.replacing(#/ \d+…\d+/#, with: " in one range")
    words = words.replacing(#/ = \d+/#, with: " the same")
    words = words.replacing(#/\d+(\.\d+)?/#, with: "…")
    return String(words.prefix(160))
  }
}
