/// The words of a problem's text form, as far as tables group by them: numbers by their letters, and attributes.
struct ProblemWords {
  private let operation: String
  private let numbers: [String: Int]
  /// `stride2`, `groups32`: attributes, without those that every layer of a kind has its own of.
  private let attributes: [String]

  init(_ problem: String) {
    var (numbers, attributes): ([String: Int], [String]) = ([:], [])
    operation = problem.split(separator: " ").first.map(String.init) ?? ""
    for word in problem.split(separator: " ").dropFirst() {
      if word.wholeMatch(of: /([a-z][0-9]+)+/) != nil {
        // `n1c64h56w56`: one letter an extent.
        for part in word.matches(of: /([a-z])([0-9]+)/) { numbers[String(part.output.1)] = Int(part.output.2) }
      } else if !word.hasPrefix("pad"), word != "bias" {
        attributes.append(String(word))
      }
    }
    self.numbers = numbers
    self.attributes = attributes
  }

  /// `3×3`; `nil` of what has no kernel.
  var kernel: String? { numbers["r"].flatMap { rows in numbers["s"].map { "\(rows)×\($0)" } } }

  /// Which images it is of, by their edge: classes of sizes at which strategies behave alike.
  var size: String? {
    guard let height = numbers["h"], let width = numbers["w"], height > 0, width > 0 else { return nil }
    let edge = (Double(height) * Double(width)).squareRoot()
    return edge >= 56 ? "56 and more" : edge >= 28 ? "28 to 55" : edge >= 14 ? "14 to 27" : "below 14"
  }

  /// Whether it is a plain convolution, as most are of what is timed: tables do not name the operation of those.
  var isPlainConvolution: Bool { kernel != nil && !operation.contains("_") }

  /// `3×3 stride1`, or the operation and its attributes.
  var kind: String {
    ((isPlainConvolution ? [] : [operation]) + [kernel].compactMap { $0 } + attributes).joined(separator: " ")
  }
}
