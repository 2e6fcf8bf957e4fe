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
  /// The values that each attribute may have.
  private var values: [String: Int] = [:]

  init(operation: String) {
    record = FuzzedOperation(operation: operation)
    pairs = []
  }

  /// Goes on where an earlier run ended.
  init(_ earlier: FuzzedOperation) {
    record = earlier
    counts = earlier.drawn.map { ($0.name, $0.counts) }
    positions = Dictionary(uniqueKeysWithValues: counts.enumerated().map { ($0.element.name, $0.offset) })
    pairs = Set(earlier.pairs)
  }

  private mutating func count(_ name: String, _ drawn: [String], of all: @autoclosure () -> [String]) {
    let position =
      positions[name]
      ?? {
        positions[name] = counts.count
        counts.append((name, [:]))
        return counts.count - 1
      }()
    if counts[position].counts.isEmpty { for word in all() { counts[position].counts[word] = 0 } }
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
    var attributes: [String] = []
    for choice in drawn.choices {
      switch choice.domain {
      case .size(let domain):
        count(
          choice.name, SizeClass.classes(of: choice.value).map(\.description),
          of: SizeClass.possible(in: domain).map(\.description))
      case .option(let labels):
        count(choice.name, [choice.label], of: labels)
        values[choice.name] = labels.count
        attributes.append("\(choice.name) \(choice.label)")
      }
    }
    count("operands", [data.kind.rawValue], of: OperandKind.allCases.map(\.rawValue))
    guard fault == nil else {
      record.invalid += 1
      return count("refusals", ["refused"], of: [])
    }
    count("compared", Array(paths), of: [])
    for (position, first) in attributes.enumerated() {
      for second in attributes[(position + 1)...] { pairs.insert("\(first) × \(second)") }
    }
  }

  /// For a report: what was found by now.
  var current: FuzzedOperation {
    var record = record
    record.drawn = counts.map { FuzzedChoice(name: $0.name, counts: $0.counts) }
    record.pairs = pairs.sorted()
    let sizes = values.sorted { $0.key < $1.key }.map(\.value)
    let squares = sizes.reduce(0) { $0 + $1 * $1 }
    let sum = sizes.reduce(0, +)
    record.possiblePairs = max(record.possiblePairs, (sum * sum - squares) / 2)
    return record
  }
}
