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
        assay golden validate mine.h5 --json

      A bad file is 65; one line says what is wrong with each.

      \(Outcome.exitCodes)
      """)

  @Argument(
    help: "Golden files, or folders of them (default: \(GoldenCorpus.standardFolder)).",
    completion: .file(extensions: ["h5", "hdf5"]))
  var files: [String] = []

  @OptionGroup var limits: CaseLimitOptions
  @OptionGroup var json: JSONOption
  @OptionGroup var colors: ColorOption

  @Flag(name: .shortAndLong, help: "No progress.")
  var quiet = false

  /// A file, and what `--json` writes of it.
  private struct Item: Encodable {
    var file: String
    var isSound: Bool
    var cases: Int?
    var isListed: Bool?
    /// What is wrong, and where.
    var object, error: String?
  }

  func run() async throws {
    try json.check()
    let found = Mutex<[Item]>([])
    let progress = ProgressDisplay(isQuiet: quiet)
    try Interruption.concluding {
      progress.clear()
      try conclude(found.withLock { $0 })
    } while: {
      defer { progress.clear() }
      try GoldenSession.run { () throws(GoldenFileError) in
        let reader = try limits.reader()
        let paths = try GoldenCorpus.files(at: files.isEmpty ? [Resources().corpus()] : files)
        for (number, path) in paths.enumerated() {
          if Task.isCancelled { break }
          progress.step(done: number, of: paths.count, subject: path)
          do throws(GoldenFileError) {
            let file = try reader.open(path)
            try file.validate()
            found.withLock {
              $0.append(Item(file: path, isSound: true, cases: file.cases.count, isListed: file.isListed))
            }
          } catch {
            progress.clear()
            GoldenSession.report(error)
            found.withLock { $0.append(Item(file: path, isSound: false, object: error.object, error: "\(error)")) }
          }
        }
      }
    }
    try conclude(found.withLock { $0 })
  }

  /// Of what is known so far.
  private func conclude(_ found: [Item]) throws {
    var table = TextTable(["file", "cases", "listed", "verdict"], figures: [1])
    for item in found {
      table.add([
        item.file, item.cases.map { "\($0)" } ?? "–", item.isListed.map { $0 ? "yes" : "no" } ?? "–",
        item.isSound ? "sound" : "bad: \(item.object ?? "")",
      ])
    }
    let color = colors.color
    let text = table.text(painting: 3) { found[$0].isSound ? color.good($1) : color.bad($1) }
    Console.print(text, terminator: "")
    try json.write(found)
    let failed = found.count { !$0.isSound }
    if failed > 0 {
      Console.print(color.bad("\(failed) bad"))
      try Outcome.badData.end()
    }
    if Interruption.isRequested { try Outcome.inconclusive.end() }
  }
}
