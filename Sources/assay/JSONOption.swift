import ArgumentParser
import Foundation
import OperatingSystem
import Reporting
import Results

/// `--json` of every command that has a result.
struct JSONOption: ParsableArguments {
  @Option(
    name: .customLong("json"),
    help: "Write the result as JSON to this file; '-', or no name, is stdout, and the text then goes to stderr.",
    completion: .file(extensions: ["json"]))
  var path: String?

  /// What a reader of stdout wants alone.
  static let output = "-"

  func validate() throws {
    if path == "" { throw ValidationError("--json takes the path of a file, or '-'.") }
  }

  /// Of a command that makes a run: its record, beside the other files.
  var files: [ReportOutput.File] { path.map { [.init(path: $0, content: RunFile.data)] } ?? [] }

  /// Finds out before any work begins whether the file can be written.
  /// - Throws: `AtomicFile.Failure` (exit 74).
  func check() throws(AtomicFile.Failure) {
    if let path, path != Self.output { try AtomicFile.check(path) }
  }

  /// Writes a result, where it was asked for.
  func write(_ result: some Encodable) throws {
    if let path { try Self.write(try JSONText.data(result), to: path) }
  }

  /// - Throws: `AtomicFile.Failure` (exit 74).
  static func write(_ data: Data, to path: String) throws(AtomicFile.Failure) {
    guard path != output else { return Console.printAlone(String(decoding: data, as: UTF8.self)) }
    try AtomicFile.write(data, to: path)
  }

  /// The words with `-` where `--json` has no value, which means stdout.
  static func completed(_ words: [String]) -> [String] {
    var found: [String] = []
    for (index, word) in words.enumerated() {
      found.append(word)
      let next: String = index + 1 < words.count ? words[index + 1] : "--"
      if word == "--json", next.hasPrefix("-"), next != output { found.append(output) }
    }
    return found
  }

  /// Whether these words ask for JSON on stdout.
  static func claimsOutput(_ words: [String]) -> Bool {
    words.contains("--json=\(output)") || zip(words, words.dropFirst()).contains { $0 == "--json" && $1 == output }
  }
}
