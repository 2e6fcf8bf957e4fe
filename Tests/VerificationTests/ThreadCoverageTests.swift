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

/// What an engine does with several threads is judged, whatever it does with one.
@Suite struct ThreadCoverageTests {
  private static let problem = "conv2d n2c3h7w6 k4r3s3 stride1 pad1 bias"

  /// Leaves out what the second thread should have done.
  private static let dropping = WrongEngine { exercise, answer in
    guard exercise.threads > 1 else { return }
    answer.outputs["y"] = answer.outputs["y"].map { $0.edited { for i in $0.count / 2..<$0.count { $0[i] = 0 } } }
  }

  @Test func `a part that the second thread leaves out is failed where nobody names a number`() throws {
    let verifier = CaseVerifier(try .random(Self.problem))
    let result = verifier.verify(Self.dropping, dtype: .float32)
    #expect(result.status == .fail && result.threads == [1, 2] && result.failingThreads == 2)
    #expect(result.message.hasPrefix("with 2 threads: outputs/y is wrong"), "\(result.message)")
    #expect(verifier.verify(Self.dropping, dtype: .float32, threads: [1]).status == .pass)
    let first = verifier.verify(Self.dropping, dtype: .float32, threads: [3, 1])
    #expect(first.status == .fail && first.threads == [3] && first.failingThreads == 3)
  }

  @Test func `other bits with another number of threads are judged in full`() throws {
    // Another order of summation, which a correct engine may have.
    let reordered = WrongEngine { exercise, answer in
      guard exercise.threads > 1 else { return }
      answer.outputs["y"] = answer.outputs["y"].map { $0.edited { $0[5] = $0[5].nextUp } }
    }
    let result = CaseVerifier(try .random(Self.problem)).verify(reordered, dtype: .float32)
    #expect(result.status == .pass && result.threads == [1, 2] && result.failingThreads == nil, "\(result.message)")
  }

  @Test func `an engine of one thread is asked with one, and one that refuses more is said to`() throws {
    let verifier = CaseVerifier(try .random(Self.problem))
    #expect(verifier.verify(ReferenceEngine(), dtype: .float32).threads == [1])
    let single = WrongEngine { exercise, _ in
      if exercise.threads > 1 { throw EngineError.unsupported("one thread") }
    }
    let result = verifier.verify(ThrowingEngine(base: single), dtype: .float32)
    #expect(result.status == .pass && result.threads == [1])
    #expect(result.message == "not with every number of threads: one thread")
  }

  @Test func `a layer that is wrong with two threads alone is named with them`() throws {
    let engine = WrongEngine { exercise, answer in
      guard exercise.threads > 1, exercise.parameters["weight"]?.shape == [32, 32, 3, 3] else { return }
      answer.gradients["weight"] = answer.gradients["weight"].map { $0.edited { $0[5] *= 1.005 } }
    }
    let network = "resnet n2c3h16w16 archcifar_resnet8 classes3 training"
    let result = CaseVerifier(try .random(network)).verify(engine, dtype: .float32)
    #expect(result.status == .fail && result.failingThreads == 2)
    #expect(
      result.message.hasPrefix("with 2 threads: layers/layer2.0.conv2/gradients/weight is wrong on its own"),
      "\(result.message)")
  }

  @Test func `a case that must be refused must be with any number of threads`() throws {
    var golden = try VerificationCase.random("relu n2c3h4w5").golden
    golden.expectError = .invalidArgument
    let engine = ThrowingEngine(
      base: WrongEngine { exercise, _ in
        if exercise.threads == 1 { throw EngineError.refused(category: "invalid_argument", message: "") }
      })
    let item = VerificationCase(file: "test", oracle: .float64, golden: golden)
    let result = CaseVerifier(item).verify(engine, dtype: .float32)
    #expect(result.status == .fail && result.failingThreads == 2)
    #expect(CaseVerifier(item).verify(engine, dtype: .float32, threads: [1]).status == .refused)
  }

  @Test func `the command that repeats a case names the number of threads`() async throws {
    let folder = try TemporaryDirectory()
    let path = folder.file("test.h5").path
    let golden = try VerificationCase.random(Self.problem, fill: .exact).golden
    try GoldenFileWriter.write([golden], header: GoldenFileHeader(generator: "test"), to: path)
    var plan = VerificationPlan(engines: [Self.dropping], dtypes: [.float32], files: [path])
    let reader = GoldenReader(trusted: nil, probe: nil)
    let standard = await Verifier(plan: plan, reader: reader).run()
    #expect(standard.results.first?.reproduce.hasSuffix("--dtype float32 --threads 2") == true)
    plan.threads = [1]
    let single = await Verifier(plan: plan, reader: reader).run()
    #expect(single.results.map(\.status) == [.pass] && single.threads == [1])
    #expect(single.results.first?.reproduce.hasSuffix("--dtype float32 --threads 1") == true)
  }

  /// Every strategy of this project with one, two and three threads, twice, over all cases of the corpus that they compute; and
  /// the reference on convolutions, which its own threads share, alone and in networks.
  @Test(arguments: ["conv2d.h5", "conv2d_resnet.h5", "operand_types.h5", "resnet_cifar.h5"])
  func `built-in engines compute the corpus with any number of threads`(file: String) throws {
    let folder = Repository.fixtures.path
    let manifest = try #require(try GoldenManifest.read(inFolder: folder))
    let opened = try GoldenReader(trusted: manifest, probe: nil).open("\(folder)/\(file)")
    for summary in opened.cases where !summary.tags.contains("slow") {
      let engines = BuiltInEngines.all.filter { $0.description.operations.contains(summary.operation) }
      let verifier = CaseVerifier(
        VerificationCase(file: file, oracle: opened.header.oracleDType, golden: try opened.load(summary)))
      for engine in engines {
        let result = verifier.verify(engine, dtype: .float32, threads: [1, 2, 3], repeating: true)
        #expect(
          [.pass, .refused, .unsupported].contains(result.status),
          "\(summary.name) \(engine.description.name): \(result.message)")
      }
    }
  }
}

/// Passes on what another one throws.
private struct ThrowingEngine: Engine {
  let base: WrongEngine
  var description: EngineDescription { base.description }

  func compute(_ exercise: Exercise) throws(EngineError) -> Answer {
    var answer = Answer()
    do { try base.change(exercise, &answer) } catch let error as EngineError { throw error } catch {
      throw .failed("\(error)")
    }
    return try ReferenceEngine().compute(exercise)
  }

  func prepare(_ exercise: Exercise, for timing: TimingRequest) throws(EngineError) -> any PreparedOperation {
    throw .unsupported("never timed")
  }
}
