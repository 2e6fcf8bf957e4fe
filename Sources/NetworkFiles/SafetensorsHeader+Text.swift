import GoldenFiles

// The header's JSON. Foundation's parser takes the last of two equal keys and any depth; here both are an error, and what
// is no header is refused at its first odd byte.

extension SafetensorsHeader {
  /// - Parameters:
  ///   - json: the bytes of the header, with the blanks that fill it up.
  ///   - path: the file, for messages.
  ///   - limits: how many tensors there may be.
  /// - Throws: ``GoldenFiles/GoldenFileError`` with the byte at which it is no header.
  package init(json: [UInt8], file path: String, limits: GoldenLimits) throws(GoldenFileError) {
    var scanner = SafetensorsScanner(json, file: path)
    guard json.isEmpty || json.first == UInt8(ascii: "{") else {
      throw scanner.error(.damaged, "'{' at its first byte", "another")
    }
    var header = SafetensorsHeader()
    try scanner.object("the header") { (scanner, name) throws(GoldenFileError) in
      if name == Self.metadataKey {
        try scanner.object(name) { (scanner, key) throws(GoldenFileError) in
          header.metadata[key] = try scanner.string("a text for \(key)")
        }
      } else {
        guard header.entries.count < limits.maximumCases else {
          throw scanner.error(.tooLarge, "at most \(limits.maximumCases) tensors", "more")
        }
        header.entries.append(try Entry(named: name, &scanner))
      }
    }
    try scanner.end()
    self = header
  }

  /// As ``init(json:file:limits:)`` reads it, filled up so that the elements begin at a multiple of eight.
  var json: [UInt8] {
    func quoted(_ text: String) -> String {
      var quoted = "\""
      for scalar in text.unicodeScalars {
        switch scalar {
        case "\"", "\\": quoted += "\\\(scalar)"
        case _ where scalar.value < 0x20:
          let digits = String(scalar.value, radix: 16)
          quoted += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
        default: quoted.unicodeScalars.append(scalar)
        }
      }
      return quoted + "\""
    }
    let texts = metadata.sorted { $0.key < $1.key }.map { "\(quoted($0.key)):\(quoted($0.value))" }
    var members = texts.isEmpty ? [] : ["\(quoted(Self.metadataKey)):{\(texts.joined(separator: ","))}"]
    members += entries.map { entry in
      let extents = entry.shape.map(String.init).joined(separator: ",")
      return "\(quoted(entry.name)):{\"dtype\":\"\(entry.type.rawValue)\",\"shape\":[\(extents)],"
        + "\"data_offsets\":[\(entry.begin),\(entry.end)]}"
    }
    let bytes = Array("{\(members.joined(separator: ","))}".utf8)
    return bytes + Array(repeating: UInt8(ascii: " "), count: (8 - bytes.count % 8) % 8)
  }
}

extension SafetensorsHeader.Entry {
  fileprivate init(named name: String, _ scanner: inout SafetensorsScanner) throws(GoldenFileError) {
    var type: SafetensorsType?
    var (shape, offsets): ([Int]?, [Int]?)
    try scanner.object("/\(name)") { (scanner, key) throws(GoldenFileError) in
      switch key {
      case "dtype":
        let text = try scanner.string("a dtype for \(name)")
        guard let known = SafetensorsType(rawValue: text) else {
          let names = SafetensorsType.allCases.map(\.rawValue).joined(separator: ", ")
          throw GoldenFileError(
            .wrongType, file: scanner.file, object: "/\(name)", expected: "one of \(names)", found: "'\(text)'",
            advice: "convert the tensor before it is saved")
        }
        type = known
      case "shape": shape = try scanner.integers()
      case "data_offsets": offsets = try scanner.integers()
      default: throw scanner.error(.damaged, "dtype, shape or data_offsets of \(name)", "'\(key)'")
      }
    }
    guard let type, let shape, let offsets, offsets.count == 2 else {
      throw GoldenFileError(
        .missing, file: scanner.file, object: "/\(name)", expected: "dtype, shape, and data_offsets of two numbers",
        found: "not all of them", advice: "the file is damaged")
    }
    self.init(name: name, type: type, shape: shape, begin: offsets[0], end: offsets[1])
  }
}

/// Reads JSON of objects, texts and lists of integers, and nothing else: no value leads to another call of itself, so no
/// depth of nesting can exhaust the stack.
struct SafetensorsScanner {
  let file: String
  private let bytes: [UInt8]
  private var position = 0
  /// The most numbers in one list.
  private static let longestList = 64

  init(_ bytes: [UInt8], file: String) {
    self.bytes = bytes
    self.file = file
  }

  func error(_ kind: GoldenFileError.Kind, _ expected: String, _ found: String) -> GoldenFileError {
    GoldenFileError(
      kind, file: file, object: "header byte \(position)", expected: expected, found: found,
      advice: "the file is damaged, or no safetensors file")
  }

  private func unexpected(_ expected: String) -> GoldenFileError {
    guard position < bytes.count else { return error(.damaged, expected, "the header's end") }
    let byte = bytes[position]
    let isPrintable = (0x21..<0x7f).contains(byte)
    return error(
      .damaged, expected, isPrintable ? "'\(Character(Unicode.Scalar(byte)))'" : "byte \(byte)")
  }

  private mutating func skipBlanks() {
    while position < bytes.count, [0x20, 0x09, 0x0a, 0x0d].contains(bytes[position]) { position += 1 }
  }

  /// Takes the byte if it comes next.
  private mutating func take(_ character: Unicode.Scalar) -> Bool {
    skipBlanks()
    guard position < bytes.count, bytes[position] == UInt8(ascii: character) else { return false }
    position += 1
    return true
  }

  private mutating func require(_ character: Unicode.Scalar, _ place: String) throws(GoldenFileError) {
    guard take(character) else { throw unexpected("'\(Character(character))' \(place)") }
  }

  /// An object whose keys differ; `member` takes the value of each.
  mutating func object(
    _ name: String, _ member: (inout Self, String) throws(GoldenFileError) -> Void
  ) throws(GoldenFileError) {
    try require("{", "that begins \(name)")
    guard !take("}") else { return }
    var keys: Set<String> = []
    repeat {
      let key = try string("a key of \(name)")
      guard keys.insert(key).inserted else { throw error(.damaged, "each key of \(name) once", "'\(key)' again") }
      try require(":", "after '\(key)'")
      try member(&self, key)
    } while take(",")
    try require("}", "or ',' in \(name)")
  }

  /// Integers from 0.
  mutating func integers() throws(GoldenFileError) -> [Int] {
    try require("[", "that begins a list of integers")
    guard !take("]") else { return [] }
    var numbers: [Int] = []
    repeat {
      guard numbers.count < Self.longestList else {
        throw error(.tooLarge, "at most \(Self.longestList) numbers in a list", "more")
      }
      numbers.append(try integer())
    } while take(",")
    try require("]", "or ',' in a list of integers")
    return numbers
  }

  private mutating func integer() throws(GoldenFileError) -> Int {
    skipBlanks()
    let digits = bytes[position...].prefix { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
    guard !digits.isEmpty else { throw unexpected("an integer from 0") }
    guard digits.count == 1 || digits.first != UInt8(ascii: "0") else {
      throw error(.damaged, "an integer without zeros before it", String(decoding: digits.prefix(20), as: UTF8.self))
    }
    guard let number = Int(String(decoding: digits.prefix(20), as: UTF8.self)), digits.count < 20 else {
      throw error(.tooLarge, "an integer below 2^63", "one of \(digits.count) digits")
    }
    position += digits.count
    return number
  }

  mutating func string(_ what: String) throws(GoldenFileError) -> String {
    try require("\"", "that begins \(what)")
    var text: [UInt8] = []
    while position < bytes.count, bytes[position] != UInt8(ascii: "\"") {
      let byte = bytes[position]
      guard byte >= 0x20 else { throw unexpected("no control characters in \(what)") }
      position += 1
      if byte == UInt8(ascii: "\\") { text += Array(String(try escape(what)).utf8) } else { text.append(byte) }
    }
    guard position < bytes.count else { throw unexpected("the end of \(what)") }
    position += 1
    guard let valid = String(validating: text, as: UTF8.self) else {
      throw error(.damaged, "\(what) in UTF-8", "other bytes")
    }
    return valid
  }

  /// What stands after a backslash.
  private mutating func escape(_ what: String) throws(GoldenFileError) -> Unicode.Scalar {
    guard position < bytes.count else { throw unexpected("the end of \(what)") }
    let simple: [UInt8: Unicode.Scalar] = [
      UInt8(ascii: "\""): "\"", UInt8(ascii: "\\"): "\\", UInt8(ascii: "/"): "/", UInt8(ascii: "b"): "\u{8}",
      UInt8(ascii: "f"): "\u{c}", UInt8(ascii: "n"): "\n", UInt8(ascii: "r"): "\r", UInt8(ascii: "t"): "\t",
    ]
    if let scalar = simple[bytes[position]] {
      position += 1
      return scalar
    }
    let first = try unit(what)
    if let scalar = Unicode.Scalar(first) { return scalar }
    guard first < 0xdc00, position < bytes.count, bytes[position] == UInt8(ascii: "\\") else {
      throw error(.damaged, "the second half of a surrogate pair", "none")
    }
    position += 1
    let second = try unit(what)
    guard (0xdc00..<0xe000).contains(second),
      let scalar = Unicode.Scalar(0x1_0000 + (first - 0xd800) << 10 + (second - 0xdc00))
    else { throw error(.damaged, "the second half of a surrogate pair", "another unit") }
    return scalar
  }

  /// `u` and four hexadecimal digits.
  private mutating func unit(_ what: String) throws(GoldenFileError) -> UInt32 {
    let digits = bytes[position...].dropFirst().prefix(4)
    guard position < bytes.count, bytes[position] == UInt8(ascii: "u"), digits.count == 4,
      digits.allSatisfy({ Character(Unicode.Scalar($0)).isHexDigit }),
      let unit = UInt32(String(decoding: digits, as: UTF8.self), radix: 16)
    else { throw unexpected("an escape of JSON's in \(what)") }
    position += 5
    return unit
  }

  /// Nothing but the blanks that fill the header up.
  mutating func end() throws(GoldenFileError) {
    while position < bytes.count, bytes[position] == UInt8(ascii: " ") { position += 1 }
    guard position == bytes.count else { throw unexpected("blanks alone after the header") }
  }
}
