import Engines
import GoldenFiles
import Operations
import Problems
import Results
import StrategyEngines
import Tensors
import TestSupport
import Testing
import Verification

/// The oracle that bounds of networks and their layers come from is held to what a file expects.
@Suite struct OracleTests {
  private static func item(_ file: String, _ name: String) throws -> VerificationCase {
    let path = Repository.fixtures.appending(path: "\(file).h5").path
    let golden = try GoldenReader(trusted: nil, probe: nil).open(path)
    return VerificationCase(
      file: path, oracle: golden.header.oracleDType, golden: try golden.load(named: name))
  }

  private static let cases = [
    ("conv2d", "/conv2d/stride2/odd_input/random"), ("resnet_cifar", "/resnet/cifar_resnet20/32x32/training"),
  ]

  /// One element of each layer's output off by far less than any rounding of float32.
  private static let wrong = Oracle(of: Oracle.blocked.operations) { (problem, given) throws(ProblemError) in
    var found = try Oracle.blocked.found(problem, given)
    found?.outputs["y"]?.elements[0] += 0x1p-34
    return found
  }

  @Test(arguments: cases, [DType.float32, .float64])
  func `an oracle with a defect is an error whoever is judged`(item: (file: String, name: String), dtype: DType) throws
  {
    let item = try Self.item(item.file, item.name)
    let right = CaseVerifier(item).verify(ReferenceEngine(), dtype: dtype)
    #expect(right.status == .pass, "\(right.message)")
    let found = CaseVerifier(item, oracle: Self.wrong).verify(ReferenceEngine(), dtype: dtype)
    #expect(found.status == .error)
    #expect(found.message.contains("the oracle that judges it is wrong: outputs/"), "\(found.message)")
  }

  /// What it gives of a run that no file holds is what the plain loops give, and an engine is judged by it.
  @Test func `a run without a file is the oracle's own`() throws {
    let problem = try Problem.parse("training_run n4c3h32w32 t2b2 archcifar_resnet8 classes10 optimizeradam")
    var exercise = RandomExercise(problem: problem, roles: problem.definition.roles, fill: .random, seed: 1).exercise
    exercise.wanted = ["outputs/loss"]
    let verifier = try CaseVerifier(ofRuns: exercise, file: "none")
    let expected = try #require(verifier.item.golden.outputs["loss"])
    guard case .whole(let found) = expected.value else { Issue.record("not whole"); return }
    let plain = try #require(try ReferenceEngine().compute(exercise.converted(to: .float64)).outputs["loss"])
    for (loss, other) in zip(found.doubles.elements, plain.doubles.elements) {
      #expect(abs(loss - other) <= 1e-10 * abs(other))
    }
    let execution = try #require(BuiltInEngines.named("execution"))
    for engine: any Engine in [ReferenceEngine(), execution] {
      let result = verifier.verify(engine, dtype: .float32)
      #expect(result.status == .pass && result.tensors.map(\.path) == ["outputs/loss"], "\(result.message)")
    }
    let single = try Problem.parse("conv2d n1c1h3w3 k1r1s1")
    let other = RandomExercise(problem: single, roles: single.definition.roles, fill: .random, seed: 1).exercise
    #expect(throws: EngineError.self) { try CaseVerifier(ofRuns: other, file: "none") }
  }

  @Test func `another oracle's fault is named without judging an engine`() throws {
    let verifier = CaseVerifier(try Self.item(Self.cases[0].0, Self.cases[0].1))
    #expect(verifier.fault(of: .blocked) == nil)
    #expect(try #require(verifier.fault(of: Self.wrong)).hasPrefix("outputs/y is wrong"))
    let leaving = Oracle(of: []) { _, _ in preconditionFailure("it has no operation") }
    #expect(verifier.fault(of: leaving) == nil)
  }

  @Test func `layers judged side by side give the record of one after the other`() throws {
    let item = try Self.item("resnet_cifar", "/resnet/cifar_resnet20/32x32/evaluation")
    let records = try [1, 3].map { lanes in
      let result = CaseVerifier(item, lanes: lanes).verify(ReferenceEngine(), dtype: .float32)
      #expect(result.status == .pass)
      return try #require(result.layers)
    }
    #expect(records[0].judged > 60)
    #expect(records[0].compared == records[1].compared)
    #expect(records[0].worst.mapValues(\.worstRatio) == records[1].worst.mapValues(\.worstRatio))
  }

  @Test func `a network's count of bytes grows with its parameters and its activations`() throws {
    func bytes(_ text: String) throws -> Int {
      try #require(try Problem.parse(text) as? any LayeredProblem).bytesWhileJudged.value
    }
    let small = try bytes("resnet n1c3h32w32 archcifar_resnet20 classes10")
    #expect(try bytes("resnet n1c3h32w32 archcifar_resnet32 classes10") > small)
    #expect(try bytes("resnet n2c3h32w32 archcifar_resnet20 classes10") > small)
  }
}
