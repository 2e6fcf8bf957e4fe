import Engines
import Foundation
import GoldenFiles
import GradientChecking
import Problems
import Results
import Tensors
import Verification

/// Something that a gate must answer in one way only. The correct gate does; a defect of the gate is noticed by the probe
/// whose answer it changes.
struct GateProbe: Sendable {
  let name: String
  let holds: @Sendable (Gate) -> Bool

  init(_ name: String, _ holds: @escaping @Sendable (Gate) -> Bool) {
    self.name = name
    self.holds = holds
  }

  static let all: [GateProbe] = verdicts + exitCodes + oracles + vacuity + gradients + runs

  /// What the probes judge: an operation with a weight, small and quickly computed.
  static let operation = LinearProblem.operation

  /// A linear layer with random values and its answer from the reference in double precision.
  private static let item: VerificationCase = {
    let x = Tensor<Float>(splitMix64Uniform: [24, 17], seed: 1, low: -1, high: 1)
    let weight = Tensor<Float>(splitMix64Uniform: [9, 17], seed: 2, low: -1, high: 1)
    var golden = GoldenCase(
      summary: GoldenCaseSummary(name: "/probe/case", operation: operation, fill: .random),
      inputs: ["x": .float32(x)], parameters: ["weight": .float32(weight)])
    let exercise = golden.exercise.converted(to: .float64)
    if let y = try? ReferenceEngine().compute(exercise).outputs["y"] { golden.outputs["y"] = ExpectedTensor(y) }
    return VerificationCase(file: "probe", oracle: .float64, golden: golden)
  }()

  private static let refused: VerificationCase = {
    var golden = item.golden
    golden.summary = GoldenCaseSummary(
      name: "/probe/refused", operation: operation, expectError: .shapeMismatch)
    golden.outputs = [:]
    golden.parameters["weight"] = .float32(Tensor(zeros: [9, 16]))
    return VerificationCase(file: "probe", oracle: .float64, golden: golden)
  }()

  /// An engine that does what it is told to.
  struct Candidate: Engine {
    var operations: Set<String> = []
    var answer: @Sendable (Exercise) throws(EngineError) -> Answer
    var description: EngineDescription {
      EngineDescription(name: "candidate", version: "1", operations: operations, isBuiltIn: true)
    }
    func compute(_ exercise: Exercise) throws(EngineError) -> Answer { try answer(exercise) }
    func prepare(_ exercise: Exercise, for timing: TimingRequest) throws(EngineError) -> any PreparedOperation {
      throw .unsupported("a probe is not timed")
    }
  }

  /// The reference with its output changed.
  private static func candidate(_ change: @escaping @Sendable (inout Tensor<Double>) -> Void) -> Candidate {
    Candidate { (exercise) throws(EngineError) in
      var answer = try ReferenceEngine().compute(exercise)
      answer.outputs.edit("y", change)
      return answer
    }
  }

  private static func verdict(
    _ name: String, _ expected: VerificationStatus, _ engine: Candidate, on item: VerificationCase = item,
    in dtype: DType = .float32
  ) -> GateProbe {
    GateProbe(name) { $0.judge(item, engine, dtype).status == expected }
  }

  private static let verdicts: [GateProbe] = [
    verdict("a correct engine passes", .pass, candidate { _ in }),
    verdict("one NaN fails", .fail, candidate { $0.elements[40] = .nan }),
    verdict("another shape fails", .fail, candidate { $0 = $0.reshaped(to: [$0.count]) }),
    verdict("other values fail", .fail, candidate { $0 = $0.map { $0 + 1 } }),
    verdict("one element wrong by ten bounds fails", .fail, candidate { $0.elements[100] += 1e-4 }),
    verdict("one wrong sign fails", .fail, candidate { $0.elements[7] = -$0.elements[7] }),
    verdict("a missing output fails", .fail, Candidate { _ in Answer() }),
    verdict(
      "one element not written fails", .fail,
      Candidate { (exercise) throws(EngineError) in
        var answer = try ReferenceEngine().compute(exercise)
        if case .float32(var y)? = answer.outputs["y"] {
          y.elements[3] = UnwrittenMark.float32
          answer.outputs["y"] = .float32(y)
        }
        return answer
      }),
    verdict(
      "an engine that writes to its input fails", .fail,
      Candidate { (exercise) throws(EngineError) in
        let answer = try ReferenceEngine().compute(exercise)
        if case .float32(let x)? = exercise.inputs["x"] { ForeignWrite.change(x) { $0[0] += 1 } }
        return answer
      }, on: unshared()),
    verdict(
      "an engine that negates two elements of its input fails", .fail,
      Candidate { (exercise) throws(EngineError) in
        let answer = try ReferenceEngine().compute(exercise)
        if case .float64(let x)? = exercise.inputs["x"] {
          ForeignWrite.change(x) { elements in for i in [3, 4] { elements[i].negate() } }
        }
        return answer
      }, on: unshared(), in: .float64),
    verdict(
      "an engine that reads past its input's end fails", .fail,
      Candidate { (exercise) throws(EngineError) in
        var answer = try ReferenceEngine().compute(exercise)
        Overread.spoil(&answer.outputs, with: exercise.inputs)
        return answer
      }),
    verdict("a crash is an error", .error, Candidate { (_) throws(EngineError) in throw .failed("crashed") }),
    verdict(
      "a refusal of a valid case fails", .fail,
      Candidate { (_) throws(EngineError) in throw .refused(category: "shape_mismatch", message: "no") }),
    verdict(
      "a failure where a refusal is due is an error", .error,
      Candidate { (_) throws(EngineError) in throw .failed("its disk is full") }, on: refused),
    verdict("a result where a refusal is due fails", .fail, Candidate { _ in Answer() }, on: refused),
    verdict(
      "the refusal that is due passes", .refused,
      Candidate { (exercise) throws(EngineError) in try ReferenceEngine().compute(exercise) }, on: refused),
  ]

  /// A case whose tensors no other probe reads.
  private static func unshared() -> VerificationCase {
    var golden = item.golden
    golden.inputs = golden.inputs.mapValues { $0.edited { $0 = $0.map { $0 + 0 } } }
    return VerificationCase(file: "probe", oracle: .float64, golden: golden)
  }

  static func section(
    _ results: [CaseResult], files: [FileRecord] = [], vacuous: Bool = false, interrupted: Bool = false
  )
    -> VerificationSection
  {
    var section = VerificationSection(
      engines: [EngineRecord(name: "candidate", version: "1", isBuiltIn: true)], files: files, results: results,
      vacuity: vacuous ? [VacuityRecord(operation: operation, noticedBy: ["a dropped term": ""])] : [],
      staleKnownFailures: [], lambda: 8, filters: [], tags: [], shard: nil, strict: false, seconds: 0)
    section.interrupted = interrupted
    return section
  }

  static func result(_ status: VerificationStatus) -> CaseResult {
    CaseResult(
      file: "probe", name: "/probe/case", operation: operation, fill: "random", engine: "candidate",
      dtype: "float32", status: status)
  }

  private static func exit(_ name: String, _ code: Int, _ section: VerificationSection) -> GateProbe {
    GateProbe(name) { $0.conclude(section) == code }
  }

  private static let exitCodes: [GateProbe] = [
    exit("all pass: 0", 0, section([result(.pass)])),
    exit("one failure: 1", 1, section([result(.pass), result(.fail)])),
    exit("one error: 1", 1, section([result(.pass), result(.error)])),
    exit("no case: 2", 2, section([])),
    exit("all unsupported: 2", 2, section([result(.unsupported)])),
    exit(
      "a damaged file: 65", 65,
      section([result(.pass)], files: [FileRecord(path: "probe", errors: ["truncated"])])),
    exit("a vacuous corpus: 1", 1, section([result(.pass)], vacuous: true)),
    exit("one case that was not run: 2", 2, section([result(.pass), result(.notRun)])),
    exit("interrupted: 2", 2, section([result(.pass)], interrupted: true)),
    exit("interrupted, and a failure: 1", 1, section([result(.fail)], interrupted: true)),
  ]

  /// A linear layer with gradients, its operands changed, and what is expected of it: unnoticed defects, all of them.
  private static func corpus(
    _ name: String, unnoticed: Set<String>, inputs: Int = 5, _ change: @escaping @Sendable (inout GoldenCase) -> Void
  ) -> GateProbe {
    GateProbe(name) { gate in
      func random(_ shape: Shape, _ seed: UInt64) -> AnyTensor {
        AnyTensor.float32(Tensor(splitMix64Uniform: shape, seed: seed, low: -1, high: 1)).converted(to: .float64)
      }
      var golden = GoldenCase(
        summary: GoldenCaseSummary(name: "/probe/case", operation: operation, fill: .random),
        inputs: ["x": random([4, inputs], 1)], parameters: ["weight": random([3, inputs], 2)],
        upstream: ["y": random([4, 3], 3)])
      change(&golden)
      var exercise = golden.exercise.converted(to: .float64)
      exercise.passes = [.forward, .backward]
      guard let answer = try? ReferenceEngine().compute(exercise) else { return false }
      golden.outputs = answer.outputs.mapValues { ExpectedTensor($0) }
      golden.gradients = answer.gradients.mapValues { ExpectedTensor($0) }
      let record = gate.judgeVacuity(
        operation, [VerificationCase(file: "probe", oracle: .float64, golden: golden)])
      return Set(record.unnoticed) == unnoticed
    }
  }

  private static let vacuity: [GateProbe] = [
    corpus("random operands notice every defect", unnoticed: []) { _ in },
    corpus(
      "inputs of ones would not notice a shift of them or of the weights",
      unnoticed: ["shifted input", "flipped weight", "shifted input in gradients/weight"]
    ) {
      $0.inputs = $0.inputs.mapValues { $0.edited { $0 = $0.map { _ in 1 } } }
    },
    corpus("one input of one cannot show a shift within it", unnoticed: [], inputs: 1) { golden in
      golden.inputs["x"] = .float64(Tensor(shape: [1, 1], elements: [0.5]))
      golden.upstream["y"] = .float64(Tensor(shape: [1, 3], elements: [0.5, -0.25, 0.75]))
    },
    corpus(
      "cotangents of zeros would notice no gradient but one of ones",
      unnoticed: [
        "doubled gradient in gradients/x", "shifted cotangents in gradients/x", "dropped cotangents in gradients/x",
        "doubled gradient in gradients/weight", "shifted cotangents in gradients/weight",
        "dropped cotangents in gradients/weight", "flipped weight in gradients/x", "dropped term in gradients/x",
        "shifted input in gradients/weight",
      ]
    ) {
      $0.upstream = $0.upstream.mapValues { $0.edited { $0 = $0.map { _ in 0 } } }
    },
  ]

  /// y = x·w element by element, with gradients that can be spoilt.
  private static func product(
    spoil: @escaping @Sendable (inout NamedTensors) -> Void = { _ in }
  ) -> GradientCheck {
    let x = Tensor<Double>(shape: [4], elements: [0.5, -1.5, 0, 2])
    let w = Tensor<Double>(shape: [4], elements: [1, 0.25, -2, 3])
    var check = GradientCheck(
      "probe", at: ["x": x, "w": w],
      forward: { operands in
        guard let x = operands["x"], let w = operands["w"] else { return [:] }
        return [
          "y": Tensor(shape: x.shape, elements: zip(x.elements, w.elements).map { $0 * $0 * $1 })
        ]
      },
      backward: { operands, upstream in
        guard let x = operands["x"], let w = operands["w"], let dy = upstream["y"] else { return [:] }
        let all = x.elements.indices
        var gradients: NamedTensors = [
          "x": Tensor(shape: x.shape, elements: all.map { 2 * x.elements[$0] * w.elements[$0] * dy.elements[$0] }),
          "w": Tensor(shape: x.shape, elements: all.map { x.elements[$0] * x.elements[$0] * dy.elements[$0] }),
        ]
        spoil(&gradients)
        return gradients
      })
    check.options.threads = 1
    return check
  }

  private static func gradient(
    _ name: String, _ expected: GradientVerdict, _ check: @escaping @Sendable () -> GradientCheck
  )
    -> GateProbe
  {
    GateProbe(name) { $0.check(check()).verdict == expected }
  }

  /// 1 from 0 on and 0 below; the point has a 0.
  private static func jump() -> GradientCheck {
    GradientCheck(
      "jump", at: ["x": Tensor(shape: [2], elements: [0, 1])],
      forward: { operands in
        let x = operands["x"]?.elements ?? []
        return ["y": Tensor(shape: [x.count], elements: x.map { $0 >= 0 ? 1 : 0 })]
      },
      backward: { _, _ in ["x": Tensor(zeros: [2])] })
  }

  /// ReLU with a slope of 2 at 0.
  private static func steepKink() -> GradientCheck {
    GradientCheck(
      "kink", at: ["x": Tensor(shape: [2], elements: [0, 1])],
      forward: { operands in
        let x = operands["x"]?.elements ?? []
        return ["y": Tensor(shape: [x.count], elements: x.map { max($0, 0) })]
      },
      backward: { _, upstream in
        let dy = upstream["y"]?.elements ?? [0, 0]
        return ["x": Tensor(shape: [2], elements: [2 * dy[0], dy[1]])]
      })
  }

  /// Right for as many calls as it takes to have gradients and their bounds; after that, each call adds to the last.
  private static func accumulating() -> GradientCheck {
    let calls = Remembered<Double>()
    return product { gradients in
      let count = (calls.exchange(nil) ?? 0) + 1
      _ = calls.exchange(count)
      if count > 4 { gradients = gradients.mapValues { $0.map { $0 * count } } }
    }
  }

  private static let gradients: [GateProbe] = [
    gradient("a correct gradient passes", .pass) { product() },
    gradient("one element wrong by 1 in 10⁴ fails", .fail) { product { $0["x"]?.elements[3] *= 1.0001 } },
    gradient("an error in the first operand fails", .fail) { product { $0["w"]?.elements[0] += 1 } },
    gradient("an error in the last operand fails", .fail) { product { $0["x"]?.elements[0] += 1 } },
    gradient("a gradient that is NaN fails", .fail) { product { $0["x"]?.elements[1] = .nan } },
    gradient("a missing gradient is an error", .error) { product { $0["x"] = nil } },
    gradient("a jump is inconclusive", .inconclusive) { jump() },
    gradient("a slope outside the kink fails", .fail) { steepKink() },
    gradient("an accumulating backward pass fails", .fail) { accumulating() },
    GateProbe("gradients' failure: 1") { gate in
      var record = GradientRecord(name: "probe", engine: "closure", dtype: "float64", seed: 1)
      record.verdict = .fail
      return gate.concludeGradients([record]) == 1
    },
  ]
}
