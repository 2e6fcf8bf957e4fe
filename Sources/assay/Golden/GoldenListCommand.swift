import ArgumentParser
import GoldenFiles
import Reporting
import Results

struct GoldenListCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list",
    abstract: "List the cases of golden files: name, operation, fill, tags.",
    discussion: """
      EXAMPLES:
        assay golden list
        assay golden list --tag smoke --filter 'conv2d/*'
        assay golden list mine.h5 | grep adversarial

      No case is 2; a bad file is 65, and the others are still listed.

      \(Outcome.exitCodes)
      """)

  @OptionGroup var selection: GoldenSelection

  @Option(help: "Only cases that carry this tag. May be repeated.")
  var tag: [String] = []

  @Option(help: "Only cases of this operation. May be repeated.")
  var operation: [String] = []

  @OptionGroup var json: JSONOption

  /// What `--json` writes of a case.
  private struct Item: Encodable {
    var name, operation, fill: String
    var tags: [String]
    var expectError: String?
    var file: String
  }

  func run() async throws {
    var table = TextTable(["case", "operation", "fill", "tags", "must be refused as", "file"], figures: [])
    var items: [Item] = []
    var names: [String] = []
    var files = 0
    try json.check()
    var failed = false
    try GoldenSession.run { () throws(GoldenFileError) in
      let reader = try GoldenSession.reader()
      for path in try selection.paths() {
        do throws(GoldenFileError) {
          let file = try reader.open(path)
          files += 1
          names += file.cases.map(\.name)
          for found in file.cases where selection.matches(found) && matches(found) {
            table.add([
              found.name, found.operation, found.fill.rawValue, found.tags.joined(separator: ","),
              found.expectError?.rawValue ?? "", path,
            ])
            items.append(
              Item(
                name: found.name, operation: found.operation, fill: found.fill.rawValue, tags: found.tags.sorted(),
                expectError: found.expectError?.rawValue, file: path))
          }
        } catch {
          GoldenSession.report(error)
          failed = true
        }
      }
    }
    if !table.isEmpty { Console.print(table.text, terminator: "") }
    Console.print("\(items.count) cases in \(files) files")
    for hint in selection.hints(among: names) { Console.note(hint.printable) }
    try json.write(items)
    if failed { try Outcome.badData.end() }
    if items.isEmpty { try Outcome.inconclusive.end() }
  }

  private func matches(_ found: GoldenCaseSummary) -> Bool {
    (tag.isEmpty || !Set(tag).isDisjoint(with: found.tags))
      && (operation.isEmpty || operation.contains(found.operation))
  }
}
