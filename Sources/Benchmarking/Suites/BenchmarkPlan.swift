import Engines
import Operations
import Problems
import Results
import Tensors

/// The workloads of a suite in the order in which they are run, each problem once however many networks have it.
public struct BenchmarkPlan: Sendable {
  /// One workload that is to be timed.
  public struct Item: Sendable, Hashable {
    public var problem: Conv2dProblem
    public var pass: TimingRequest.TimedPass
    public var layout: TimingRequest.Layout
    public var threads: Int
    /// The type of operands and results. It is a whole suite's, and so no part of a name.
    public var dtype: DType

    public init(
      problem: Conv2dProblem, pass: TimingRequest.TimedPass, layout: TimingRequest.Layout, threads: Int,
      dtype: DType = .float32
    ) {
      self.problem = problem
      self.pass = pass
      self.layout = layout
      self.threads = threads
      self.dtype = dtype
    }

    /// `conv2d n1c64h56w56 k64r3s3 stride1 pad1 forward nchw t1`
    public var name: String { "\(problem.text) \(pass.rawValue) \(layout.rawValue) t\(threads)" }

    /// Multiplications and additions of the definition, the same for each pass.
    var flops: Double { 2 * Double(problem.multiplyAccumulates) }

    /// Of what the pass computes.
    var resultBytes: Int {
      let shape =
        switch pass {
        case .backwardData: problem.inputShape
        case .backwardWeight: problem.weightShape
        case .forward, .inference, .trainingStep: problem.outputShape
        }
      return shape.count * dtype.byteCount
    }

    /// Input, weights and output, once each.
    var compulsoryBytes: Double {
      Double(dtype.byteCount) * Double(problem.inputShape.count + problem.weightShape.count + problem.outputShape.count)
    }
  }

  public private(set) var networks: [BenchmarkNetwork] = []
  public private(set) var items: [Item] = []

  /// - Parameters:
  ///   - suite: what to measure, as its file says.
  ///   - filters: a workload is kept when its name matches any; none keeps all.
  ///   - limits: the most that one workload may take.
  /// - Throws: ``BenchmarkSuite/Invalid`` for a network or problem that does not exist, or that takes more than the limits allow.
  public init(
    _ suite: BenchmarkSuite, filters: [NamePattern] = [], limits: CaseLimits = .standard
  ) throws(BenchmarkSuite.Invalid) {
    var problems: [Conv2dProblem] = []
    var seen: Set<Conv2dProblem> = []
    do throws(ProblemError) {
      for batch in suite.batches {
        for name in suite.networks {
          let found = try ResNetArchitecture(named: name)
            .distinctConvolutions(batch: batch, imageSize: suite.imageSize)
          networks.append(
            BenchmarkNetwork(
              name: name, batch: batch, imageSize: suite.imageSize,
              layers: found.map {
                .init(name: $0.name, stage: $0.stage, problem: $0.problem.text, multiplicity: $0.multiplicity)
              }))
          for convolution in found where seen.insert(convolution.problem).inserted {
            problems.append(convolution.problem)
          }
        }
      }
      for text in suite.problems {
        let parsed = try Problem.parse(text)
        guard let problem = parsed as? Conv2dProblem else {
          throw ProblemError(.invalidArgument, "problems", expected: Conv2dProblem.operation, found: "'\(text)'")
        }
        if seen.insert(problem).inserted { problems.append(problem) }
      }
      for problem in problems { try limits.require(problem) }
    } catch { throw BenchmarkSuite.Invalid("suite \(suite.name): \(error)") }
    for problem in problems {
      for pass in suite.passes {
        for threads in suite.threads {
          for layout in suite.layouts {
            let item = Item(problem: problem, pass: pass, layout: layout, threads: threads, dtype: suite.dtype)
            if filters.isEmpty || filters.contains(where: { $0.matches(item.name) }) { items.append(item) }
          }
        }
      }
    }
  }
}
