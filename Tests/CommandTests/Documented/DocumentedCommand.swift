import Foundation
import TestSupport

/// A command that a page or a `--help` tells people to type.
struct DocumentedCommand: Hashable, CustomStringConvertible {
  let text: String
  /// The file, or `assay verify --help`.
  let source: String

  var description: String { "\(text) (\(source))" }

  /// `assay verify` in running text: the name of a subcommand, not a line to type.
  var isMention: Bool { text.hasPrefix("assay ") && text.split(separator: " ").dropFirst().allSatisfy(\.isPlainWord) }

  var isScript: Bool { text.hasPrefix("python ") }
  /// A verb of the Makefile.
  var isVerb: Bool { text.split(separator: " ").first { !$0.contains("=") } == "make" }

  /// Every command in the project's pages, in its suites' and engines' comments, and in every subcommand's help.
  static func all() throws -> [DocumentedCommand] {
    var found: [DocumentedCommand] = []
    // What tutorials and recipes of a CI have people type, `TutorialTests` and `CIRecipeTests` try.
    func isTriedElsewhere(_ file: URL) -> Bool {
      ["tutorials", "ci"].contains(file.deletingLastPathComponent().lastPathComponent)
    }
    for page in try pages(withExtensions: ["md"]) where !isTriedElsewhere(page) { found += try inPage(page) }
    for file in try pages(withExtensions: ["c", "py", "toml", "yml"]) where !isTriedElsewhere(file) {
      found += try inComments(file)
    }
    try CommandTree.whole().visit { command in
      let source = "\(command.path.joined(separator: " ")) --help"
      for line in command.discussion.split(separator: "\n") { found += commands(in: line, source) }
    }
    return found
  }

  /// The project's own files of these kinds, without what runs and builds made.
  static func pages(withExtensions extensions: Set<String>) throws -> [URL] {
    var pages: [URL] = []
    for name in ["README.md", "METHODOLOGY.md", "CONTRIBUTING.md", "Reports/README.md"] {
      let page = Repository.root.appending(path: name)
      if extensions.contains(page.pathExtension) { pages.append(page) }
    }
    for folder in ["Fixtures", "Benchmarks"] {
      let files = FileManager.default.enumerator(
        at: Repository.root.appending(path: folder), includingPropertiesForKeys: nil)
      for case let file as URL in files ?? .init() where extensions.contains(file.pathExtension) { pages.append(file) }
    }
    return pages.sorted { $0.path < $1.path }
  }

  private static func name(_ file: URL) -> String {
    String(file.path.dropFirst(Repository.root.path.count).drop { $0 == "/" })
  }

  /// Blocks of code, fenced or indented, line by line; elsewhere what stands between backquotes.
  private static func inPage(_ file: URL) throws -> [DocumentedCommand] {
    var found: [DocumentedCommand] = []
    var isFenced = false
    for line in try String(contentsOf: file, encoding: .utf8).split(separator: "\n", omittingEmptySubsequences: false) {
      if line.hasPrefix("```") {
        isFenced.toggle()
      } else if isFenced || line.hasPrefix("    ") {
        found += commands(in: line, name(file))
      } else {
        for span in line.matches(of: /`([^`]+)`/) { found += commands(in: span.1, name(file)) }
      }
    }
    return found
  }

  /// Lines of comments and of a workflow's steps; a step that is folded over several lines is one.
  private static func inComments(_ file: URL) throws -> [DocumentedCommand] {
    let text = try String(contentsOf: file, encoding: .utf8).replacing(/run: >\n(?:[ ]{10,}[^\n]+\n?)+/) { step in
      "run: "
        + step.0.dropFirst("run: >".count).split(separator: "\n").map { $0.drop { $0 == " " } }.joined(separator: " ")
        + "\n"
    }
    return text.split(separator: "\n").flatMap { line in
      var found = commands(in: line.trimmingPrefix(/[\s*#\/]*(?:- )?(?:run: )?/), name(file))
      for span in line.matches(of: /`([^`]+)`/) { found += commands(in: span.1, name(file)) }
      return found
    }
  }

  /// The commands of one line: a prompt before, a remark behind and several beside each other are taken apart.
  private static func commands(in line: Substring, _ source: String) -> [DocumentedCommand] {
    let line = line.trimmingPrefix(/\s*(?:\$ )?/).replacing(/\s{2,}#.*$/, with: "")
    return line.split(separator: /\s{3,}(?=assay )/).compactMap { part in
      let text = part.replacing(/\s{3,}.*$/, with: "").trimmingCharacters(in: .whitespaces)
      guard Self.isCommand(text) else {
        return nil
      }
      return DocumentedCommand(text: text, source: source)
    }
  }
}

extension DocumentedCommand {
  /// Whether a text begins as what one types here.
  private static func isCommand(_ text: String) -> Bool {
    let pattern = #/(?:[A-Z_]+=\S+ )*(?:assay|make|python|\.build/release/assay) /#
    return text.prefixMatch(of: pattern) != nil
  }
}

extension Substring {
  fileprivate var isPlainWord: Bool { wholeMatch(of: /[a-z][a-z-]*/) != nil }
}
