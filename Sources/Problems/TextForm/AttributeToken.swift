/// How one attribute is written in a problem's text form: a key directly followed by its value (`stride2`, `stride2x1`,
/// `eps1e-05`), or the key alone for a boolean.
public struct AttributeToken: Sendable {
  enum Kind: Sendable {
    case pair, integer, real, string
    /// Strings of words: `stagesconv,k=3,out=8;bn;relu`.
    case list
    /// Present means this value.
    case flag(Bool)
  }

  let key: String
  let attribute: String
  let kind: Kind
  /// What is not written, being the default of the golden format.
  let omitted: AttributeValue?

  static func pair(_ key: String, _ attribute: String, omitting omitted: AttributeValue? = nil) -> Self {
    Self(key: key, attribute: attribute, kind: .pair, omitted: omitted)
  }
  static func integer(_ key: String, _ attribute: String, omitting omitted: AttributeValue? = nil) -> Self {
    Self(key: key, attribute: attribute, kind: .integer, omitted: omitted)
  }
  static func real(_ key: String, _ attribute: String, omitting omitted: AttributeValue? = nil) -> Self {
    Self(key: key, attribute: attribute, kind: .real, omitted: omitted)
  }
  static func string(_ key: String, _ attribute: String, omitting omitted: AttributeValue? = nil) -> Self {
    Self(key: key, attribute: attribute, kind: .string, omitted: omitted)
  }
  static func list(_ key: String, _ attribute: String, omitting omitted: AttributeValue? = nil) -> Self {
    Self(key: key, attribute: attribute, kind: .list, omitted: omitted)
  }
  /// A boolean whose word says `value`; the other value is the default and stays unwritten.
  static func flag(_ key: String, _ attribute: String, _ value: Bool = true) -> Self {
    Self(key: key, attribute: attribute, kind: .flag(value), omitted: .boolean(!value))
  }

  var example: String {
    switch kind {
    case .pair: "\(key)2 or \(key)2x1"
    case .integer: "\(key)2"
    case .real: "\(key)0.1"
    case .string: "\(key)…"
    case .list: "\(key)a,b;c"
    case .flag: key
    }
  }

  func value(of word: Substring) -> AttributeValue? {
    let rest = word.dropFirst(key.count)
    switch kind {
    case .flag(let value): return rest.isEmpty ? .boolean(value) : nil
    case .string: return rest.isEmpty ? nil : .string(String(rest))
    case .list:
      let parts = rest.split(separator: ";", omittingEmptySubsequences: false)
      return rest.isEmpty ? nil : .strings(parts.map { $0.split(separator: ",").joined(separator: " ") })
    case .integer: return Int(rest).map(AttributeValue.integer)
    case .real:
      if let single = Double(rest) { return .real(single) }
      let parts = rest.split(separator: ",").map { Double($0) }
      return parts.count == 2 ? parts[0].flatMap { first in parts[1].map { .reals([first, $0]) } } : nil
    case .pair:
      if let both = Int(rest) { return .integer(both) }
      let parts = rest.split(separator: "x").map { Int($0) }
      if parts.count == 2, let height = parts[0], let width = parts[1] { return .integers([height, width]) }
      return ["same", "valid"].contains(rest) ? .string(String(rest)) : nil
    }
  }

  /// The word, or `nil` where the attribute is absent or at its default.
  func text(in attributes: Attributes) -> String? {
    guard let value = attributes[attribute], value != omitted else { return nil }
    switch (kind, value) {
    case (.flag, _): return key
    case (_, .integers(let values)) where values.count == 2:
      return key + Pair(values[0], values[1]).description
    case (_, .reals(let values)): return key + values.map { "\($0)" }.joined(separator: ",")
    case (.list, .strings(let values)):
      return key + values.map { $0.split(separator: " ").joined(separator: ",") }.joined(separator: ";")
    case (_, .integer(let value)): return "\(key)\(value)"
    case (_, .real(let value)): return "\(key)\(value)"
    case (_, .string(let value)): return key + value
    default: return nil
    }
  }
}

extension AttributeValue {
  /// One integer where both are equal, as a person would write it.
  static func pair(_ pair: Pair) -> AttributeValue {
    pair.height == pair.width ? .integer(pair.height) : .integers([pair.height, pair.width])
  }
}
