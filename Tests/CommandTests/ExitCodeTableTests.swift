import Foundation
import TestSupport
import Testing

/// Every cell of the ``ExitCodeTable``, and the page that shows it.
@Suite(.waiting) struct ExitCodeTableTests {
  @Test(arguments: ExitCodeTable.trials)
  func `ends as it should, and leaves what it should`(trial: ExitCodeTable.Trial) throws {
    let files = try ExitCodeTableFiles.folder.get()
    let folder = try TemporaryDirectory()
    for name in ["tmp", "full"] {
      try FileManager.default.createDirectory(at: folder.file(name), withIntermediateDirectories: true)
    }
    try Data().write(to: folder.file("list"))
    // A shell that is still there reports a signal as a code above 128.
    let shell =
      trial.event == .fullDisk ? FullDisk.available.words(trial.line) : ["bash", "-c", trial.line + "; exit $?"]
    let run = try CommandRun(
      Array(shell.dropFirst()), of: shell[0],
      environment: [
        "A": Repository.command.path, "T": "Tests/Trials", "W": files.url.path, "O": folder.file("out").path,
        "F": folder.file("full").path, "L": folder.file("list").path, "TMPDIR": folder.file("tmp").path,
      ])
    let context = "\(trial.line): \(run.output)\(run.errors)"
    #expect(trial.codes.contains(run.exitCode), "\(run.exitCode): \(context)")
    #expect(
      try FileManager.default.contentsOfDirectory(atPath: folder.file("tmp").path) == [], "temporaries: \(context)")
    #expect(try String(contentsOf: folder.file("list"), encoding: .utf8) == "", "left on the full disk: \(context)")
    expect(trial.left, at: folder.file("out").path, context)
  }

  private func expect(_ left: ExitCodeTable.Left, at out: String, _ context: String) {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: out)) ?? []
    #expect(!names.contains { $0.hasPrefix(".") || $0.hasSuffix(".tmp") }, "\(names): \(context)")
    switch left {
    case .report: #expect(names.contains("run.json") && names.contains("report.md"), "\(names): \(context)")
    case .file: #expect(FileManager.default.fileExists(atPath: out) && names.isEmpty, "\(context)")
    case .nothing: #expect(names.isEmpty && !isFile(out), "\(names): \(context)")
    }
  }

  private func isFile(_ path: String) -> Bool {
    var isFolder: ObjCBool = false
    return FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) && !isFolder.boolValue
  }

  @Test func `few cells are left out, each for a reason`() {
    let all = ExitCodeTable.Verb.allCases.count * ExitCodeTable.Event.allCases.count
    #expect(ExitCodeTable.impossible.count == 13)
    #expect(ExitCodeTable.trials.count == all - 13)
    #expect(ExitCodeTable.impossible.allSatisfy { !$0.because.isEmpty })
  }

  @Test func `the page shows this table`() throws {
    let isWritten = ProcessInfo.processInfo.environment["ASSAY_WRITE_PAGES"] == "1"
    if isWritten { try Data(ExitCodeTable.markdown.utf8).write(to: ExitCodeTable.page) }
    #expect(try String(contentsOf: ExitCodeTable.page, encoding: .utf8) == ExitCodeTable.markdown)
  }
}
