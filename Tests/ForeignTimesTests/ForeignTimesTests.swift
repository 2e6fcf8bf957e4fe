import ForeignTimes
import Foundation
import Reporting
import Results
import RunAnalysis
import TestSupport
import Testing

/// Files that the programs themselves wrote (`Tests/Formats/samples`), and what others might make of them. Of hyperfine's second
/// schema there is none yet: `hyperfine_2.json` is made by hand from the schema.
@Suite("Times in other programs' files")
struct ForeignTimesTests {
  private static let samples = Repository.root.appending(path: "Tests/Formats/samples")

  /// A file, and what is in it: program, benchmarks, and the first one's median in nanoseconds, which Python's `statistics` computed
  /// from the file's samples.
  struct Sample: Sendable, CustomTestStringConvertible {
    var name: String
    var program: String
    var benchmarks: [String]
    var median: Double
    var hasInterval: Bool
    var testDescription: String { name }
  }

  static let all = [
    Sample(
      name: "google_benchmark.json", program: "Google Benchmark", benchmarks: ["sum_million", "with/args/100"],
      median: 58_717.50587640807, hasInterval: true),
    Sample(
      name: "hyperfine.json", program: "hyperfine", benchmarks: ["sleep 0.01", "sleep 0.012"], median: 11_885_395.5,
      hasInterval: true),
    Sample(
      name: "hyperfine_2.json", program: "hyperfine", benchmarks: ["sleep 0.01", "sleep 0.02"], median: 12_000_000,
      hasInterval: false),
    Sample(
      name: "pytest_benchmark.json", program: "pytest-benchmark",
      benchmarks: ["pt/test_b.py::test_sum", "pt/test_b.py::test_sort"], median: 50_916.79995530285,
      hasInterval: true),
    Sample(
      name: "criterion_raw.csv", program: "Criterion", benchmarks: ["fib/loop/10"], median: 8.298277415906323,
      hasInterval: true),
    Sample(
      name: "go_benchmarks.txt", program: "Go benchmarks", benchmarks: ["x.Sort/k=1-2", "x.Sort/k=2-2"], median: 2_332,
      hasInterval: true),
  ]

  @Test("A file of each program is read, and compared with itself it is the same", arguments: all)
  func read(sample: Sample) throws {
    let path = Self.samples.appending(path: sample.name).path(percentEncoded: false)
    let times = try TimesFile.read(path).times
    #expect(times.program == sample.program)
    #expect(times.entries.map(\.benchmark) == sample.benchmarks)
    let first = try #require(times.entries.first?.time)
    #expect(abs(first.median / sample.median - 1) < 1e-9, "\(first.median)")
    #expect((first.interval != nil) == sample.hasInterval)
    #expect(TimesFile.looksKnown(path))
    let comparison = try BaselineComparison(old: times, new: times, policy: 0.05)
    #expect(comparison.rows.count == sample.benchmarks.count)
    #expect(comparison.rows.allSatisfy { $0.verdict == (sample.hasInterval ? .same : .unclear) })
    #expect(comparison.unknown.contains { $0.contains("instruction set") }, "what it does not tell is said")
    #expect(comparison.missing.isEmpty)
  }

  /// Google Benchmark says how long each repetition took, and the median of them.
  @Test func repetitionsAreTheSamplesOfTheirAggregate() throws {
    let path = Self.samples.appending(path: "google_benchmark.json")
    let entry = try #require(TimesFile.read(path.path(percentEncoded: false)).times.entries.first)
    let parsed = try #require(try JSONSerialization.jsonObject(with: Data(contentsOf: path)) as? [String: Any])
    let told = try #require(parsed["benchmarks"] as? [[String: Any]]).first {
      $0["name"] as? String == "\(entry.benchmark)_median"
    }
    let (median, expected) = (try #require(entry.time?.median), try #require(told?["real_time"] as? Double))
    #expect(abs(median / expected - 1) < 1e-12, "\(median) \(expected)")
  }

  private func read(_ text: String) throws -> StoredTimes {
    let folder = try TemporaryDirectory()
    let file = folder.file("times")
    try Data(text.utf8).write(to: file)
    return try TimesFile.read(file.path(percentEncoded: false)).times
  }

  /// Text, and what the complaint says of where it is and what stands there.
  static let damaged: [(text: String, words: [String])] = [
    ("", ["empty file"]), ("   ", ["found '   '"]), ("{", ["JSON"]), ("{}", ["other JSON"]), ("[]", ["found '[]'"]),
    ("{\"results\": 7}", ["results", "a list", "7"]),
    ("{\"results\": [{\"command\": \"x\", \"times\": [\"soon\"]}]}", ["results[0].times[0]", "a number", "'soon'"]),
    ("{\"results\": [{\"times\": [1]}]}", ["results[0]", "'command'"]),
    ("{\"schema_version\": 3, \"results\": []}", ["schema_version", "at most 2"]),
    ("{\"context\": {}, \"benchmarks\": [{\"name\": \"a\"}]}", ["benchmarks[0]", "'real_time'"]),
    (
      "{\"context\": {}, \"benchmarks\": [{\"name\": \"a\", \"real_time\": 1, \"time_unit\": \"h\"}]}",
      ["benchmarks[0]", "'h'"]
    ),
    ("{\"machine_info\": {}, \"benchmarks\": [{\"name\": \"a\"}]}", ["benchmarks[0]", "'stats'"]),
    ("group,function,value,unit\n", ["line 1", "sample_measured_value"]),
    (
      "group,function,value,sample_measured_value,unit,iteration_count\na,b,c,1,ns,0\n",
      ["line 2", "iteration_count", "'0'"]
    ),
    (
      "group,function,value,sample_measured_value,unit,iteration_count\n\n\"a\nb\",b,c,1,ns,1\n\na,b,c,1,ns,0\n",
      ["line 6", "iteration_count"]
    ),
    ("group,function,value,sample_measured_value,unit,iteration_count\na,\"b", ["line 2", "quotation"]),
    ("{\"results\": [{\"command\": \"x\", \"times\": []}]}", ["results[0]", "'mean'"]),
    ("BenchmarkA 1 2 ns/op\nBenchmarkB 1 x ns/op\n", ["line 2", "'x'"]),
    ("BenchmarkA 1 2 ns/op\nBenchmarkB 1 2\n", ["line 2", "pairs"]), ("nothing of this", ["nothing of this"]),
  ]

  @Test("What is damaged is refused with its place", arguments: damaged)
  func refused(text: String, words: [String]) throws {
    let error = #expect(throws: RunFile.Invalid.self) { try read(text) }
    for word in words { #expect(error?.description.contains(word) == true, "\(error?.description ?? "")") }
  }

  @Test(
    "A time that no clock gives is named, and is not the same as itself", arguments: ["NaN", "Infinity", "-1", "0"])
  func broken(value: String) throws {
    let times = try read(
      "{\"results\": [{\"command\": \"x \\\\\\\" NaN\", \"times\": [1, \(value), 1]}, "
        + "{\"command\": \"y\", \"times\": [1, 1, 1, 1, 1, 1]}]}")
    let entry = try #require(times.entries.first)
    #expect(entry.time == nil && entry.isBroken && entry.benchmark == "x \\\" NaN")
    let comparison = try BaselineComparison(old: times, new: times, policy: 0.05)
    #expect(comparison.rows.map(\.workload) == ["y"])
    #expect(comparison.missing.count == 2 && comparison.missing.allSatisfy { $0.contains("expected a time above 0") })
  }

  /// Lists of nothing do not hide the figures beside them.
  @Test(arguments: ["\"times\": []", "\"measurements\": []", "\"measurements\": {\"measurements\": []}"])
  func emptyListsLeaveTheFigures(list: String) throws {
    let times = try read("{\"results\": [{\"command\": \"x\", \(list), \"median\": 0.5}]}")
    #expect(times.entries.map(\.time) == [StoredTimes.Time(median: 5e8)])
    let summed = try read(
      "{\"results\": [{\"command\": \"x\", \(list), \"summary\": {\"time_wall_clock\": {\"median\": 0.25}}}]}")
    #expect(summed.entries.map(\.time) == [StoredTimes.Time(median: 2.5e8)])
  }

  /// However often a command is there, and whatever others are called, each has a name of its own.
  @Test func equalCommandsAreNumbered() throws {
    let commands = ["x", "x (2)", "x", "x", "x (2)"]
    let results = commands.map { "{\"command\": \"\($0)\", \"median\": 1}" }.joined(separator: ", ")
    let times = try read("{\"results\": [\(results)]}")
    #expect(times.entries.map(\.benchmark) == ["x", "x (2)", "x (3)", "x (4)", "x (2) (2)"])
  }

  @Test func proseIsNoBenchmark() throws {
    let times = try read(
      "Benchmarks of the new cache:\nBenchmark results follow\nBenchmarking 3 4 ns/op\nBenchmarkA\nBenchmarkA 1 2 ns/op\n"
    )
    #expect(times.entries.map(\.benchmark) == ["A"])
    #expect(times.entries.map { $0.time?.median } == [2])
  }

  /// Of figures without samples nobody knows whether two are one measurement.
  @Test func equalFiguresAreTwoRuns() throws {
    let times = try read("{\"results\": [{\"command\": \"x\", \"median\": 0.5}]}")
    #expect(times.entries.map(\.identity) == [nil])
    let history = BenchmarkHistory.section(directory: "d", times: [("a", times), ("b", times)], skipped: [])
    #expect(history.series.map(\.points.count) == [2])
  }

  /// Some editors put a mark before text.
  @Test(arguments: [
    "BenchmarkA 1 2 ns/op\n", "group,function,value,sample_measured_value,unit,iteration_count\na,b,c,1,ns,1\n",
    "{\"results\": [{\"command\": \"x\", \"summary\": {\"time_wall_clock\": {\"median\": 0.25}}}]}",
  ])
  func marksBeforeTextAreNothing(text: String) throws {
    #expect(try read("\u{FEFF}" + text).entries.count == 1)
    let folder = try TemporaryDirectory()
    let file = folder.file("times")
    try Data(("\u{FEFF}" + text).utf8).write(to: file)
    #expect(TimesFile.looksKnown(file.path(percentEncoded: false)))
  }

  @Test func onlyFiguresGiveNoInterval() throws {
    let times = try read(
      "{\"machine_info\": {}, \"benchmarks\": [{\"name\": \"a\", \"stats\": {\"median\": 0.5, \"rounds\": 9}}]}")
    #expect(times.entries.first?.time == StoredTimes.Time(median: 5e8))
    let faster = try read("{\"context\": {}, \"benchmarks\": [{\"name\": \"a\", \"error_occurred\": true}]}")
    #expect(faster.entries.first?.problem.contains("error") == true)
  }

  /// What this program writes for others, it reads again as they would.
  @Test func ownFilesAreReadBack() throws {
    var section = SampleBenchmark.section()
    BenchmarkAnalysis.complete(&section)
    let run = SampleBenchmark.run(section)
    let folder = try TemporaryDirectory()
    for file in try ReportFolder.files(run) where file.name.hasPrefix("benchmarks.") {
      try file.data.write(to: folder.file(file.name))
    }
    let timed = section.workloads[0].contestants.filter { $0.time != nil }
    for name in ["benchmarks.json", "benchmarks.txt"] {
      let times = try TimesFile.read(folder.file(name).path(percentEncoded: false)).times
      #expect(times.entries.map { $0.time?.median } == timed.map { $0.time?.medianNanoseconds }, "\(name)")
      #expect(times.entries.allSatisfy { $0.time?.interval != nil })
    }
    let text = try String(contentsOf: folder.file("benchmarks.txt"), encoding: .utf8)
    #expect(text.contains("\nUnit ns/op better=lower assume=nothing\n"))
    let line = "BenchmarkConv2d/problem=n1c64h56w56_k64r3s3_stride1_pad1/pass=forward/layout=nchw/engine=direct-1 3 "
    #expect(text.split(separator: "\n").count { $0.hasPrefix(line) } == 6)
  }
}
