import Foundation

/// JSON as this program writes it: same value, same bytes. Keys are sorted, and each value ends its line.
public enum JSONText {
  /// How the names of Swift's properties become keys.
  public enum Keys: Sendable {
    /// `lowerCamelCase` becomes `snake_case`. JSON has no NaN and no infinities: they are the strings `NaN`, `Infinity`,
    /// `-Infinity`.
    case own
    /// As they are, since somebody else's schema says so; a number that JSON has not is an error.
    case given
  }

  /// - Parameters:
  ///   - value: what is written.
  ///   - keys: how its members are called.
  ///   - isPretty: a line for each member, or the whole value on one line.
  public static func data(_ value: some Encodable, keys: Keys = .own, isPretty: Bool = true) throws -> Data {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    if isPretty { encoder.outputFormatting.insert(.prettyPrinted) }
    if keys == .own {
      encoder.keyEncodingStrategy = .convertToSnakeCase
      encoder.nonConformingFloatEncodingStrategy = .convertToString(
        positiveInfinity: "Infinity", negativeInfinity: "-Infinity", nan: "NaN")
    }
    return try encoder.encode(value) + Data("\n".utf8)
  }

  /// Reads what ``Keys/own`` wrote.
  /// - Throws: a `DecodingError` that names the place.
  public static func read<Value: Decodable>(_ type: Value.Type, from data: Data) throws -> Value {
    try decoder.decode(type, from: data)
  }

  /// The reader of what ``Keys/own`` writes.
  static var decoder: JSONDecoder {
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    decoder.nonConformingFloatDecodingStrategy = .convertFromString(
      positiveInfinity: "Infinity", negativeInfinity: "-Infinity", nan: "NaN")
    return decoder
  }
}
