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

  func run() async throws {
    var table = TextTable(["case", "operation", "fill", "tags", "must be refused as", "file"], figures: [])
    var names: [String] = []
    var count = 0
    var files = 0
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
            count += 1
          }
        } catch {
          GoldenSession.report(error)
          failed = true
        }
      }
    }
    if !table.isEmpty { Console.print(table.text, terminator: "") }
    Console.print("\(count) cases in \(files) files")
    for hint in selection.hints(among: names) { Console.note(hint.printable) }
    if failed { try Outcome.badData.end() }
    if count == 0 { try Outcome.inconclusive.end() }
  }

  private func matches(_ found: GoldenCaseSummary) -> Bool {
    (tag.isEmpty || !Set(tag).isDisjoint(with: found.tags))
      && (operation.isEmpty || operation.contains(found.operation))
  }
}
