import ArgumentParser
import GoldenFiles
import Reporting
import Results
import Tensors

struct GoldenDiffCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "diff",
    abstract: "Compare two golden files case by case, bit for bit.",
    discussion: """
      Names cases that only one file has, and for the others every attribute and tensor that differs, with the number of
      differing elements and the largest absolute difference.

      EXAMPLES:
        assay golden diff Fixtures/conv2d.h5 regenerated/conv2d.h5
        assay golden diff old.h5 new.h5 --filter 'batch_norm2d/*'

      Files that differ are 1.

      \(Outcome.exitCodes)
      """)

  @Argument(help: "The old file.", completion: .file(extensions: ["h5", "hdf5"]))
  var old: String

  @Argument(help: "The new file.", completion: .file(extensions: ["h5", "hdf5"]))
  var new: String

  @Option(
    help: "Only cases whose name matches this glob; '*' crosses slashes, '=NAME' is a name as it is. May be repeated.")
  var filter: [String] = []

  @OptionGroup var json: JSONOption
  @OptionGroup var colors: ColorOption

  /// What `--json` writes of a difference.
  private struct Item: Encodable {
    var name, subject, difference: String
  }

  func run() async throws {
    try json.check()
    var differences: [GoldenDifference] = []
    try GoldenSession.run { () throws(GoldenFileError) in
      let reader = try GoldenSession.reader()
      differences = try GoldenDifference.all(
        from: try reader.open(old), to: try reader.open(new), matching: filter)
    }
    try json.write(differences.map { Item(name: $0.caseName, subject: $0.subject, difference: $0.text) })
    guard !differences.isEmpty else {
      Console.print(colors.color.good("no difference"))
      return
    }
    let rows = differences.map { [$0.caseName, $0.subject, $0.text] }
    Console.print(TextTable(["case", "what", "difference"], rows, words: 3).text, terminator: "")
    let cases = Set(differences.map(\.caseName)).count
    Console.print(colors.color.bad("\(differences.count) differences in \(cases) cases"))
    try Outcome.fails.end()
  }
}
