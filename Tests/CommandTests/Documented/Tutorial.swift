import Foundation
import TestSupport
import Testing

/// A page of `Benchmarks/engines/tutorials`: what it has people save, type and read, in this order.
struct Tutorial: Sendable {
  enum Step: Sendable, Hashable {
    /// A fenced block that names a file behind its language.
    case file(name: String, text: String)
    /// An indented line; `# 1` behind it is the exit code that it has.
    case command(String, exitCode: Int)
    /// A line of a fenced block without a language: the last command's output has it.
    case prints(String)
  }

  static let folder = Repository.root.appending(path: "Benchmarks/engines/tutorials")

  let name: String
  let steps: [Step]

  init(_ name: String) throws {
    self.name = name
    var steps: [Step] = []
    var file: (name: String, text: String)?
    var fence: Substring?
    let text = try String(contentsOf: Self.folder.appending(path: "\(name).md"), encoding: .utf8)
    for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
      if line.hasPrefix("```") {
        if let whole = file { steps.append(.file(name: whole.name, text: whole.text)) }
        file = nil
        if fence == nil {
          let words = line.dropFirst(3).split(separator: " ")
          if words.count == 2 { file = (String(words[1]), "") }
          fence = line.dropFirst(3)
        } else {
          fence = nil
        }
      } else if let language = fence {
        file?.text += line + "\n"
        if language.isEmpty { steps.append(.prints(String(line))) }
      } else if line.hasPrefix("    ") {
        let parts = line.drop { $0 == " " }.split(separator: /\s{2,}#\s/, maxSplits: 1)
        steps.append(.command(String(parts[0]), exitCode: parts.count == 2 ? Int(parts[1]) ?? 0 : 0))
      }
    }
    self.steps = steps
  }

  var commands: [String] {
    steps.compactMap { step in if case .command(let line, _) = step { line } else { nil } }
  }

  func file(_ name: String) -> String? {
    steps.firstNonNil { step in
      if case .file(name, let text) = step { text } else { nil }
    }
  }

  /// Every page but the list of them.
  static func names() throws -> Set<String> {
    let pages = try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
    return Set(pages.map { $0.deletingPathExtension().lastPathComponent }).subtracting(["README"])
  }

  // MARK: Doing what it says

  /// Saves and types everything in one shell, in a folder that looks like the project's.
  /// - Parameter python: what `python` is.
  func works(python: String = "python3") throws {
    let run = try ExampleFolder(for: []).run(script(python: python))
    let outputs = run.output.split(separator: "\u{1}").map { part in
      part.split(separator: "\n", maxSplits: 1, omittingEmptySubsequences: false)
    }
    try #require(outputs.count == commands.count, "\(name): \(run.output)\(run.errors)")
    var number = -1
    for step in steps {
      switch step {
      case .file: break
      case .command(let line, let exitCode):
        number += 1
        #expect(outputs[number].first == "\(exitCode)", "\(name): \(line): \(outputs[number].joined(separator: "\n"))")
      case .prints(let text):
        let printed = outputs[number].last ?? ""
        #expect(printed.contains(text), "\(name): expected '\(text)' of: \(printed)")
      }
    }
  }

  /// After each command a mark, its exit code, and what it printed.
  private func script(python: String) -> String {
    let home = ProcessInfo.processInfo.environment["HOME"] ?? "/"
    var lines = [
      // A compiler that is chosen in the home folder.
      "export HOME='\(home)'", "mkdir tools",
      "printf '#!/bin/sh\\nexec %s \"$@\"\\n' \"$(command -v '\(python)')\" > tools/python", "chmod +x tools/python",
      "export PATH=\"$PWD/tools:$PATH\"",
    ]
    for step in steps {
      switch step {
      case .file(let name, let text): lines.append("cat > '\(name)' <<'END_OF_THE_FILE'\n\(text)END_OF_THE_FILE")
      case .command(let line, _):
        lines.append("{ \(line)\n} > printed 2>&1; code=$?; printf '\\001%d\\n' $code; cat printed")
      case .prints: break
      }
    }
    return lines.joined(separator: "\n")
  }
}

extension Sequence {
  /// The first result that is one.
  fileprivate func firstNonNil<Result>(_ body: (Element) -> Result?) -> Result? {
    for element in self {
      if let result = body(element) { return result }
    }
    return nil
  }
}
