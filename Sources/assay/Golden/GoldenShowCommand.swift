import ArgumentParser
import GoldenFiles
import Reporting
import Results

struct GoldenShowCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "show",
    abstract: "Show a golden file's header, or one case with its attributes and tensors.",
    discussion: """
      EXAMPLES:
        assay golden show Fixtures/conv2d.h5
        assay golden show Fixtures/conv2d.h5 /conv2d/stride2/odd_input/exact
        assay golden show mine.h5 /relu/small --values 20
        assay golden show mine.h5 /relu/small --json case.json

      A bad file, or one without a case of this name, is 65.

      \(Outcome.exitCodes)
      """)

  @Argument(help: "A golden file.", completion: .file(extensions: ["h5", "hdf5"]))
  var file: String

  @Argument(help: "The name of a case; without one the header is shown.")
  var name: String?

  @Option(help: "How many elements of each tensor are printed.")
  var values = 6

  func validate() throws {
    try OptionRange.require(values, "--values", in: 0...1_000_000)
  }

  @OptionGroup var json: JSONOption

  func run() async throws {
    try json.check()
    var shown: (any Encodable)?
    try GoldenSession.run { () throws(GoldenFileError) in
      let opened = try GoldenSession.reader().open(file)
      if let name {
        let found = ShownCase(try opened.load(named: name), values: values)
        Console.print(found.text, terminator: "")
        shown = found
      } else {
        let found = ShownFile(opened)
        Console.print(found.text, terminator: "")
        shown = found
      }
    }
    if let shown { try json.write(shown) }
  }
}
