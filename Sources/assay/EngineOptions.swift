import ArgumentParser
import Engines
import Foundation
import Results

/// Which engines a command asks, and what they are held to: the same options wherever an engine may be named.
struct EngineOptions: ParsableArguments {
  @Option(
    help: """
      An engine: a built-in name, one of \(EngineLookup.standardFile), or NAME='COMMAND …'. May be repeated (without any: the \
      reference, or what the suite names).
      """)
  var engine: [String] = []

  @Option(
    help: ArgumentHelp(
      """
      A shared library built against assay.h, as an engine: FILE, or NAME=FILE (without a name: the file's). A child process \
      of this program holds it. May be repeated.
      """, valueName: "[name=]file"), completion: .file(extensions: ["so", "dylib"]))
  var library: [String] = []

  @Option(
    help: ArgumentHelp(
      """
      Which symbol of the libraries, or of the one of that name, computes an operation (default: assay_OPERATION). May be \
      repeated.
      """, valueName: "[name:]operation=symbol"),
    transform: LibrarySymbol.init)
  var symbol: [LibrarySymbol] = []

  @Option(
    help: """
      Seconds, at most 86400, that an engine in another process has for a reply (default: 60, or its declaration's).
      """)
  var timeout: Double?

  @OptionGroup var surroundings: EngineSurroundingsOptions

  func validate() throws {
    try OptionRange.requireTimeout(timeout)
    let names = library.map { LibraryWord(library: $0).name }
    for symbol in symbol {
      if let name = symbol.library, !names.contains(name) {
        throw ValidationError("--symbol \(symbol): expected the name of a --library, found '\(name)'.")
      }
    }
    if !symbol.isEmpty, library.isEmpty { throw ValidationError("--symbol needs --library.") }
  }

  /// The engines that were named, one word each.
  var words: [String] {
    engine
      + library.map { argument in
        var word = LibraryWord(library: argument)
        for symbol in symbol where symbol.library == nil || symbol.library == word.name {
          word.symbols[symbol.operation] = symbol.symbol
        }
        return word.word
      }
  }
}

/// `conv2d=my_convolution`, or `mine:conv2d=my_convolution` for one library of several.
struct LibrarySymbol: Sendable, CustomStringConvertible {
  let library: String?
  let operation: String
  let symbol: String

  init(_ text: String) throws {
    let parts = text.split(separator: "=", maxSplits: 1).map(String.init)
    let subject = (parts.first ?? "").split(separator: ":", maxSplits: 1).map(String.init)
    guard parts.count == 2, let operation = subject.last,
      parts[1].allSatisfy({ $0.isASCII && ($0.isLetter || $0.isNumber || "_.$".contains($0)) })
    else {
      throw ValidationError(
        "'\(text.printable)': expected OPERATION=SYMBOL such as conv2d=my_convolution, or NAME:OPERATION=SYMBOL")
    }
    library = subject.count == 2 ? subject[0] : nil
    self.operation = operation
    symbol = parts[1]
  }

  var description: String { (library.map { "\($0):" } ?? "") + "\(operation)=\(symbol)" }
}
