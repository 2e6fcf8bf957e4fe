import Engines
import Operations
import Problems
import Results
import Tensors

/// The workloads of a suite in the order in which they are run, each problem once however many networks have it.
public struct BenchmarkPlan: Sendable {
  /// One workload that is to be timed.
  public struct Item: Sendable, Hashable {
    public var subject: BenchmarkSubject
    public var pass: TimingRequest.TimedPass
    public var layout: TimingRequest.Layout
    public var threads: Int
    /// The type of operands and results. It is a whole suite's, and so no part of a name.
    public var dtype: DType

    public init(
      _ subject: BenchmarkSubject, pass: TimingRequest.TimedPass, layout: TimingRequest.Layout, threads: Int,
      dtype: DType = .float32
    ) {
      self.subject = subject
      self.pass = pass
      self.layout = layout
      self.threads = threads
      self.dtype = dtype
    }

    /// `conv2d n1c64h56w56 k64r3s3 stride1 pad1 forward nchw t1`
    public var name: String { "\(subject.problem.text) \(pass.rawValue) \(layout.rawValue) t\(threads)" }

    /// Multiplications and additions of the definition, the same for each pass.
    public var flops: Double { subject.flops }

    /// Of what the pass computes.
    var resultBytes: Int { subject.resultBytes(pass, dtype) }

    /// Operands and results, once each.
    var compulsoryBytes: Double { Double(dtype.byteCount) * Double(subject.compulsoryElements(pass)) }
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
    let subjects: [BenchmarkSubject]
    do throws(ProblemError) {
      subjects = suite.timesWholeNetworks ? try Self.wholeNetworks(suite) : try operations(of: suite)
      for subject in subjects { try limits.require(subject.reference) }
    } catch { throw BenchmarkSuite.Invalid("suite \(suite.name): \(error)") }
    try suite.requirePasses()
    for subject in subjects {
      for pass in suite.passes where subject.has(pass) {
        for threads in suite.threads {
          for layout in suite.timesWholeNetworks ? [.nchw] : suite.layouts {
            let item = Item(subject, pass: pass, layout: layout, threads: threads, dtype: suite.dtype)
            if filters.isEmpty || filters.contains(where: { $0.matches(item.name) }) { items.append(item) }
          }
        }
      }
    }
  }

  /// Keeps the items of which this is true.
  public mutating func keep(_ isKept: (Item) -> Bool) { items = items.filter(isKept) }

  private static func wholeNetworks(_ suite: BenchmarkSuite) throws(ProblemError) -> [BenchmarkSubject] {
    var found: [BenchmarkSubject] = []
    for name in suite.networks {
      let architecture = try ResNetArchitecture(named: name)
      let side = architecture.stem == .imageNet ? suite.imageSize : architecture.usualImageSide
      for batch in suite.batches {
        let shape = try ProblemText.shape([batch, 3, side, side])
        for pass in suite.passes {
          found.append(
            pass == .trainingStep
              ? .training(try TrainedNetwork(architecture, inputShape: shape))
              : .network(
                try ResNetProblem(
                  architecture: architecture, inputShape: shape, classCount: architecture.classCount)))
        }
      }
    }
    return found
  }

  /// The distinct convolutions of the suite's networks, and its further problems, of any operation.
  private mutating func operations(of suite: BenchmarkSuite) throws(ProblemError) -> [BenchmarkSubject] {
    var subjects: [BenchmarkSubject] = []
    var seen: Set<BenchmarkSubject> = []
    for batch in suite.batches {
      for name in suite.networks {
        let found = try ResNetArchitecture(named: name).distinctConvolutions(batch: batch, imageSize: suite.imageSize)
        networks.append(
          BenchmarkNetwork(
            name: name, batch: batch, imageSize: suite.imageSize,
            layers: found.map {
              .init(name: $0.name, stage: $0.stage, problem: $0.problem.text, multiplicity: $0.multiplicity)
            }))
        for convolution in found where seen.insert(.convolution(convolution.problem)).inserted {
          subjects.append(.convolution(convolution.problem))
        }
      }
    }
    for text in suite.problems {
      let subject = try BenchmarkSubject(Problem.parse(text))
      if seen.insert(subject).inserted { subjects.append(subject) }
    }
    return subjects
  }
}
