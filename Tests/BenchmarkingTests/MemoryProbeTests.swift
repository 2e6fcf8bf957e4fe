import Benchmarking
import Engines
import Foundation
import Problems
import Tensors
import TestSupport
import Testing

#if os(Linux)
  /// What an engine is known to hold, against what is measured.
  @Suite struct MemoryProbeTests {
    private static func item() throws -> BenchmarkPlan.Item {
      var suite = BenchmarkSuite(name: "test")
      suite.problems = ["conv2d n1c2h4w4 k2r3s3 stride1 pad1"]
      return try #require(try BenchmarkPlan(suite).items.first)
    }

    /// The engine of `Engines/allocating.c`.
    private static func engine(in folder: TemporaryDirectory, _ defines: [String]) throws -> ProcessEngine {
      let source = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Engines/allocating.c")
      let program = folder.file("engine").path(percentEncoded: false)
      let run = try CommandRun(
        defines.map { "-D\($0)" } + ["-o", program, source.path(percentEncoded: false)], of: "/usr/bin/cc")
      try #require(run.exitCode == 0, "\(run.errors)")
      return try ProcessEngine(.init(name: "allocating", command: "exec \(program)", timeout: 20))
    }

    /// Whatever it holds: after its start, in a child as well, also where it is given back before the runs. The rest of its
    /// process is within 4 MiB, what it held before its answer to hello is no part of it, and the kernel adds up what each
    /// processor counted some dozens of pages late.
    @Test(
      arguments: [
        (["MEBIBYTES=200"], 200, 200), (["MEBIBYTES=64"], 64, 64), (["MEBIBYTES=200", "BRIEFLY"], 200, 0),
        (["MEBIBYTES=200", "IN_CHILD"], 200, 200),
      ])
    func whatIsHeldIsMeasured(defines: [String], peak: Int, running: Int) throws {
      let folder = try TemporaryDirectory()
      let item = try Self.item()
      let record = try MemoryProbe(program: "").record(
        of: Self.engine(in: folder, defines), on: WorkloadExercise(item, seed: 1).exercise,
        TimingRequest(pass: item.pass, layout: item.layout, threads: item.threads))
      func range(_ mebibytes: Int) -> ClosedRange<Int> { (mebibytes - 1) << 20...(mebibytes + 4) << 20 }
      #expect(range(peak).contains(record.workloadBytes), "\(record)")
      let runningBytes = try #require(record.runningBytes)
      #expect(range(running).contains(runningBytes - record.startBytes), "\(record)")
    }

    /// An engine of this process would have the test's memory in it.
    @Test func whatRunsHereIsNotMeasured() throws {
      let item = try Self.item()
      let error = try #require(throws: MemoryProbe.Missing.self) {
        try MemoryProbe(program: "").record(
          of: NullEngine(), on: WorkloadExercise(item, seed: 1).exercise,
          TimingRequest(pass: item.pass, layout: item.layout, threads: item.threads))
      }
      #expect(error.reason.contains("in a process of its own"))
    }
  }
#endif
