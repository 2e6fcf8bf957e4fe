import Engines
import Operations
import Problems
import StrategyEngines
import Tensors
import Testing

@Suite struct ConvolutionEngineTests {
  static let engines = BuiltInEngines.all.filter { $0.description.operations == [Conv2dProblem.operation] }.map(
    \.description.name)

  /// A kernel that the engine computes, as a problem's text gives it.
  private static func kernel(_ name: String) -> String {
    name == "gemm" ? "r1s1 bias stride1 pad0" : "r3s3 bias stride1 pad1"
  }

  private func exercise(_ text: String, wanted: Set<String>) throws -> Exercise {
    let problem = try #require(try Problem.parse(text) as? Conv2dProblem)
    // Small multiples of one power of two: every order of summation gives the same sums, but for Winograd's own points.
    func fill(_ shape: Shape, _ seed: UInt64) -> AnyTensor {
      .float32(Tensor(splitMix64Uniform: shape, seed: seed, low: -4, high: 4).map { $0.rounded() / 4 })
    }
    var parameters = ["weight": fill(problem.weightShape, 2)]
    if problem.hasBias { parameters["bias"] = fill([problem.outputChannels], 3) }
    return Exercise(
      name: text, operation: "conv2d", attributes: problem.attributes, inputs: ["x": fill(problem.inputShape, 1)],
      parameters: parameters, upstream: ["y": fill(problem.outputShape, 4)], passes: [.forward, .backward],
      wanted: wanted, threads: 2)
  }

  @Test(arguments: engines)
  func resultsAgreeWithTheReference(name: String) throws {
    let engine = try #require(BuiltInEngines.named(name))
    var wanted: Set = ["outputs/y", "gradients/x", "gradients/weight", "gradients/bias"]
    wanted.subtract(engine.description.omits)
    let exercise = try exercise("conv2d n2c19h9w7 k21\(Self.kernel(name))", wanted: wanted)
    let expected = try ReferenceEngine().compute(exercise)
    let found = try engine.compute(exercise)
    for path in wanted {
      let (a, b) = (try #require(expected[path]).doubles, try #require(found[path]).doubles)
      #expect(a.shape == b.shape)
      let worst = zip(a.elements, b.elements).map { abs($0 - $1) }.max() ?? .infinity
      // Results are multiples of 1/16: Winograd's rounding stays below half of that, any misplaced term does not.
      #expect(worst <= (name.hasPrefix("winograd") || name == "auto" ? 1.0 / 32 : 0), "\(path) differs by \(worst)")
    }
  }

  @Test(arguments: engines)
  func bothLayoutsAndEveryPassAreTimed(name: String) throws {
    let engine = try #require(BuiltInEngines.named(name))
    let exercise = try exercise("conv2d n1c16h8w8 k16\(Self.kernel(name))", wanted: [])
    for layout in TimingRequest.Layout.allCases {
      for (pass, gradient) in [
        (TimingRequest.TimedPass.forward, ""), (.backwardData, "gradients/x"), (.backwardWeight, "gradients/weight"),
      ] where !engine.description.omits.contains(gradient) {
        let operation = try engine.prepare(exercise, for: .init(pass: pass, layout: layout, threads: 1))
        for set in 0..<2 { try operation.load(exercise.late, set: set) }
        let times = try operation.time(TimedRun(sets: [0, 1], iterations: 3))
        #expect(times.count == 3 && times.allSatisfy { $0 > 0 })
        #expect(operation.summary.contains(name))
      }
    }
  }

  /// Each set is computed from its own operands into its own output, also those of an earlier round; what a slice does not
  /// visit holds what was left there, and what it visits is marked before it begins.
  @Test(arguments: engines)
  func whatWasTimedIsCollected(name: String) throws {
    let engine = try #require(BuiltInEngines.named(name))
    let exercise = try exercise("conv2d n2c19h9w7 k21\(Self.kernel(name))", wanted: [])
    let passes: [(TimingRequest.TimedPass, String)] = [
      (.forward, "outputs/y"), (.backwardData, "gradients/x"), (.backwardWeight, "gradients/weight"),
    ]
    for (pass, path) in passes where !engine.description.omits.contains(path) {
      for layout in TimingRequest.Layout.allCases {
        let operation = try engine.prepare(exercise, for: .init(pass: pass, layout: layout, threads: 2))
        for round in 0..<2 {
          let sets = (0..<3).map { fresh(exercise, seed: UInt64(10 * round + $0)) }
          for (set, operands) in sets.enumerated() { try operation.load(operands, set: set) }
          #expect(try unwritten(operation.collect(set: 1), path) == .all)
          _ = try operation.time(TimedRun(visiting: [2, 0]))
          #expect(try unwritten(operation.collect(set: 1), path) == .all)
          for set in [0, 2] {
            var asked = exercise.with(sets[set])
            asked.wanted = [path]
            let expected = try engine.compute(asked)
            #expect(try operation.collect(set: set)[path] == expected[path], "\(pass) \(layout), set \(set)")
            #expect(try unwritten(operation.collect(set: set), path) == .none)
          }
        }
      }
    }
  }

  @Test func aSetThatWasNeverLoadedIsSaid() throws {
    let engine = try #require(BuiltInEngines.named("direct"))
    let exercise = try exercise("conv2d n1c16h8w8 k16r3s3 stride1 pad1", wanted: [])
    for subject in [engine, ReferenceEngine()] as [any Engine] {
      let operation = try subject.prepare(exercise, for: .init(pass: .forward, layout: .nchw, threads: 1))
      #expect { try operation.time(TimedRun(visiting: [7])) } throws: { "\($0)".contains("set 7") }
      #expect { try operation.collect(set: 7) } throws: { "\($0)".contains("set 7") }
    }
    let operation = try engine.prepare(exercise, for: .init(pass: .forward, layout: .nchw, threads: 1))
    let wrong = LateOperands(inputs: ["x": .float32(Tensor(zeros: [1, 16, 8, 7]))])
    #expect { try operation.load(wrong, set: 0) } throws: { "\($0)".contains("1×16×8×7") }
  }

  private enum Unwritten { case none, some, all }

  private func unwritten(_ answer: Answer, _ path: String) throws -> Unwritten {
    let tensor = try #require(answer[path])
    let count = UnwrittenMark.positions(in: tensor).count
    return count == 0 ? .none : count == tensor.shape.count ? .all : .some
  }

  private func fresh(_ exercise: Exercise, seed: UInt64) -> LateOperands {
    func fill(_ tensor: AnyTensor, _ stream: UInt64) -> AnyTensor {
      .float32(Tensor(splitMix64Uniform: tensor.shape, seed: 100 * seed + stream, low: -1, high: 1))
    }
    return LateOperands(
      inputs: exercise.inputs.mapValues { fill($0, 1) }, upstream: exercise.upstream.mapValues { fill($0, 2) })
  }

  @Test func whatItCannotDoIsSaid() throws {
    let winograd = try #require(BuiltInEngines.named("winograd4"))
    let strided = try exercise("conv2d n1c16h8w8 k16r3s3 stride2 pad1", wanted: ["outputs/y"])
    #expect { try winograd.compute(strided) } throws: { error in
      guard case EngineError.unsupported(let reason) = error else { return false }
      return reason.contains("winograd4")
    }
    let direct = try #require(BuiltInEngines.named("direct"))
    var wrong = strided
    wrong.parameters = ["weight": .float32(Tensor(zeros: [16, 8, 3, 3]))]
    #expect { try direct.compute(wrong) } throws: { error in
      guard case EngineError.refused("shape_mismatch", _) = error else { return false }
      return true
    }
  }
}
