import Foundation

/// A JSON document of any shape, and where in it one stands: every complaint names the place.
struct ForeignJSON {
  private indirect enum Value: Decodable {
    case number(Double), text(String), list([Value]), object([String: Value]), truth(Bool), null

    init(from decoder: any Decoder) throws {
      let container = try decoder.singleValueContainer()
      if let number = try? container.decode(Double.self) {
        self = .number(number)
      } else if let text = try? container.decode(String.self) {
        self = .text(text)
      } else if let list = try? container.decode([Value].self) {
        self = .list(list)
      } else if let object = try? container.decode([String: Value].self) {
        self = .object(object)
      } else if let truth = try? container.decode(Bool.self) {
        self = .truth(truth)
      } else if container.decodeNil() {
        self = .null
      } else {
        throw DecodingError.dataCorrupted(
          .init(codingPath: decoder.codingPath, debugDescription: "expected a value that JSON has"))
      }
    }
  }

  private let value: Value
  private let place: String

  private init(_ value: Value, _ place: String) {
    self.value = value
    self.place = place
  }

  /// - Throws: ``ForeignFault`` for what is no JSON. `NaN` and `Infinity`, which Python writes, are numbers that are none.
  init(_ data: Data) throws(ForeignFault) {
    do { value = try JSONDecoder().decode(Value.self, from: Self.quotingOddNumbers(data)) } catch {
      throw ForeignFault("", expected: "JSON", found: "JSON that is cut short or damaged")
    }
    place = ""
  }

  /// `NaN`, `Infinity` and `-Infinity` outside of strings become strings.
  private static func quotingOddNumbers(_ data: Data) -> Data {
    guard data.range(of: Data("NaN".utf8)) != nil || data.range(of: Data("Infinity".utf8)) != nil else { return data }
    let bytes = [UInt8](data)
    let words = ["NaN", "-Infinity", "Infinity"].map { Array($0.utf8) }
    var result: [UInt8] = []
    result.reserveCapacity(bytes.count + 64)
    var index = 0
    var isInText = false
    while index < bytes.count {
      let byte = bytes[index]
      if isInText, byte == UInt8(ascii: "\\"), index + 1 < bytes.count {
        result += bytes[index...(index + 1)]
        index += 2
        continue
      }
      if byte == UInt8(ascii: "\"") { isInText.toggle() }
      if !isInText, let word = words.first(where: { bytes[index...].starts(with: $0) }) {
        result += [UInt8(ascii: "\"")] + word + [UInt8(ascii: "\"")]
        index += word.count
        continue
      }
      result.append(byte)
      index += 1
    }
    return Data(result)
  }

  /// A member; `nil` where there is none, or `null`.
  subscript(_ key: String) -> ForeignJSON? {
    guard case .object(let members) = value, let member = members[key] else { return nil }
    if case .null = member { return nil }
    return ForeignJSON(member, place.isEmpty ? key : "\(place).\(key)")
  }

  /// - Throws: ``ForeignFault`` without such a member.
  func required(_ key: String) throws(ForeignFault) -> ForeignJSON {
    guard let member = self[key] else { throw fault(expected: "'\(key)'", found: "an object without it") }
    return member
  }

  /// The first of two members that is there.
  /// - Throws: ``ForeignFault`` without either.
  func required(_ key: String, or other: String) throws(ForeignFault) -> ForeignJSON {
    if let member = self[key] { return member }
    return try required(other)
  }

  /// - Throws: ``ForeignFault`` for anything but a list.
  func list() throws(ForeignFault) -> [ForeignJSON] {
    guard case .list(let items) = value else { throw fault(expected: "a list", found: kind) }
    return items.enumerated().map { ForeignJSON($0.element, "\(place)[\($0.offset)]") }
  }

  /// - Throws: ``ForeignFault`` for anything but a number, or a word for one that is none.
  func number() throws(ForeignFault) -> Double {
    switch value {
    case .number(let number): return number
    case .text("NaN"), .text("nan"): return .nan
    case .text("Infinity"), .text("inf"): return .infinity
    case .text("-Infinity"), .text("-inf"): return -.infinity
    default: throw fault(expected: "a number", found: kind)
    }
  }

  /// - Throws: ``ForeignFault`` for anything but text.
  func text() throws(ForeignFault) -> String {
    guard case .text(let text) = value else { throw fault(expected: "text", found: kind) }
    return text
  }

  var isTrue: Bool { if case .truth(true) = value { true } else { false } }

  /// Of a remark that nothing depends on: text or a number as it is written, nothing for all else.
  var remark: String? {
    switch value {
    case .text(let text): text
    case .number(let number): Int(exactly: number).map { "\($0)" } ?? "\(number)"
    case .truth(let truth): "\(truth)"
    case .list, .object, .null: nil
    }
  }

  func fault(expected: String, found: String) -> ForeignFault { ForeignFault(place, expected: expected, found: found) }

  private var kind: String {
    switch value {
    case .number(let number): "\(number)"
    case .text(let text): "'\(text)'"
    case .list: "a list"
    case .object: "an object"
    case .truth(let truth): "\(truth)"
    case .null: "null"
    }
  }
}
