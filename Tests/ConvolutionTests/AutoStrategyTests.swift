import Convolution
import Foundation
import Problems
import TestSupport
import Tensors
import Testing

@Suite struct AutoStrategyTests {
  static func problem(_ channels: Int, _ size: Int, batch: Int = 1, kernel: Int = 3) throws -> Conv2dProblem {
    try Conv2dProblem(
      batch: batch, inputChannels: channels, inputSize: Pair(size), outputChannels: channels,
      kernelSize: Pair(kernel), padding: .explicit(Pair(kernel / 2)))
  }

  @Test("without measurements the cost model decides: Winograd where it pays, never where it cannot work")
  func costModel() throws {
    let auto = AutoStrategy(plans: ConvolutionPlans(path: nil))
    let large = auto.choice(try Self.problem(64, 56), .forward, .portable).name
    #expect(large == "winograd4")
    #expect(auto.choice(try Self.problem(64, 56, kernel: 1), .forward, .portable).name == "direct")
    // 38 MB of transformed weights for 49 pixels.
    #expect(auto.choice(try Self.problem(512, 7), .forward, .portable).name == "direct")
  }

  @Test("no strategy above the accuracy limit is chosen, however fast")
  func accuracyLimit() throws {
    let plans = ConvolutionPlans(path: nil)
    let problem = try Self.problem(64, 56)
    for (name, time) in [("direct", 4.0), ("im2col", 5), ("winograd2", 3), ("winograd4", 2), ("winograd6", 1)] {
      plans.record(problem, .forward, .portable, strategy: name, nanoseconds: time)
    }
    func choice(_ limit: Double) -> String {
      AutoStrategy(accuracyLimit: limit, plans: plans).choice(problem, .forward, .portable).name
    }
    #expect(choice(0) == "direct")
    #expect(choice(0.5) == "winograd2")
    #expect(choice(1) == "winograd4")
    #expect(choice(3) == "winograd6")
  }

  @Test("the errors that the limit is held against are those that are measured")
  func errors() throws {
    let problem = try Self.problem(64, 16)
    var generator = SplitMix64(seed: 20)
    func fill(_ count: Int) -> [Float] { (0..<count).map { _ in Float.random(in: -1..<1, using: &generator) } }
    let x = fill(problem.inputShape.count)
    let w = fill(problem.weightShape.count)
    let sums = ConvolutionOracle(problem, x: x, w: w, dy: fill(problem.outputShape.count)).forward
    for instructionSet in InstructionSet.available where instructionSet != .portable {
      let options = ConvolutionOptions(instructionSet: instructionSet)
      for strategy in AutoStrategy(accuracyLimit: .infinity, plans: ConvolutionPlans(path: nil))
        .admissible(problem, .forward)
      {
        let y = try StrategyRun.nchw(strategy, problem, .forward, w, x, options: options)
        let squares = y.indices.map { index in
          let scale = 0x1p-24 * (Double(sums.terms[index]) * sums.square[index]).squareRoot()
          let error = (Double(y[index]) - sums.value[index]) / scale
          return error * error
        }
        let error = (squares.reduce(0, +) / Double(squares.count)).squareRoot()
        let stated = try #require(AutoStrategy.errors[strategy.name])
        #expect(error <= stated && error >= stated / 2, "\(strategy.name) \(instructionSet): \(error)")
      }
    }
  }

  @Test("measured plans outlive the process, and those of another CPU or damaged ones are ignored")
  func plansFile() throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("plans-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: folder) }
    let path = folder.appendingPathComponent("deep/plans").path
    let problem = try Self.problem(16, 5)
    let auto = AutoStrategy(accuracyLimit: 0, plans: ConvolutionPlans(path: path))
    let times = try auto.measure(problem, .forward, instructionSet: .portable, rounds: 1)
    #expect(Set(times.keys) == ["direct", "im2col"])
    let fastest = times.min { $0.value < $1.value }?.key
    let reread = ConvolutionPlans(path: path)
    #expect(reread.fastest(problem, .forward, .portable, among: ["direct", "im2col"]) == fastest)
    #expect(reread.fastest(problem, .forward, .portable, among: ["direct", "winograd2"]) == nil)
    #expect(reread.fastest(problem, .backwardData, .portable, among: ["direct"]) == nil)
    let text = try String(contentsOfFile: path, encoding: .utf8)
    #expect(
      ConvolutionPlans(path: path, cpu: "another").fastest(problem, .forward, .portable, among: ["direct"]) == nil)
    // What was not written whole does not count, and does not spoil what follows.
    try String(text.dropLast(3)).write(toFile: path, atomically: true, encoding: .utf8)
    let damaged = ConvolutionPlans(path: path)
    #expect(damaged.fastest(problem, .forward, .portable, among: ["direct", "im2col"]) == nil)
    damaged.record(problem, .forward, .portable, strategy: "direct", nanoseconds: 1)
    damaged.record(problem, .forward, .portable, strategy: "im2col", nanoseconds: 2)
    #expect(
      ConvolutionPlans(path: path).fastest(problem, .forward, .portable, among: ["direct", "im2col"]) == "direct")
    try text.replacingOccurrences(of: "\t", with: " ").write(toFile: path, atomically: true, encoding: .utf8)
    #expect(ConvolutionPlans(path: path).fastest(problem, .forward, .portable, among: ["direct"]) == nil)
  }

  /// A home folder of several machines: each finds its own times, whoever wrote last.
  @Test func machinesShareAPlansFile() throws {
    let folder = try TemporaryDirectory()
    let path = folder.file("plans").path
    let problem = try Self.problem(16, 5)
    for round in 1...3 {
      for (cpu, time) in [("first", 5.0), ("second", 7)] {
        let plans = ConvolutionPlans(path: path, cpu: cpu)
        plans.record(problem, .forward, .portable, strategy: "direct", nanoseconds: time)
        plans.record(problem, .forward, .portable, strategy: "im2col", nanoseconds: 6 + Double(round) / 10)
      }
    }
    func fastest(_ cpu: String) -> String? {
      ConvolutionPlans(path: path, cpu: cpu).fastest(problem, .forward, .portable, among: ["direct", "im2col"])
    }
    #expect(fastest("first") == "direct" && fastest("second") == "im2col" && fastest("third") == nil)
  }

  /// First measurements of several processes at once, each with a file that is not there yet: none is lost.
  @Test func concurrentRecordsAreAllKept() async throws {
    let folder = try TemporaryDirectory()
    let path = folder.file("new/plans").path
    let problem = try Self.problem(16, 5)
    await withTaskGroup(of: Void.self) { group in
      for number in 0..<16 {
        group.addTask {
          let plans = ConvolutionPlans(path: path, cpu: "cpu \(number)")
          plans.record(problem, .forward, .portable, strategy: "direct", nanoseconds: 1)
        }
      }
    }
    for number in 0..<16 {
      let plans = ConvolutionPlans(path: path, cpu: "cpu \(number)")
      #expect(plans.fastest(problem, .forward, .portable, among: ["direct"]) == "direct", "cpu \(number)")
    }
  }

  /// A file that was named by mistake is left as it is; plans of the format before this one are begun anew.
  @Test func onlyPlansAreWrittenTo() throws {
    let folder = try TemporaryDirectory()
    let path = folder.file("plans").path
    let problem = try Self.problem(16, 5)
    for (text, isKept) in [("a letter\n", true), ("assay convolution plans 1\tCPU\nx\n", false)] {
      try text.write(toFile: path, atomically: true, encoding: .utf8)
      ConvolutionPlans(path: path).record(problem, .forward, .portable, strategy: "direct", nanoseconds: 1)
      #expect((try String(contentsOfFile: path, encoding: .utf8) == text) == isKept)
      let reread = ConvolutionPlans(path: path).fastest(problem, .forward, .portable, among: ["direct"])
      #expect((reread == nil) == isKept)
    }
  }
}
