import Operations
import Problems
import Results

/// The least time that this machine allows to an operation that is no convolution, and not put together from layers:
///
///     max(flops / FMA peak, bytes / bandwidth)
///
/// with the definition's multiply-adds as flops, and the bytes that the pass reads and writes, once each. The bandwidth is that of
/// the smallest memory that holds the sets over which the timed iterations rotate. Operations whose result may be a view of what
/// they are given can take less.
///
/// - Source: Williams, Waterman and Patterson 2009 (the roofline).
struct OperationFloor {
  let nanoseconds: Double
  /// `compute` or `memory`: which ceiling it is.
  let limitedBy: String
  /// What stands for an algorithm in reports.
  static let algorithm = "definition"

  /// - Returns: nil for what is made of layers, for a convolution in a pass that has no limit of its own, and where no ceilings were measured with these threads.
  init?(_ workload: BenchmarkWorkload, in section: BenchmarkSection) {
    guard let ceiling = section.ceilings.first(where: { $0.threads == workload.threads }),
      let problem = try? Problem.parse(workload.problem), !(problem is Conv2dProblem), !(problem is any LayeredProblem),
      !(problem is ResNetProblem)
    else { return nil }
    let footprint = workload.compulsoryBytes * Double(workload.sets ?? 1)
    let memory = workload.compulsoryBytes / ceiling.bandwidth(holding: footprint, of: section.machine)
    let compute = workload.flops / ceiling.peakGigaflops
    nanoseconds = max(compute, memory)
    limitedBy = compute >= memory ? "compute" : "memory"
  }
}
