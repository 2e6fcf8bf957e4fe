import Tensors

/// The words of a problem's text form, consumed one by one while it is parsed.
public struct ProblemText: Sendable {
  public private(set) var words: [Substring]
  private let operation: String
  /// The flags that were asked for, there or not: what else a word may be.
  private var flags: [String] = []

  public init(operation: String, words: [Substring]) {
    self.operation = operation
    self.words = words
  }

  func failure(_ expected: String, _ found: some StringProtocol) -> ProblemError {
    ProblemError(.invalidArgument, "problem text of \(operation)", expected: expected, found: "'\(found)'")
  }

  /// A word such as `n8c64h56w56`: the keys in order, each with its extent. `nil` when no word has that form.
  mutating func extents(_ keys: [Character]) -> [Int]? {
    for (position, word) in words.enumerated() {
      guard let values = Self.extents(keys, in: word) else { continue }
      words.remove(at: position)
      return values
    }
    return nil
  }

  private static func extents(_ keys: [Character], in word: Substring) -> [Int]? {
    var rest = word
    var values: [Int] = []
    for key in keys {
      guard rest.first == key else { return nil }
      rest = rest.dropFirst()
      let digits = rest.prefix { $0.isASCII && $0.isNumber }
      guard let value = Int(digits) else { return nil }
      values.append(value)
      rest = rest.dropFirst(digits.count)
    }
    return rest.isEmpty ? values : nil
  }

  /// The same for a word that must be there.
  mutating func requiredExtents(_ keys: String) throws(ProblemError) -> [Int] {
    guard let values = extents(Array(keys)) else {
      throw failure("a word like \(keys.map { "\($0)8" }.joined())", words.joined(separator: " "))
    }
    return values
  }

  /// Whether the word is there; it is consumed.
  mutating func flag(_ word: String) -> Bool {
    flags.append(word)
    guard let position = words.firstIndex(where: { $0 == word }) else { return false }
    words.remove(at: position)
    return true
  }

  /// What follows the key in the first word that starts with it; the word stays, being an attribute's.
  func peek(_ key: String) -> String? {
    words.first { $0.hasPrefix(key) }.map { String($0.dropFirst(key.count)) }
  }

  /// A tensor of any rank: `n8c64h56w56`, `n8c10`, or `shape2x3x5` (`shape` alone for a scalar).
  mutating func anyShape() throws(ProblemError) -> Shape {
    var dimensions: [Int]?
    if let four = extents(["n", "c", "h", "w"]) {
      dimensions = four
    } else if let two = extents(["n", "c"]) {
      dimensions = two
    } else if let position = words.firstIndex(where: { $0.hasPrefix("shape") }) {
      let parts = words.remove(at: position).dropFirst(5).split(separator: "x", omittingEmptySubsequences: false)
      let values = parts == [""] ? [] : parts.map { Int($0) }
      dimensions = values.contains(nil) ? nil : values.compactMap { $0 }
    }
    guard let dimensions else {
      throw failure("a shape such as n8c64h56w56, n8c10 or shape2x3x5", words.joined(separator: " "))
    }
    return try Self.shape(dimensions)
  }

  package static func shape(_ dimensions: [Int]) throws(ProblemError) -> Shape {
    guard let shape = Shape(validating: dimensions) else {
      throw ProblemError(
        .invalidArgument, "shape", expected: "extents ≥ 0 whose product is at most 2^48", found: "\(dimensions)")
    }
    return shape
  }

  static func tokens(for shape: Shape) -> [String] {
    switch shape.rank {
    case 4: ["n\(shape[0])c\(shape[1])h\(shape[2])w\(shape[3])"]
    case 2: ["n\(shape[0])c\(shape[1])"]
    default: ["shape" + shape.dimensions.map(String.init).joined(separator: "x")]
    }
  }

  /// Reads every remaining word as one of the attributes.
  mutating func attributes(_ tokens: [AttributeToken]) throws(ProblemError) -> Attributes {
    var attributes = Attributes()
    // The longest key first, so that `padding` is never read as `pad` and `ding`.
    let ordered = tokens.sorted { $0.key.count > $1.key.count }
    while let word = words.first {
      guard let token = ordered.first(where: { word.hasPrefix($0.key) && $0.value(of: word) != nil }),
        let value = token.value(of: word)
      else {
        throw unknown(word, tokens)
      }
      guard attributes[token.attribute] == nil else { throw failure("\(token.attribute) once", word) }
      attributes[token.attribute] = value
      words.removeFirst()
    }
    return attributes
  }

  /// A word that is neither an attribute nor a flag.
  private func unknown(_ word: Substring, _ tokens: [AttributeToken]) -> ProblemError {
    if flags.contains(String(word)) { return failure("\(word) once", word) }
    let known = tokens.map(\.example) + flags
    // Of `stide2` the letters, since the value is anybody's.
    let letters = word.prefix { $0.isLetter || $0 == "_" }
    return ProblemError(
      .invalidArgument, "problem text of \(operation)",
      expected: known.isEmpty ? "no attribute" : "one of \(known.joined(separator: ", "))",
      found: "'\(word)'" + NearestName.question(String(letters), among: tokens.map(\.key) + flags))
  }

  func requireEmpty() throws(ProblemError) {
    if let word = words.first { throw failure("nothing more", word) }
  }
}
