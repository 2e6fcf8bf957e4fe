import ArgumentParser
import GoldenFiles
import Reporting
import Results
import Synchronization

struct GoldenValidateCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "validate",
    abstract: "Check that golden files are sound: every case, every tensor.",
    discussion: """
      Checks the digest of listed files, links, types, shapes, storage, checksums, the number of cases, and that each case
      makes sense to its own operation. Nothing is computed and no engine is asked.

      EXAMPLES:
        assay golden validate
        assay golden validate mine.h5 folder/

      A bad file is 65; one line says what is wrong with each.

      \(Outcome.exitCodes)
      """)

  @Argument(
    help: "Golden files, or folders of them (default: \(GoldenCorpus.standardFolder)).",
    completion: .file(extensions: ["h5", "hdf5"]))
  var files: [String] = []

  @OptionGroup var limits: CaseLimitOptions
  @OptionGroup var colors: ColorOption

  func run() async throws {
    let found = Mutex(Found())
    try Interruption.concluding {
      try conclude(found.withLock { $0 })
    } while: {
      try GoldenSession.run { () throws(GoldenFileError) in
        let reader = try limits.reader()
        for path in try GoldenCorpus.files(at: files.isEmpty ? [Resources().corpus()] : files) {
          if Task.isCancelled { break }
          do throws(GoldenFileError) {
            let file = try reader.open(path)
            try file.validate()
            found.withLock { $0.table.add([path, "\(file.cases.count)", file.isListed ? "yes" : "no", Found.sound]) }
          } catch {
            GoldenSession.report(error)
            found.withLock { found in
              found.table.add([path, "–", "–", "bad: \(error.object)"])
              found.failed += 1
            }
          }
        }
      }
    }
    try conclude(found.withLock { $0 })
  }

  /// What is known so far.
  private struct Found {
    static let sound = "sound"
    var table = TextTable(["file", "cases", "listed", "verdict"], figures: [1])
    var failed = 0
  }

  private func conclude(_ found: Found) throws {
    let color = colors.color
    let text = found.table.text(painting: 3) { $1 == Found.sound ? color.good($1) : color.bad($1) }
    Console.print(text, terminator: "")
    if found.failed > 0 {
      Console.print(color.bad("\(found.failed) bad"))
      try Outcome.badData.end()
    }
    if Interruption.isRequested { try Outcome.inconclusive.end() }
  }
}
