import Engines
import Foundation
import GoldenFiles
import Problems
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
}
