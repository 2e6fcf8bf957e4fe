import Foundation
import TestSupport
import Testing

/// What the pages and the helps tell people to type, they can type: every command is run, or parsed where it takes weights
/// or peers that are not here.
@Suite struct DocumentedCommandTests {
  @Test func everyDocumentedCommandIsInTheTable() throws {
    let tree = try CommandTree.whole()
    let commands = try DocumentedCommand.all().filter { !$0.isScript && !$0.isVerb }
    #expect(commands.count > 100)
    for command in commands {
      if command.isMention {
        let words = command.text.split(separator: " ").dropFirst().map(String.init)
        #expect(tree.unknownWord(in: Array(words.prefix(1))) == nil, "\(command)")
      } else {
        #expect(
          DocumentedTreatment.table[command.text] != nil,
          "\(command) is documented and not tested: add it to DocumentedTreatment.table")
      }
    }
    let texts = Set(commands.map(\.text))
    for text in DocumentedTreatment.table.keys.sorted() {
      #expect(texts.contains(text), "\(text) is documented nowhere: take it out of DocumentedTreatment.table")
    }
  }

  @Test func everyDocumentedVerbIsATarget() throws {
    let makefile = try String(contentsOf: Repository.root.appending(path: "Makefile"), encoding: .utf8)
    let targets = Set(makefile.matches(of: /(?:^|\n)([a-z][a-z-]*):/).map { String($0.1) })
    let commands = try DocumentedCommand.all()
    let verbs = commands.compactMap { command in
      command.text.firstMatch(of: /(?:^| )make (?:-C \S+ )?([a-z][a-z-]*)/).map { (String($0.1), command) }
    }
    #expect(verbs.count > 5)
    for (verb, command) in verbs { #expect(targets.contains(verb), "\(command)") }
  }

  @Test func everyDocumentedScriptHasItsOptions() throws {
    let commands = try DocumentedCommand.all().filter(\.isScript)
    #expect(!commands.isEmpty)
    for command in commands {
      let words = command.text.split(separator: " ").map(String.init)
      let script = try #require(words.dropFirst().first)
      // From the project's folder, or from that of the page.
      let page = Repository.root.appending(path: command.source).deletingLastPathComponent()
      let places = [Repository.root, page].map { $0.appending(path: script) }
      let file = try #require(places.first { FileManager.default.fileExists(atPath: $0.path) }, "\(command)")
      let source = try String(contentsOf: file, encoding: .utf8)
      for option in words where option.hasPrefix("--") { #expect(source.contains("\"\(option)\""), "\(command)") }
    }
  }
}

/// A third of the commands, one after the other: most of them wait, and all at once would be too many.
@Suite(.serialized, .waiting) struct FirstDocumentedCommandTests {
  @Test(arguments: DocumentedWork.commands(ofPart: 0)) func works(_ text: String) throws {
    try DocumentedWork.works(text)
  }
}

@Suite(.serialized, .waiting) struct SecondDocumentedCommandTests {
  @Test(arguments: DocumentedWork.commands(ofPart: 1)) func works(_ text: String) throws {
    try DocumentedWork.works(text)
  }
}

@Suite(.serialized, .waiting) struct ThirdDocumentedCommandTests {
  @Test(arguments: DocumentedWork.commands(ofPart: 2)) func works(_ text: String) throws {
    try DocumentedWork.works(text)
  }
}

/// Runs a documented command as the table says.
enum DocumentedWork {
  static func commands(ofPart part: Int) -> [String] {
    let all = DocumentedTreatment.table.merging(DocumentedTreatment.alone) { $1 }.keys.sorted()
    return all.enumerated().filter { $0.offset % 3 == part }.map(\.element)
  }

  static func works(_ text: String) throws {
    let treatment = try #require(DocumentedTreatment.table[text] ?? DocumentedTreatment.alone[text])
    switch treatment {
    case .exits(let codes, let preparations):
      let folder = try ExampleFolder(for: preparations + [text])
      for line in preparations { try prepare(line, in: folder) }
      let run = try folder.run(text)
      #expect(codes.contains(run.exitCode), "\(run.exitCode): \(run.output.suffix(2_000))\(run.errors.suffix(2_000))")
    case .begins(let other, let preparations):
      let folder = try ExampleFolder(for: preparations + [text])
      for line in preparations { try prepare(line, in: folder) }
      // Words that it does not take are refused at once; by then it either says something or has been at work for a while.
      let command = try folder.start("exec \(text)")
      command.waitForWork(cpuSeconds: 0.5, atMost: 2)
      command.send(SIGINT)
      let run = CommandRun(command)
      #expect(
        [0, 2, other].contains(run.exitCode), "\(run.exitCode): \(run.output.suffix(2_000))\(run.errors.suffix(2_000))")
    case .parses:
      let tree = try CommandTree.whole()
      let list = try ExampleFolder(for: []).run("set -f; printf '%s\\n' \(text)").output.split(separator: "\n").map(
        String.init)
      let words = list.drop { $0 != "assay" }.dropFirst()
      #expect(!words.isEmpty && tree.unknownWord(in: Array(words)) == nil, "\(words)")
    }
  }

  private static func prepare(_ line: String, in folder: ExampleFolder) throws {
    let run = try folder.run(line)
    #expect(run.exitCode == 0 || line.hasPrefix("timeout"), "\(line): \(run.exitCode) \(run.errors.suffix(2_000))")
  }
}
