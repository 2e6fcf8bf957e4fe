import Benchmarking
import Foundation
import Problems
import TestSupport
import Testing

@Suite struct BenchmarkSuiteTests {
  private func read(_ text: String) throws -> BenchmarkSuite {
    let directory = try TemporaryDirectory()
    let file = directory.file("suite.toml")
    try text.write(to: file, atomically: true, encoding: .utf8)
    return try BenchmarkSuite.read(file)
  }

  @Test(arguments: ["resnet", "quick", "peers", "networks", "training", "duet", "duet_networks", "operations"])
  func shippedSuitesAreSoundAndHaveWorkloads(name: String) throws {
    let suite = try BenchmarkSuite.read(Repository.root.appending(path: "Benchmarks/\(name).toml"))
    #expect(try !BenchmarkPlan(suite).items.isEmpty)
  }

  @Test(arguments: [
    ("colour = 1", "'colour'"), ("batches = [0]", "batches: expected 1 to"), ("batches = \"one\"", "batches: expected"),
    ("passes = [\"sideways\"]", "found 'sideways'"), ("layouts = 3", "layouts: expected an array"),
    ("slice_ms = -1", "slice_ms"), ("cold = 2", "cold: expected true or false"), ("blocks = 0", "blocks"),
    ("threads = [", "suite.toml"), ("batches = []", "batches"), ("dtype = \"int64\"", "dtype: expected float64"),
    ("whole_networks = true\npasses = [\"forward\"]", "passes: expected inference or training_step"),
    ("whole_networks = true\npasses = [\"training_step\"]\ndtype = \"bfloat16\"", "dtype: expected float32"),
    ("dtype = [\"float16\"]", "dtype: expected float64"), ("dtype = \"half\"", "dtype: expected float64"),
  ])
  func badFilesNameKeyAndValue(text: String, expected: String) throws {
    do {
      _ = try read(text)
      Issue.record("read")
    } catch let error as BenchmarkSuite.Invalid {
      #expect(error.description.contains(expected) && error.description.contains("suite.toml"), "\(error)")
    }
  }

  @Test func aSuitesTypeIsItsWorkloads() throws {
    let problems = "problems = [\"conv2d n1c2h4w4 k2r3s3 stride1 pad1\"]\n"
    #expect(try BenchmarkPlan(read(problems)).items.map(\.dtype) == [.float32])
    let plan = try BenchmarkPlan(read(problems + "dtype = \"bfloat16\""))
    #expect(plan.items.map(\.dtype) == [.bfloat16])
    #expect(plan.items.map(\.name) == (try BenchmarkPlan(read(problems)).items.map(\.name)))
  }

  @Test func unknownNetworksAndProblemsAreRefused() throws {
    for text in [
      "networks = [\"resnet19\"]", "problems = [\"conv2d n1\"]",
      "problems = [\"resnet n1c3h32w32 archcifar_resnet8 classes10\"]",
    ] {
      let suite = try read(text)
      #expect(throws: BenchmarkSuite.Invalid.self) { try BenchmarkPlan(suite) }
    }
  }

  /// Networks have passes of their own, and one where none is named.
  @Test func wholeNetworksHaveTheirOwnPasses() throws {
    let networks = "networks = [\"cifar_resnet8\"]\nwhole_networks = true\nbatches = [2, 4]\n"
    let problem = "archcifar_resnet8 classes10"
    #expect(
      try BenchmarkPlan(read(networks)).items.map(\.name) == [
        "resnet n2c3h32w32 \(problem) inference nchw t1", "resnet n4c3h32w32 \(problem) inference nchw t1",
      ])
    let both = try BenchmarkPlan(read(networks + "passes = [\"training_step\", \"inference\"]"))
    #expect(
      both.items.map(\.name).prefix(2) == [
        "resnet n2c3h32w32 target \(problem) training training_step nchw t1",
        "resnet n2c3h32w32 \(problem) inference nchw t1",
      ])
    #expect(both.items.count == 4)
  }

  /// A convolution that several depths share is timed once, and filters match whole names.
  @Test func sharedConvolutionsAreOneWorkload() throws {
    let suite = try read("networks = [\"resnet18\", \"resnet34\"]")
    let plan = try BenchmarkPlan(suite)
    #expect(plan.networks.map(\.name) == ["resnet18", "resnet34"])
    #expect(Set(plan.items.map(\.name)).count == plan.items.count)
    #expect(plan.networks[1].layers.reduce(0) { $0 + $1.multiplicity } == 36)
    let filtered = try BenchmarkPlan(suite, filters: [NamePattern("*k64r7s7*")])
    #expect(filtered.items.count == 1)
  }
}
