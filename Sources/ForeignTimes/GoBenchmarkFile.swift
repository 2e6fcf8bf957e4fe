import Foundation
import RunAnalysis

/// The text of `go test -bench`, with `-count` a line for each block, and `benchmarks.txt` of a run.
///
/// - Source: golang.org/design/14313-benchmark-format. Lines that are nothing of it are passed over, as the format demands.
enum GoBenchmarkFile {
  private static let prefix = "Benchmark"
  /// Of the units that may stand on a line, those of time.
  private static let units = ["ns/op": 1.0, "sec/op": 1e9]

  /// Whether one of the first lines is a benchmark's, with figures.
  static func isOne(_ text: String) -> Bool {
    text.split(maxSplits: 200, whereSeparator: \.isNewline).prefix(200).contains { (result($0)?.count ?? 0) >= 4 }
  }

  /// The words of a benchmark's line: a name that goes on without a small letter, how often it ran, and the rest. `nil` of any
  /// other line, such as prose that begins with the word, or the name alone, which `-v` prints before the figures.
  private static func result(_ line: Substring) -> [String]? {
    guard line.hasPrefix(prefix), line.dropFirst(prefix.count).first?.isLowercase != true else { return nil }
    let words = line.split(whereSeparator: \.isWhitespace).map(String.init)
    return words.count > 1 && Int(words[1]) != nil ? words : nil
  }

  static func times(_ text: String) throws(ForeignFault) -> StoredTimes {
    var samples = ForeignSamples()
    var settings: [String: String] = [:]
    for (index, line) in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).enumerated() {
      if let words = result(line) {
        try read(words, "line \(index + 1)", settings["pkg"], into: &samples)
      } else if let (key, value) = setting(line) {
        settings[key] = value
      }
    }
    let system = settings["os"] ?? [settings["goos"], settings["goarch"]].compactMap { $0 }.joined(separator: " ")
    return StoredTimes(
      program: "Go benchmarks", started: settings["date"] ?? "", commit: settings["commit"],
      surroundings: [
        .init("CPU model", settings["cpu"], isKey: true), .init("number of cores", settings["cores"], isKey: true),
        .init("instruction set", settings["isa"], isKey: true), .init("operating system", system, isKey: true),
        .init("compiler", settings["compiler"], isKey: true),
        .init("compiler flags", settings["compiler-flags"], isKey: true),
        .init("precision", settings["precision"], isKey: true), .init("commit", settings["commit"]),
        .init("toolchain", settings["toolchain"]), .init("Assay's version", settings["assay"]),
      ], entries: samples.entries)
  }

  private static func read(
    _ words: [String], _ place: String, _ package: String?, into samples: inout ForeignSamples
  ) throws(ForeignFault) {
    guard words.count >= 4, words.count % 2 == 0 else {
      throw ForeignFault(place, expected: "pairs of a figure and its unit", found: words.joined(separator: " "))
    }
    let name = String(words[0].dropFirst(prefix.count))
    for pair in stride(from: 2, to: words.count, by: 2) {
      guard let figure = Double(words[pair]) else {
        throw ForeignFault(place, expected: "a number", found: "'\(words[pair])'")
      }
      guard let factor = units[words[pair + 1]] else { continue }
      try samples.add(figure * factor, to: package.map { "\($0).\(name)" } ?? name)
    }
  }

  /// `key: value`; the key begins with a small letter and has neither blanks nor capitals.
  private static func setting(_ line: Substring) -> (String, String)? {
    guard let first = line.first, first.isLowercase, let colon = line.firstIndex(of: ":") else { return nil }
    let key = line[..<colon]
    guard !key.contains(where: { $0.isWhitespace || $0.isUppercase }) else { return nil }
    return (String(key), line[line.index(after: colon)...].trimmingCharacters(in: .whitespaces))
  }
}
