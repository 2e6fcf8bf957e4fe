import Results

/// What changed since an earlier run, in one sentence for a terminal.
public enum ChangesText {
  /// `Since Reports/monday of …: of 116 times 3 slower and 1 faster …`
  public static func summary(_ record: ChangesRecord) -> String { ChangesTable(record).summary.printable }
}

/// What changed since an earlier run, in words and cells.
struct ChangesTable {
  private let record: ChangesRecord

  init(_ record: ChangesRecord) { self.record = record }

  private var commits: String {
    let (old, new) = (record.oldCommit.map { String($0.prefix(12)) }, record.newCommit.map { String($0.prefix(12)) })
    return old == new
      ? old.map { " (the same commit, \($0))" } ?? "" : " (commit \(old ?? "unknown") then, \(new ?? "unknown") now)"
  }

  /// One sentence: how much was compared, and what of it is another.
  var summary: String {
    var words: [String] = []
    if record.compared > 0 {
      let slower = record.changes.count { $0.verdict == "slower" }
      words.append(
        "of \(record.compared) times \(slower) slower and \(record.changes.count - slower) faster by more than "
          + "\(BenchmarkText.percent(record.policy)) and beyond both intervals"
          + (record.unclear > 0 ? ", \(record.unclear) with too few blocks to tell" : ""))
    }
    if record.comparedResults > 0 {
      words.append("of \(record.comparedResults) golden results \(record.statuses.count) ended otherwise")
    }
    if !record.refusals.isEmpty { words.append("the times cannot be compared") }
    return "Since \(record.against) of \(record.started)\(commits): "
      + (words.isEmpty ? "nothing in common" : words.joined(separator: "; ")) + "."
  }

  /// Why times are not compared, and what one run lacks.
  var remarks: [String] { record.refusals + record.missing }

  static let headings = ["benchmark", "engine", "then, ms", "now, ms", "change", "interval", ""]
  static let caption =
    "Advice, not a gate: times are normalised by what the calibration kernels did in both runs. The command assay compare gives "
    + "the same with an exit code; assay duet decides."

  var rows: [[String]] {
    record.changes.map { change in
      let interval = change.lower.flatMap { low in
        change.upper.map { "\(BenchmarkText.change(low - 1)) to \(BenchmarkText.change($0 - 1))" }
      }
      let mark = change.isClaimed ? Trust.claimedMark : ""
      return [
        change.workload, change.engine, BenchmarkText.milliseconds(change.oldNanoseconds),
        BenchmarkText.milliseconds(change.newNanoseconds) + mark, BenchmarkText.change(change.ratio - 1),
        interval ?? "none",
        change.verdict,
      ]
    }
  }

  static let statusHeadings = ["case", "engine", "precision", "then", "now"]

  /// What fails now comes first.
  var statusRows: [[String]] {
    record.statuses.sorted { first, second in
      let (a, b) = (first.isFailure, second.isFailure)
      return a == b ? (first.name, first.engine, first.dtype) < (second.name, second.engine, second.dtype) : a
    }.map { [$0.name, $0.engine, $0.dtype, $0.old.rawValue, $0.new.rawValue] }
  }
}

extension ChangesRecord.Status {
  fileprivate var isFailure: Bool { new == .fail || new == .error }
}
