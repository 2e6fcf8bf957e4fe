import Engines
import GoldenFiles
import GradientChecking
import Problems
import Results
import StrategyEngines
import Tensors
import TestSupport
import Testing

/// Near the ends of the range of numbers, and with algorithms that round otherwise than a sum of products.
@Suite struct RangeTests {
  /// A correct engine with one change in front of it.
  struct Changed: Engine {
    var base: any Engine
    var change: @Sendable (_ exercise: Exercise, _ answer: inout Answer) -> Void
    var description: EngineDescription { base.description }

    func compute(_ exercise: Exercise) throws(EngineError) -> Answer {
      var answer = try base.compute(exercise)
      change(exercise, &answer)
      return answer
    }

    func prepare(_ exercise: Exercise, for timing: TimingRequest) throws(EngineError) -> any PreparedOperation {
      throw .unsupported("not timed")
    }
  }

  static let strategies = ["reference", "direct", "im2col", "winograd2", "winograd4", "winograd6", "auto"]

  private func goldens(_ file: String) throws -> [GoldenGradients] {
    let golden = try GoldenReader(trusted: nil, probe: nil).open(
      Repository.fixtures.appending(path: "\(file).h5").path)
    return try golden.cases.filter { $0.expectError == nil }.compactMap {
      GoldenGradients(try golden.load($0), oracle: golden.header.oracleDType)
    }
  }

  @Test(arguments: strategies)
  func everyStrategyPassesEveryConvolutionInSinglePrecision(name: String) throws {
    let engine = try #require(BuiltInEngines.named(name))
    var passed = 0
    for gradients in try goldens("conv2d") {
      let record = gradients.record(of: engine, dtype: .float32, options: .init())
      #expect(record.verdict == .pass || record.verdict == .unsupported, "\(GradientReport(record).text)")
      if record.verdict == .pass { passed += 1 }
    }
    #expect(passed > 60)
  }

  private func check(
    _ text: String, fill: GradientCase.Fill = .random, _ engine: any Engine
  ) throws -> GradientRecord {
    try GradientCase(text, fill).check(engine: engine, precision: .float32, options: .init()).run()
  }

  private let convolution = "conv2d n2c8h8w8 k8r3s3 stride1 pad1"

  @Test(arguments: strategies)
  func denormalOperandsAreNoFailure(name: String) throws {
    let record = try check(convolution, fill: .denormal, try #require(BuiltInEngines.named(name)))
    #expect(record.verdict == .pass, "\(GradientReport(record).text)")
    #expect(record.contracts.contains { $0.name == "backward(2v) = 2·backward(v), within the bounds of both" })
  }

  /// Integers alone would not show it.
  @Test(arguments: ["reference", "direct", "winograd4"])
  func denormalGradientsThatBecomeZeroAreCaught(name: String) throws {
    let engine = Changed(base: try #require(BuiltInEngines.named(name))) { _, answer in
      answer.gradients["weight"] = answer.gradients["weight"].map { gradient in
        AnyTensor.float64(gradient.doubles.map { abs($0) < Double(Float.leastNormalMagnitude) ? 0 : $0 })
          .converted(to: .float32)
      }
    }
    #expect(try check(convolution, fill: .denormal, engine).verdict == .fail)
    #expect(try check(convolution, engine).verdict == .pass)
  }

  /// Right at every cotangent that the check draws, which lie between 1 and 2.
  @Test func cotangentsThatAreCutOffBreakTheContract() throws {
    struct Clipped: Engine {
      var description: EngineDescription { ReferenceEngine().description }
      func compute(_ exercise: Exercise) throws(EngineError) -> Answer {
        var asked = exercise
        asked.upstream = asked.upstream.mapValues {
          AnyTensor.float64($0.doubles.map { min(max($0, -2), 2) }).converted(to: exercise.dtype)
        }
        return try ReferenceEngine().compute(asked)
      }
      func prepare(_ exercise: Exercise, for timing: TimingRequest) throws(EngineError) -> any PreparedOperation {
        throw .unsupported("not timed")
      }
    }
    let record = try check("relu n2c3h4w5", Clipped())
    #expect(record.verdict == .fail)
    #expect(record.contracts.filter { $0.verdict == .fail }.map(\.name) == ["backward(2v) = 2·backward(v)"])
    #expect(record.tensors.allSatisfy { $0.verdict == .pass })
  }

  /// Winograd's bound is wider than that of a sum, not so wide that half precision fits in.
  @Test(arguments: [2, 4, 6])
  func aCoarseWeightGradientOfWinogradIsCaught(tile: Int) throws {
    let engine = Changed(base: try #require(BuiltInEngines.named("winograd\(tile)"))) { _, answer in
      answer.gradients["weight"] = answer.gradients["weight"].map { gradient in
        let coarse = gradient.doubles.map { value in
          guard value != 0 else { return value }
          let unit = Double(sign: .plus, exponent: value.exponent - 10, significand: 1)
          return (value / unit).rounded() * unit
        }
        return AnyTensor.float64(coarse).converted(to: .float32)
      }
    }
    #expect(try check(convolution, engine).verdict == .fail)
  }

  /// What another process computes has the bound of its operation, by whatever formula: dy − Σ dy·y rounds as much as
  /// dy does, however small the gradient.
  @Test(arguments: ["softmax n3c7", "softmax n2c5h3w2", "log_softmax n3c7", "cross_entropy n5c7"])
  func aForeignEngineHasTheBoundOfItsOperation(text: String) throws {
    struct Foreign: Engine {
      var description: EngineDescription { EngineDescription(name: "foreign", version: "1") }
      func compute(_ exercise: Exercise) throws(EngineError) -> Answer { try ReferenceEngine().compute(exercise) }
      func prepare(_ exercise: Exercise, for timing: TimingRequest) throws(EngineError) -> any PreparedOperation {
        throw .unsupported("not timed")
      }
    }
    for fill in [GradientCase.Fill.random, .saturated] {
      let record = try check(text, fill: fill, Foreign())
      #expect(record.verdict == .pass, "\(GradientReport(record).text)")
    }
  }
}
