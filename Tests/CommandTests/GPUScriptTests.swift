import Foundation
import TestSupport
import Testing

/// `Benchmarks/gpu.sh` where there is no GPU, and what its summary makes of its steps.
@Suite struct GPUScriptTests {
  private let script = Repository.root.appending(path: "Benchmarks/gpu.sh").path(percentEncoded: false)
  private let folder: TemporaryDirectory

  init() throws { folder = try TemporaryDirectory() }

  /// A Python of a few lines of shell.
  private func python(_ lines: String) throws -> [String: String] {
    let file = folder.file("python")
    try Data("#!/bin/sh\n\(lines)\n".utf8).write(to: file)
    try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: file.path(percentEncoded: false))
    return ["PYTHON": file.path(percentEncoded: false)]
  }

  @Test func `without a GPU it says what it needs, and decides nothing`() throws {
    let out = folder.file("out").path(percentEncoded: false)
    let run = try CommandRun(
      [script, "--out", out], of: "/bin/bash", environment: python("echo 'PyTorch 2 finds no GPU' >&2; exit 1"))
    #expect(run.exitCode == 2 && run.output.isEmpty, "\(run.exitCode) \(run.output)")
    #expect(run.errors.contains("nothing was run: PyTorch 2 finds no GPU."), "\(run.errors)")
    #expect(run.errors.contains("PyTorch, Triton, NumPy and h5py"), "\(run.errors)")
    #expect(!FileManager.default.fileExists(atPath: out))
  }

  @Test(arguments: [
    (["--fuzz", "0"], "--fuzz: expected 1 to 600"), (["--budget", "x"], "--budget: expected 30 to 3600"),
    (["--device", "tpu"], "--device: expected cuda"), (["--wheel", "/no/such.whl"], "--wheel: expected a file"),
    (["--only", "speed"], "--only: expected some of"), (["--out"], "--out: expected a value"),
    (["--faster"], "expected an option"),
  ])
  func `words that it does not know are refused, with its options`(words: [String], reason: String) throws {
    let run = try CommandRun([script] + words, of: "/bin/bash")
    #expect(run.exitCode == 64, "\(run.exitCode) \(run.output)")
    #expect(run.errors.contains(reason) && run.errors.contains("--smoke"), "\(run.errors)")
  }

  /// Steps as the script writes them: name, expected exit code, how it ended, seconds.
  @Test(
    arguments: [
      ([["verify", "0", "0"], ["tf32", "1", "1"]], 0),
      ([["tf32", "1", "0"]], 1),
      ([["verify", "0", "1"], ["fuzz", "0", "124"]], 1),
      ([["verify", "0", "0"], ["bench", "0", "left out"]], 2),
      ([["verify", "0", "139"], ["bench", "0", "65"]], 70),
    ] as [([[String]], Int32)])
  func `the worst of the steps is its end`(steps: [[String]], code: Int32) throws {
    let lines = steps.map { ($0 + ["1"]).joined(separator: "\t") + "\n" }.joined()
    try Data(lines.utf8).write(to: folder.file("steps"))
    let summary = Repository.root.appending(path: "Benchmarks/gpu_summary.py").path(percentEncoded: false)
    let run = try CommandRun(
      ["python3", summary, folder.url.path(percentEncoded: false)], of: "/usr/bin/env")
    #expect(run.exitCode == code, "\(run.output)\(run.errors)")
  }
}
