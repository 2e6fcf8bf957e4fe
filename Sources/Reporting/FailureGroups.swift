import Foundation
import Results

/// Failures that look alike: one engine, one tensor, wrong in elements that have the same in common.
struct FailureGroup {
  let engine: String
  /// What they have in common, in words.
  let pattern: String
  /// The simplest first: exact before random before adversarial, then the fewest elements.
  let results: [CaseResult]

  var representative: CaseResult { results[0] }
  /// Of the representative: the tensor that is wrong.
  var tensor: TensorResult? { Self.tensor(of: representative) }
  var others: ArraySlice<CaseResult> { results.dropFirst() }

  /// `98 results of mine are wrong: outputs/y, all with w the last`.
  var title: String {
    let error = representative.status == .error
    let count = results.count == 1 ? "1 result of \(engine)" : "\(results.count) results of \(engine)"
    return "\(count) \(results.count == 1 ? "is" : "are") \(error ? "missing" : "wrong"): \(pattern)"
  }

  /// `conv2d 96, relu 2; float32`.
  var extent: String {
    let operations = Dictionary(grouping: results, by: \.operation).sorted { $0.key < $1.key }
      .map { "\($0.key) \($0.value.count)" }
    return operations.joined(separator: ", ") + "; " + Set(results.map(\.dtype)).sorted().joined(separator: ", ")
  }

  /// Those that count against the run, the largest group first.
  static func groups(of section: VerificationSection) -> [FailureGroup] {
    struct Key: Hashable {
      var engine: String
      var pattern: String
    }
    let results = section.results.filter { $0.counts(strict: false) }
    return Dictionary(grouping: results) { Key(engine: $0.engine, pattern: pattern(of: $0)) }
      .map { key, found in
        FailureGroup(engine: key.engine, pattern: key.pattern, results: found.sorted { order($0) < order($1) })
      }
      .sorted { ($1.results.count, $0.engine, $0.pattern) < ($0.results.count, $1.engine, $1.pattern) }
  }

  private static func tensor(of result: CaseResult) -> TensorResult? { result.tensors.first { !$0.passes } }

  private struct Order: Comparable {
    var fill: Int
    /// A sum of counts from outside, which no integer need hold.
    var elements: Double
    var name: String
    var dtype: String

    static func < (a: Order, b: Order) -> Bool {
      (a.fill, a.elements, a.name, a.dtype) < (b.fill, b.elements, b.name, b.dtype)
    }
  }

  private static func order(_ result: CaseResult) -> Order {
    Order(
      fill: ["exact", "random", "adversarial"].firstIndex(of: result.fill) ?? 3,
      elements: result.tensors.reduce(0) { $0 + Double(max($1.compared, 1)) }, name: result.name, dtype: result.dtype)
  }

  /// What is wrong without what differs from shape to shape: `outputs/y: all with w the last` for `12 of 24 elements, all with
  /// w = 1 (the last)`.
  static func pattern(of result: CaseResult) -> String {
    guard result.status == .fail, let tensor = tensor(of: result) else {
      let line = result.message.split(separator: "\n").first.map(String.init) ?? ""
      return general(line.isEmpty ? "no reason given" : line)
    }
    return "\(tensor.path): \(general(tensor.problem.isEmpty ? tensor.pattern : tensor.problem))"
  }

  /// The same of a contestant of a benchmark.
  static func pattern(of contestant: BenchmarkContestant) -> String {
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
