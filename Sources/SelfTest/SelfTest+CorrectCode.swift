import Engines
import Foundation
import GoldenFiles
import GradientChecking
import Operations
import Problems
import Results
import Tensors
import Verification

/// The correct code under the same checks: what it passes is what defects are tried on, and what it fails is a false alarm.
extension SelfTest {
  typealias SoundCases = [DType: Set<String>]

  /// The cases that the reference passes, by name; any that it does not is a false alarm.
  func soundCases(_ section: inout SelfTestSection) -> SoundCases {
    let all = items.sorted { $0.key < $1.key }.flatMap(\.value)
    let results = parallelMap(all.count, threads: threads) { index in verdictsOnCorrectCode(all[index].verifier) }
    var sound: SoundCases = [:]
    for (item, found) in zip(all, results) {
      section.checksOfCorrectCode += found.count
      section.falseAlarms += found.compactMap { Self.alarm($0, on: item.name) }
      for result in found where result.status == .pass {
        if let dtype = DType(rawValue: result.dtype) { sound[dtype, default: []].insert(item.name) }
      }
    }
    // Layers put together correctly are no mutant.
    for control in OperationRegistry.controls {
      for item in all where control.applies(to: item.verifier.item.golden.operation) {
        let result = item.verifier.verify(MutantEngine(control), dtype: .float64)
        section.checksOfCorrectCode += 1
        if result.status != .pass {
          section.falseAlarms.append("verify \(item.name) of the control composition: \(result.message)")
        }
      }
    }
    return sound
  }

  /// The reference in every type; of 16 bits, with each result rounded. What is not judged in 16 bits is left out.
  func verdictsOnCorrectCode(
    _ verifier: CaseVerifier, in dtypes: [DType] = DType.floats
  ) -> [CaseResult] {
    dtypes.map { dtype in
      verifier.verify(dtype.isNarrow ? NarrowReference() : ReferenceEngine() as any Engine, dtype: dtype)
    }.filter { $0.status != .unsupported || DType(rawValue: $0.dtype)?.isNarrow != true }
  }

  /// - Returns: `nil` for the verdict that is due.
  static func alarm(_ result: CaseResult, on name: String) -> String? {
    result.status == .pass ? nil : "verify \(name) \(result.dtype): \(result.status.rawValue) \(result.message)"
  }

  /// Other values of every problem: gradients, and forward and backward in single precision and in 16 bits against double.
  func falseAlarms(seed: UInt64, _ section: inout SelfTestSection) throws {
    let cases = OperationRegistry.gradientCases
    var options = GradientCheck.Options()
    options.seed = seed
    options.threads = 1
    let fixed = options
    let found = try parallelMap(cases.count, threads: threads) { index -> (checks: Int, alarms: [String]) in
      var alarms: [String] = []
      for precision in [DType.float64, .float32] {
        var options = fixed
        options.differences = precision == .float64
        let record = try cases[index].check(precision: precision, options: options).run()
        if record.verdict != .pass {
          alarms.append("gradcheck \(record.name) \(record.dtype), seed \(seed): \(GradientReport(record).text)")
        }
      }
      let results = verdictsOnCorrectCode(
        CaseVerifier(try Self.goldenCase(cases[index], seed: seed)), in: [.float32] + DType.narrow)
      alarms += results.compactMap { Self.alarm($0, on: "\(cases[index].name), seed \(seed),") }
      return (2 + results.count, alarms)
    }
    section.checksOfCorrectCode += found.reduce(0) { $0 + $1.checks }
    section.falseAlarms += found.flatMap(\.alarms)
  }

  /// A golden case of other values, expected from the reference in double precision.
  static func goldenCase(_ gradientCase: GradientCase, seed: UInt64) throws -> VerificationCase {
    let problem = try Problem.parse(gradientCase.text)
    let draw = OperandDraw(
      problem.operands, roles: problem.definition.roles, seed: seed, range: .init(-2, 2), fill: gradientCase.fill)
    var exercise = Exercise(problem, draw, named: "/" + gradientCase.name, dtype: .float64)
    for (name, type) in problem.outputs where type.dtype != .int64 {
      exercise.upstream[name] = .float64(
        Tensor<Float>(splitMix64Uniform: type.shape, seed: seed, low: -2, high: 2).map { Double($0) })
    }
    exercise.passes = [.forward, .backward]
    let golden = GoldenCase(
      exercise, fill: gradientCase.fill == .random ? .random : .adversarial,
      expected: try ReferenceEngine().compute(exercise))
    return VerificationCase(file: "self-test", oracle: .float64, golden: golden)
  }

  var quickOptions: GradientCheck.Options {
    var options = GradientCheck.Options()
    options.seed = seed
    options.threads = 1
    options.differences = false
    return options
  }

  /// By the name of the correct engine under a mutant, the gradient checks that it passes.
  func soundGradients() throws -> [String: Set<String>] {
    var engines: [String: (any Engine, DType)] = [:]
    for mutant in mutants where !mutant.isNarrow {
      let correct = MutantEngine.base(of: mutant)
      engines[correct.description.name] = (correct, mutant.base == nil ? .float64 : .float32)
    }
    var sound: [String: Set<String>] = [:]
    for (name, (engine, dtype)) in engines {
      let cases = OperationRegistry.gradientCases
      let passed = try parallelMap(cases.count, threads: threads) { index in
        try cases[index].check(engine: engine, precision: dtype, options: quickOptions).run().verdict == .pass
      }
      sound[name] = Set(zip(cases, passed).filter(\.1).map(\.0.name))
    }
    return sound
  }
}
