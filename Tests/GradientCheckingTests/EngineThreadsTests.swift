import Engines
import GradientChecking
import Operations
import Problems
import Results
import Tensors
import Testing

/// What an engine does with several threads shows in its gradients.
@Suite struct EngineThreadsTests {
  /// The reference, which leaves out what a second thread should do of the weight's gradient.
  private struct DroppingEngine: Engine {
    let description = EngineDescription(name: "dropping", version: "1")

    func compute(_ exercise: Exercise) throws(EngineError) -> Answer {
      var answer = try ReferenceEngine().compute(exercise)
      if exercise.threads > 1, case .float64(var tensor)? = answer.gradients["weight"] {
        for i in tensor.count / 2..<tensor.count { tensor.elements[i] = 0 }
        answer.gradients["weight"] = .float64(tensor)
      }
      return answer
    }

    func prepare(_ exercise: Exercise, for timing: TimingRequest) throws(EngineError) -> any PreparedOperation {
      throw .unsupported("never timed")
    }
  }

  @Test(arguments: [(1, .pass), (2, .fail), (3, .fail)] as [(Int, GradientVerdict)])
  func `a gradient is checked with the number of threads that is asked for`(
    threads: Int, verdict: GradientVerdict
  ) throws {
    let problem = GradientCase("conv2d n1c2h5w5 k3r3s3 stride1 pad1")
    let record = try problem.check(engine: DroppingEngine(), threads: threads, options: .init()).run()
    #expect(record.verdict == verdict, "\(record.reason ?? "")")
  }
}
