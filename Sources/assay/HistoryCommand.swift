import ArgumentParser
import ForeignTimes
import Foundation
import Problems
import Reporting
import Results
import RunAnalysis

struct HistoryCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "history",
    abstract: "The times of every benchmark over a folder of runs, and where they changed.",
    discussion: """
      Runs are keyed by CPU, cores, instruction set, system, compiler and flags. A change is a place where a series' level is
      another, found in windows of runs and tested by ranks; it is confirmed when it is certain among all series (false discovery
      rate 5 %), and weak until then. A merged run and the parts beside it count once. Files of Google Benchmark, hyperfine,
      pytest-benchmark, Criterion and go test -bench are read, too; in the folder of a run they are that run.

      With --out there is history.html with a chart for each benchmark, and Apache Otava's otava.yaml with its tables.

      EXAMPLES:
        assay history Reports
        assay history Reports --filter '*k64r3s3*' --out Reports/history

      No run with a benchmark, or none that matches, is 2.

      \(Outcome.exitCodes)
      """)

  @Argument(help: "A folder that holds runs, at any depth.", completion: .directory)
  var directory: String

  @Option(help: "Only benchmarks whose name matches this glob ('=NAME': a name as it is). May be repeated.")
  var filter: [String] = []

  @Option(help: "Write history.html, run.json and the other reports to this folder.", completion: .directory)
  var out: String?

  @OptionGroup var json: JSONOption
  @OptionGroup var colors: ColorOption

  /// Changes and other sentences that the terminal shows.
  private static let shown = 20

  func run() throws {
    let output = ReportOutput(folder: out, files: json.files)
    try output.check()
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: directory, isDirectory: &isFolder), isFolder.boolValue else {
      throw Outcome.badData.ending("\(directory): expected a folder of runs")
    }
    var runs: [(name: String, times: StoredTimes)] = []
    var skipped: [String] = []
    for name in candidates() {
      do throws(RunFile.Invalid) {
        if name == "run.json" || name.hasSuffix("/run.json") {
          let run = try RunFile.read("\(directory)/\(name)")
          if let times = StoredTimes(run) { runs.append((name, times)) }
        } else {
          runs.append((name, try TimesFile.read("\(directory)/\(name)").times))
        }
      } catch { skipped.append("\(error)") }
    }
    for reason in skipped { Console.note("skipped: \(reason.printable)") }
    for (name, times) in runs where !times.doubts.isEmpty {
      Console.note("in doubt: \(name.printable): \(times.doubts.joined(separator: "; ").printable)")
    }
    guard !runs.isEmpty else {
      throw Outcome.inconclusive.ending("\(directory): expected runs with benchmarks, found none")
    }
    var section = BenchmarkHistory.section(
      directory: directory, times: runs, skipped: skipped, filters: filter.map { NamePattern($0) })
    guard !section.series.isEmpty else { throw Outcome.inconclusive.ending("no benchmark has a time and matches") }
    report(section)
    if let out {
      section.runs = section.runs?.map { member in
        var member = member
        member.page = page(of: member.name, from: out)
        return member
      }
    }
    var run = Run(provenance: .current(seed: 1))
    run.history = section
    let written = try output.write(run)
    if let out, written == .holds { Console.print("history: \(out)/history.html") }
    try written.end()
  }

  /// Runs, and other programs' files outside of the folders of runs, where they are the same run again.
  private func candidates() -> [String] {
    let names = (FileManager.default.enumerator(atPath: directory)?.compactMap { $0 as? String } ?? []).sorted()
    let records = names.filter { $0 == "run.json" || $0.hasSuffix("/run.json") }
    let folders = Set(records.map(Self.folder))
    let foreign = names.filter { name in
      ["json", "csv", "txt"].contains(where: { name.hasSuffix(".\($0)") }) && !records.contains(name)
        && !folders.contains(Self.folder(name)) && TimesFile.looksKnown("\(directory)/\(name)")
    }
    return records + foreign
  }

  private static func folder(_ name: String) -> String {
    name.contains("/") ? String(name[..<(name.lastIndex(of: "/") ?? name.startIndex)]) : ""
  }

  private func report(_ section: HistorySection) {
    let moved = section.moved
    let rows = moved.prefix(Self.shown).map { series, change in
      let point = series.points[change.position]
      return [
        series.label.printable, String(format: "%+.1f %%", 100 * (change.ratio - 1)),
        change.isConfirmed ? "" : "weak", String(point.started.prefix(10)), point.run.printable,
        change.differences.isEmpty ? "nothing recorded" : change.differences.joined(separator: "; ").printable,
      ]
    }
    if !rows.isEmpty {
      let color = colors.color
      let table = TextTable(["benchmark", "change", "", "from", "run", "what differs"], Array(rows))
      let text = table.text(painting: 1) { row, cell in
        let change = moved[row].change
        return !change.isConfirmed ? color.doubtful(cell) : change.ratio > 1 ? color.bad(cell) : color.good(cell)
      }
      Console.print(text, terminator: "")
    }
    if moved.count > Self.shown { Console.print("and \(moved.count - Self.shown) smaller changes") }
    say(section.vanished ?? [])
    say(section.unknown ?? [])
    let sure = moved.count(where: \.change.isConfirmed)
    Console.print(
      "\(section.runs?.count ?? 0) runs, \(section.series.count) series, \(sure) change points, "
        + "\(moved.count - sure) weak ones")
  }

  private func say(_ sentences: [String]) {
    for sentence in sentences.prefix(Self.shown) { Console.note(sentence.printable) }
    if sentences.count > Self.shown { Console.note("and \(sentences.count - Self.shown) more") }
  }

  /// Where a run's page is, from the history's: `../monday/report.html`.
  private func page(of name: String, from out: String) -> String? {
    let record = URL(fileURLWithPath: directory).appendingPathComponent(name).standardizedFileURL
    let report = record.deletingLastPathComponent().appendingPathComponent("report.html")
    let target = (FileManager.default.fileExists(atPath: report.path) ? report : record).pathComponents
    let start = URL(fileURLWithPath: out).standardizedFileURL.pathComponents
    let common = zip(target, start).prefix { $0 == $1 }.count
    let words = [String](repeating: "..", count: start.count - common) + target.dropFirst(common)
    return words.map { $0.addingPercentEncoding(withAllowedCharacters: .urlPathAllowed) ?? $0 }.joined(separator: "/")
  }
}
