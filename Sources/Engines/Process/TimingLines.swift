import Foundation

/// The two lines that pass between the tool and an engine for each slice that is timed.
///
/// They are written, and read in their plain form, without the JSON library: after a kernel has swept the caches its code
/// is cold, and it took 0.3 ms of a slice of 20 ms, of which measuring may cost 1 %. A line in any other form of JSON is
/// left to the library.
enum TimingLines {
  // MARK: Writing

  /// `nil` when the handle needs JSON's escapes.
  static func request(id: Int, _ time: EngineMessages.Time) -> Data? {
    guard time.handle.utf8.allSatisfy({ $0 >= 0x20 && $0 < 0x7F && $0 != quote && $0 != backslash }) else { return nil }
    let sets = time.sets.map { ",\"sets\":[\($0.map(String.init).joined(separator: ","))]" } ?? ""
    let parameters = "{\"cold\":\(time.cold),\"handle\":\"\(time.handle)\",\"iterations\":\(time.iterations)\(sets)}"
    return Data("{\"id\":\(id),\"method\":\"time\",\"params\":\(parameters)}".utf8)
  }

  /// Durations in whole nanoseconds.
  static func reply(id: Int, nanoseconds: [UInt64]) -> Data {
    Data("{\"id\":\(id),\"result\":{\"nanoseconds\":[\(nanoseconds.map { "\($0)" }.joined(separator: ","))]}}".utf8)
  }

  // MARK: Reading

  static func request(_ line: Data) -> (id: Int, time: EngineMessages.Time)? {
    var scanner = Scanner(line)
    guard scanner.skip("{\"id\":"), let id = scanner.integer(),
      scanner.skip(",\"method\":\"time\",\"params\":{\"cold\":")
    else { return nil }
    let cold = scanner.skip("true")
    guard cold || scanner.skip("false"), scanner.skip(",\"handle\":\""), let handle = scanner.text(),
      scanner.skip(",\"iterations\":"), let iterations = scanner.integer()
    else { return nil }
    var sets: [Int]?
    if scanner.skip(",\"sets\":[") {
      let found = scanner.integers()
      guard scanner.skip("]") else { return nil }
      sets = found
    }
    guard scanner.skip("}}"), scanner.isAtEnd else { return nil }
    return (id, EngineMessages.Time(handle: handle, sets: sets, iterations: iterations, cold: cold))
  }

  static func reply(_ line: [UInt8]) -> (id: Int, times: EngineMessages.Times)? {
    var scanner = Scanner(line)
    guard scanner.skip("{\"id\":"), let id = scanner.integer(), scanner.skip(",\"result\":{\"nanoseconds\":[") else {
      return nil
    }
    let nanoseconds = scanner.integers().map { Double($0) }
    guard scanner.skip("]}}"), scanner.isAtEnd else { return nil }
    return (id, EngineMessages.Times(nanoseconds: nanoseconds))
  }

  private static let quote = UInt8(ascii: "\"")
  private static let backslash = UInt8(ascii: "\\")

  /// Goes over a line from its start. Blanks may stand after a colon or a comma, as Python writes them.
  private struct Scanner {
    private let bytes: [UInt8]
    private var position = 0

    init(_ line: some Sequence<UInt8>) { bytes = Array(line) }

    var isAtEnd: Bool { position == bytes.count }

    private mutating func skipBlanks() {
      while position < bytes.count, bytes[position] == UInt8(ascii: " ") { position += 1 }
    }

    /// Passes over `literal`, or stays where it is.
    mutating func skip(_ literal: StaticString) -> Bool {
      let start = position
      let found = literal.withUTF8Buffer { expected in
        for byte in expected {
          guard position < bytes.count, bytes[position] == byte else { return false }
          position += 1
          if byte == UInt8(ascii: ":") || byte == UInt8(ascii: ",") { skipBlanks() }
        }
        return true
      }
      if !found { position = start }
      return found
    }

    /// A number of at most 18 digits without sign, fraction or exponent.
    mutating func integer() -> Int? {
      let start = position
      var value = 0
      while position < bytes.count, position - start < 18, bytes[position] >= UInt8(ascii: "0"),
        bytes[position] <= UInt8(ascii: "9")
      {
        value = 10 * value + Int(bytes[position] - UInt8(ascii: "0"))
        position += 1
      }
      return position > start ? value : nil
    }

    /// Numbers with commas between them.
    mutating func integers() -> [Int] {
      var found: [Int] = []
      while let number = integer() {
        found.append(number)
        if !skip(",") { break }
      }
      return found
    }

    /// Characters up to and with the closing quote; `nil` where one is escaped.
    mutating func text() -> String? {
      guard let end = bytes[position...].firstIndex(of: TimingLines.quote) else { return nil }
      let characters = bytes[position..<end]
      guard !characters.contains(TimingLines.backslash) else { return nil }
      position = end + 1
      return String(decoding: characters, as: UTF8.self)
    }
  }
}
