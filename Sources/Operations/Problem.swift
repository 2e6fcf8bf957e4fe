import Problems
import Tensors

/// Any problem of the operations that this project knows (``OperationRegistry``).
public enum Problem: Sendable {
  /// Every operation's problem, by its name in the golden format.
  public static let types: [String: any OperationProblem.Type] = Dictionary(
    uniqueKeysWithValues: OperationRegistry.all.map { ($0.name, $0.problemType) })

  /// The validated problem of a golden case or a request; `nil` for a custom operation, which has no rules to hold it to.
  /// - Throws: ``Problems/ProblemError``.
  public static func make(
    operation: String, attributes: Attributes, operands: Operands
  ) throws(ProblemError) -> (any OperationProblem)? {
    guard let type = types[operation] else { return nil }
    return try type.init(attributes: attributes, operands: operands)
  }

  /// Reads the one-line text form.
  /// - Throws: ``Problems/ProblemError`` that names the word at fault and what could stand there.
  public static func parse(_ line: String) throws(ProblemError) -> any OperationProblem {
    let words = line.split(whereSeparator: \.isWhitespace)
    guard let operation = words.first, let type = types[String(operation)] else {
      throw ProblemError(
        .invalidArgument, "problem text", expected: "one of \(types.keys.sorted().joined(separator: ", ")) first",
        found: "'\(words.first ?? "")'")
    }
    var text = ProblemText(operation: String(operation), words: Array(words.dropFirst()))
    return try type.init(text: &text)
  }

  /// The operation that an unknown name was probably meant to be: `identity` for `identitx`.
  public static func nearMiss(of operation: String) -> String? {
    let distances = types.keys.sorted().map {
      (name: $0, distance: NearestName.distance(Array($0.utf8), Array(operation.utf8)))
    }
    // Less than one letter in four: a name of the user's own is not taken for one of the format's.
    return distances.filter { $0.distance > 0 && 4 * $0.distance < $0.name.count }.min { $0.distance < $1.distance }?
      .name
  }
}
