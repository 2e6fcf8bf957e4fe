import Foundation
import Reporting
import TestSupport

extension ExitCodeTable {
  /// Where the table stands for readers.
  static let page = Repository.root.appending(path: "Tests/EXIT_CODES.md")

  /// The table as a page.
  static var markdown: String {
    var lines = [
      "# What every command ends with, event by event", "",
      "`ExitCodeTableTests` runs every cell. A cell has the exit code, and what is then where `--out` (or",
      "`--logits`) points: a *report* (`run.json`, `report.md` and the other pages), a *file*, or",
      "*nothing*, not even a part of one. No command ends by a signal or leaves a temporary file.", "",
      "The commands are in `ExitCodeTable.swift`. The test itself writes this page:",
      "`ASSAY_WRITE_PAGES=1 swift test -c release --filter ExitCodeTableTests`.", "",
    ]
    let rows = Verb.allCases.map { verb in ["`\(verb.rawValue)`"] + Event.allCases.map { text(cell(verb, $0)) } }
    let headings = [""] + Event.allCases.map(\.rawValue)
    lines += TextTable(headings, rows, words: headings.count).markdown
    lines += [
      "",
      "Where two codes stand the times decide; those of a busy machine decide nothing (2). With a closed",
      "stdout or a full stderr the self-test gets a corpus of one case, for which it ends with 1.", "",
      "A dash stands where a command cannot meet the event:", "",
    ]
    for reason in impossible.map(\.because).uniqued() {
      let cells = impossible.filter { $0.because == reason }
      for event in cells.map(\.event).uniqued() {
        let verbs = cells.filter { $0.event == event }.map { "`\($0.verb.rawValue)`" }
        lines += ["- \(event.rawValue): \(verbs.joined(separator: ", ")):", "  \(reason)"]
      }
    }
    return lines.joined(separator: "\n") + "\n"
  }

  private static func text(_ cell: Cell) -> String {
    guard case .ends(let codes, let left, _) = cell else { return "–" }
    return codes.map(String.init).joined(separator: " or ") + ", \(left.rawValue)"
  }
}

extension Sequence where Element: Hashable {
  /// Each element once, at its first place.
  fileprivate func uniqued() -> [Element] {
    var seen: Set<Element> = []
    return filter { seen.insert($0).inserted }
  }
}
