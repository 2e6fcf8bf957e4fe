import Engines
import Foundation
import GoldenFiles
import Operations
import Problems
import Results
import StrategyEngines
import Tensors
import TestSupport
import Testing

/// A built-in engine over the protocol answers exactly as it does in process: the built command, over pipes.
@Suite struct ServedEngineTests {
  /// What an engine does with an exercise, down to the bits.
  private enum Ending: Equatable, CustomStringConvertible {
    case answer([String: [UInt64]])
    case unsupported
    case refused(String)
    case failed(String)

    init(_ engine: any Engine, _ exercise: Exercise) {
      do throws(EngineError) {
        let answer = try engine.compute(exercise)
        var bits: [String: [UInt64]] = [:]
        for (group, tensors) in [
          ("outputs", answer.outputs), ("gradients", answer.gradients), ("buffers_after", answer.buffersAfter),
        ] {
          for (name, tensor) in tensors { bits["\(group)/\(name) \(tensor.shape)"] = Self.bits(tensor) }
        }
        self = .answer(bits)
      } catch {
        switch error {
        case .unsupported: self = .unsupported
        case .refused(let category, _): self = .refused(category)
        case .failed(let what, _): self = .failed(what)
        }
      }
    }

    private static func bits(_ tensor: AnyTensor) -> [UInt64] {
      // A double holds every float exactly.
      tensor.integers?.elements.map { UInt64(bitPattern: $0) }
        ?? tensor.doubles.elements.map { $0.isNaN ? .max : $0.bitPattern }
    }

    var description: String {
      switch self {
      case .answer(let bits): "answer \(bits.keys.sorted())"
      case .unsupported: "unsupported"
      case .refused(let category): "refused \(category)"
      case .failed(let what): "failed: \(what)"
      }
    }
  }

  private static let files = [
    "conv2d.h5", "batch_norm2d.h5", "blocks.h5", "cross_entropy.h5", "elementwise.h5", "max_pool2d.h5", "optimizers.h5",
    "softmax.h5", "upsample2d.h5",
  ]

  private func exercises(_ file: String, dtype: DType) throws -> [Exercise] {
    let folder = Repository.fixtures.path(percentEncoded: false)
    let reader = GoldenReader(trusted: try GoldenManifest.read(inFolder: folder), probe: nil)
    let opened = try reader.open("\(folder)/\(file)")
    return try opened.cases.filter { !$0.tags.contains("slow") }.map { summary in
      let golden = try opened.load(summary)
      var exercise = golden.exercise.converted(to: dtype)
      exercise.passes = [.forward, .backward]
      exercise.wanted = Set(golden.expected.keys)
      return exercise
    }
  }

  private func compare(_ name: String, _ file: String, _ dtype: DType) throws {
    let command = "'\(Repository.command.path(percentEncoded: false))' engine \(name)"
    let served = try ProcessEngine(.init(name: "served", command: command))
    let own = try #require(BuiltInEngines.named(name))
    #expect(served.description.passes == own.description.passes && served.description.omits == own.description.omits)
    #expect(served.description.nonfinite == own.description.nonfinite)
    #expect(served.description.algorithms == own.description.algorithms)
    #expect(served.description.info["algorithm"] == own.description.info["algorithm"])
    var answers = 0
    for exercise in try exercises(file, dtype: dtype) {
      let here = Ending(own, exercise)
      #expect(Ending(served, exercise) == here, "\(exercise.name) on \(name)")
      if case .answer = here { answers += 1 }
      // Nothing in particular wanted is everything of the passes.
      var everything = exercise
      everything.wanted = []
      #expect(Ending(served, everything) == Ending(own, everything), "\(exercise.name) on \(name), everything")
    }
    #expect(answers > 0)
  }

  @Test(arguments: files) func theReferenceAnswersAsInProcess(file: String) throws {
    try compare("reference", file, .float64)
  }

  @Test(arguments: ["reference", "direct", "im2col", "winograd2", "winograd4", "auto"])
  func strategiesAnswerAsInProcess(name: String) throws { try compare(name, "conv2d.h5", .float32) }

  /// Gradients are given where they are asked for: what the first test compares is not two times nothing.
  @Test func gradientsAreAskedFor() throws {
    let exercise = try #require(
      try exercises("conv2d.h5", dtype: .float32).first { $0.wanted.contains("gradients/weight") })
    let command = "'\(Repository.command.path(percentEncoded: false))' engine direct"
    let answer = try ProcessEngine(.init(name: "served", command: command)).compute(exercise)
    #expect(answer.gradients["x"] != nil && answer.gradients["weight"] != nil)
  }

  /// Operands that come late, sets of their own, and what was timed collected: over pipes as in process.
  @Test(arguments: [TimingRequest.Layout.nchw, .native])
  func timedAnswersComeBack(layout: TimingRequest.Layout) throws {
    let problem = try #require(try Problem.parse("conv2d n1c16h9w7 k24r3s3 stride1 pad1") as? Conv2dProblem)
    func fill(_ shape: Shape, _ seed: UInt64) -> AnyTensor {
      .float32(Tensor(splitMix64Uniform: shape, seed: seed, low: -1, high: 1))
    }
    var exercise = Exercise(
      name: "/conv2d", operation: Conv2dProblem.operation, attributes: problem.attributes,
      inputs: ["x": fill(problem.inputShape, 1)], parameters: ["weight": fill(problem.weightShape, 2)])
    exercise.wanted = ["outputs/y"]
    let inside = try #require(BuiltInEngines.named("winograd4"))
    let command = ShellCommand([Repository.command.path(percentEncoded: false), "engine", "winograd4"])
    let served = try ProcessEngine(.init(name: "served", command: "\(command)"))
    #expect(served.description.trust == .audited && inside.description.trust == .host)
    let operation = try served.prepare(exercise, for: .init(pass: .forward, layout: layout, threads: 1))
    for round in 0..<2 {
      let sets = (0..<3).map { LateOperands(inputs: ["x": fill(problem.inputShape, UInt64(10 + 3 * round + $0))]) }
      for (set, operands) in sets.enumerated() { try operation.load(operands, set: set) }
      served.suspend()
      #expect(try operation.time(TimedRun(sets: [2, 0], iterations: 5)).count == 5)
      for set in [0, 2] {
        #expect(try operation.collect(set: set)["outputs/y"] == inside.compute(exercise.with(sets[set]))["outputs/y"])
      }
      let untouched = try #require(try operation.collect(set: 1)["outputs/y"])
      #expect(UnwrittenMark.positions(in: untouched).count == untouched.shape.count)
    }
    #expect(served.cpuNanoseconds().map { $0 > 0 } ?? true)
  }

  /// An engine that is slowed to test the gate with says twice what an iteration took: no odd number of nanoseconds is among many.
  /// Of problems that are not meant, half of them are odd.
  @Test(arguments: [(nil, true), ("c1h4w5", true), ("c1h4w6", false)])
  func whatIsSlowedIsWhatIsMeant(text: String?, isSlowed: Bool) throws {
    let words = ["engine", "reference", "--inject-slowdown", "100%"] + (text.map { ["--slowed", $0] } ?? [])
    let command = ShellCommand([Repository.command.path(percentEncoded: false)] + words)
    let served = try ProcessEngine(.init(name: "slowed", command: "\(command)"))
    let x = AnyTensor.float32(Tensor(splitMix64Uniform: Shape(1, 1, 4, 5), seed: 3, low: -1, high: 1))
    var exercise = Exercise(name: "/relu", operation: "relu", inputs: ["x": x])
    exercise.wanted = ["outputs/y"]
    let operation = try served.prepare(exercise, for: .init(pass: .forward, layout: .nchw, threads: 1))
    try operation.load(LateOperands(inputs: ["x": x]), set: 0)
    let durations = try operation.time(TimedRun(sets: [0], iterations: 64))
    #expect(durations.allSatisfy { $0.isMultiple(of: 2) } == isSlowed, "\(durations)")
  }

  /// Version 1 is spoken with whoever knows no other; its times are claims, and nothing of them can be collected.
  @Test func versionOneIsStillSpoken() throws {
    let command = ShellCommand([Repository.command.path(percentEncoded: false), "engine", "direct"])
    var declaration = ProcessEngine.Declaration(name: "old", command: "\(command)")
    declaration.highestProtocol = 1
    let engine = try ProcessEngine(declaration)
    #expect(engine.description.trust == .claimed)
    let exercise = Exercise(
      name: "/conv2d", operation: Conv2dProblem.operation,
      attributes: try #require(try Problem.parse("conv2d n1c2h3w3 k2r1s1 stride1 pad0") as? Conv2dProblem).attributes,
      inputs: ["x": .float32(Tensor(shape: [1, 2, 3, 3], repeating: 1))],
      parameters: ["weight": .float32(Tensor(shape: [2, 2, 1, 1], repeating: 2))])
    #expect(try engine.compute(exercise)["outputs/y"] == .float32(Tensor(shape: [1, 2, 3, 3], repeating: 4)))
    let operation = try engine.prepare(exercise, for: .init(pass: .forward, layout: .nchw, threads: 1))
    #expect(try operation.time(TimedRun(sets: [0], iterations: 3)).count == 3)
    #expect { try operation.collect(set: 0) } throws: { "\($0)".contains("protocol 1") }
  }
}
