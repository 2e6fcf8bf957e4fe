import Problems
import Results

/// What was drawn of one operation: how often each class of an extent and each value of an attribute, and which values met.
struct DrawnClasses: Sendable {
  private(set) var record: FuzzedOperation
  /// By name, in the order in which they were first drawn.
  private var counts: [(name: String, counts: [String: Int])] = []
  private var positions: [String: Int] = [:]
  /// Pairs of values of attributes that were drawn together.
  private var pairs: Set<String>
  /// Attributes, whose values may meet.
  private var attributes: Set<String> = []
  /// Domains whose classes are counted.
  private var domains: [String: Set<ProblemChoices.Choice.Domain>] = [:]

  init(operation: String) {
    record = FuzzedOperation(operation: operation)
    pairs = []
  }

  /// Goes on where an earlier run ended.
  init(_ earlier: FuzzedOperation) {
    record = earlier
    counts = earlier.drawn.map { ($0.name, $0.counts) }
    positions = Dictionary(counts.enumerated().map { ($0.element.name, $0.offset) }) { first, _ in first }
    pairs = Set(earlier.pairs)
  }

  /// - Parameter all: what could have been drawn.
  private mutating func count(_ name: String, _ drawn: [String], of all: [String] = []) {
    let position =
      positions[name]
      ?? {
        positions[name] = counts.count
        counts.append((name, [:]))
        return counts.count - 1
      }()
    for word in all where counts[position].counts[word] == nil { counts[position].counts[word] = 0 }
    for word in drawn { counts[position].counts[word, default: 0] += 1 }
  }

  /// Adds a case.
  /// - Parameters:
  ///   - drawn: its problem.
  ///   - data: its operands.
  ///   - paths: the tensors that are compared.
  ///   - fault: what is wrong with a case that has to be refused.
  mutating func add(_ drawn: DrawnProblem, _ data: DataRecipe, paths: some Sequence<String>, fault: String?) {
    record.cases += 1
    var values: [String] = []
    for choice in drawn.choices {
      let isNew = domains[choice.name, default: []].insert(choice.domain).inserted
      switch choice.domain {
      case .size(let domain):
        count(
          choice.name, SizeClass.classes(of: choice.value).map(\.description),
          of: isNew ? SizeClass.possible(in: domain).map(\.description) : [])
      case .option(let labels):
        count(choice.name, [choice.label], of: isNew ? labels : [])
        attributes.insert(choice.name)
        values.append("\(choice.name) \(choice.label)")
      }
    }
    count("operands", [data.kind.rawValue], of: OperandKind.allCases.map(\.rawValue))
    guard fault == nil else {
      record.invalid += 1
      return count("refusals", ["refused"])
    }
    count("compared", Array(paths))
    for (position, first) in values.enumerated() {
      for second in values[(position + 1)...] { pairs.insert("\(first) × \(second)") }
    }
  }

  /// For a report: what was found by now.
  var current: FuzzedOperation {
    var record = record
    record.drawn = counts.map { FuzzedChoice(name: $0.name, counts: $0.counts) }
    record.pairs = pairs.sorted()
    let sizes = counts.filter { attributes.contains($0.name) }.map(\.counts.count)
    let squares = sizes.reduce(0) { $0 + $1 * $1 }
    let sum = sizes.reduce(0, +)
    record.possiblePairs = max(record.possiblePairs, (sum * sum - squares) / 2)
    return record
  }
}
