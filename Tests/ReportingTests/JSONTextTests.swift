import Foundation
import Reporting
import Testing

@Suite struct JSONTextTests {
  private struct Value: Encodable {
    var second_key = 1.5
    var firstKey = ["aName/b": Double.infinity]
  }

  private func text(_ data: Data) -> String { String(decoding: data, as: UTF8.self) }

  @Test func ownKeysAreSnakeCaseAndNamesStay() throws {
    let line = try text(JSONText.data(Value(), isPretty: false))
    #expect(line == #"{"first_key":{"aName/b":"Infinity"},"second_key":1.5}"# + "\n")
    #expect(try text(JSONText.data(Value())).hasPrefix("{\n  \"first_key\" : {\n"))
  }

  /// Somebody else's schema has no strings in the place of numbers.
  @Test func givenKeysStayAndSoDoNumbers() throws {
    #expect(throws: EncodingError.self) { try JSONText.data(Value(), keys: .given) }
    let value = Value(firstKey: [:])
    #expect(
      try text(JSONText.data(value, keys: .given, isPretty: false)) == #"{"firstKey":{},"second_key":1.5}"# + "\n")
  }
}
