import Results
import Tensors

/// The least time that this machine allows to a workload: the minimum over algorithms of
///
///     max(flops / FMA peak, compulsory bytes / bandwidth)
///
/// over the definition's sum, Winograd's F(2×2), F(4×4) and F(6×6) where they apply (3×3, stride 1, dilation 1), and one
/// level of Strassen's recursion where pixels, taps and output channels are at least 512. Flops include the transforms of
/// activations and whole tiles; bytes include weights as each algorithm reads them, which for F(m×m) are (m + 2)²/9 of those
/// given. The bandwidth is that of the smallest memory that holds what the timed iterations rotate over: n sets of
/// activations and the weights.
///
/// - Source: Winograd 1980; Lavin and Gray 2016, who count the transforms; Williams, Waterman and Patterson 2009 (the
///   roofline).
public struct ConvolutionFloor: Sendable, Hashable {
  public let nanoseconds: Double
  /// `compute` or `memory`: which ceiling it is.
  public let limitedBy: String
  /// `direct`, `winograd4`, `strassen1`: the algorithm that it is of.
  public let algorithm: String

  /// - Parameters:
  ///   - workload: its problem, pass, threads and sets.
  ///   - section: the element type, the machine and its measured ceilings.
  /// - Returns: nil for what is no convolution, and where no ceilings were measured with these threads.
  public init?(_ workload: BenchmarkWorkload, in section: BenchmarkSection) {
    guard let ceiling = section.ceilings.first(where: { $0.threads == workload.threads }),
      let work = ConvolutionWork(workload)
    else { return nil }
    let size = Double(section.elementType.byteCount)
    let floors = work.costs.map { cost in
      let footprint = size * work.footprint(sets: workload.sets ?? 1, weights: cost.weights)
      let compute = cost.flops / ceiling.peakGigaflops
      let memory = size * work.moved(weights: cost.weights) / ceiling.bandwidth(holding: footprint, of: section.machine)
      return (cost.algorithm, compute, memory)
    }
    guard let (algorithm, compute, memory) = floors.min(by: { max($0.1, $0.2) < max($1.1, $1.2) }) else { return nil }
    nanoseconds = max(compute, memory)
    limitedBy = compute >= memory ? "compute" : "memory"
    self.algorithm = algorithm
  }

  /// A time that no program takes honestly: half of the least floor of all algorithms, and generous wherever the floor itself
  /// is not certain.
  ///
  /// - The peak and the bandwidths are the highest that were measured in the run, with any number of threads, as if they
  ///   grew with threads. A type of 16 bits may have units of its own whose peak is not measured: bytes alone count.
  /// - Weights have as many bytes as they are given in, whatever an algorithm makes of them.
  /// - A cache holds what is up to twice its size, since of a rotation that is a little larger some part stays, and one of
  ///   unknown size holds everything. What the first-level cache holds, whose bandwidth is not measured, has no floor by
  ///   bytes.
  /// - Parameters:
  ///   - workload: its problem, pass, threads and sets.
  ///   - section: the element type, the machine and its measured ceilings.
  /// - Returns: nil for what is no convolution, and where no ceilings were measured.
  public static func impossibleNanoseconds(_ workload: BenchmarkWorkload, in section: BenchmarkSection) -> Double? {
    guard let ceiling = section.ceilings.highest(threads: workload.threads),
      let work = ConvolutionWork(workload)
    else { return nil }
    let size = Double(section.elementType.byteCount)
    let footprint = size * work.footprint(sets: workload.sets ?? 1, weights: work.plainWeights) / 2
    func holds(_ cache: Int?) -> Bool { cache.map { Double($0) * Double(workload.threads) >= footprint } ?? true }
    let rate =
      holds(section.machine.l1DataBytes)
      ? .infinity
      : holds(section.machine.l2Bytes)
        ? ceiling.l2GigabytesPerSecond : ceiling.bandwidth(holding: footprint, of: section.machine)
    let memory = size * work.moved(weights: work.plainWeights) / rate
    guard !section.elementType.isNarrow else { return memory / 2 }
    let compute = work.costs.map { $0.flops / ceiling.peakGigaflops }.min() ?? 0
    return max(compute, memory) / 2
  }
}

extension BenchmarkSection {
  var elementType: DType { DType(rawValue: options.dtype) ?? .float32 }
}

extension CeilingRecord {
  /// 10⁹ bytes/s, which are bytes a nanosecond, of the smallest memory that holds so many bytes.
  /// - Parameters:
  ///   - bytes: what is used again and again.
  ///   - machine: the sizes of its caches.
  func bandwidth(holding bytes: Double, of machine: MachineRecord) -> Double {
    if let l2 = machine.l2Bytes, bytes <= Double(l2 * threads) { return l2GigabytesPerSecond }
    if let l3 = machine.l3Bytes, let rate = l3GigabytesPerSecond, bytes <= Double(l3) { return rate }
    return memoryGigabytesPerSecond
  }
}

extension [CeilingRecord] {
  /// Each figure the highest of all, those of fewer threads as if they grew with threads.
  fileprivate func highest(threads: Int) -> CeilingRecord? {
    func most(_ figure: (CeilingRecord) -> Double?) -> Double? {
      compactMap { ceiling in
        figure(ceiling).map { $0 * Swift.max(1, Double(threads) / Double(ceiling.threads)) }
      }.max()
    }
    guard let first, let peak = most(\.peakGigaflops), let l2 = most(\.l2GigabytesPerSecond),
      let memory = most(\.memoryGigabytesPerSecond)
    else { return nil }
    let l3 = most(\.l3GigabytesPerSecond)
    // Each memory is at least as fast as the next one, whatever one measurement says.
    return CeilingRecord(
      threads: threads, peakGigaflops: peak, l2GigabytesPerSecond: Swift.max(l2, l3 ?? 0, memory),
      l3GigabytesPerSecond: l3.map { Swift.max($0, memory) }, memoryGigabytesPerSecond: memory,
      frozenConvolutionNanoseconds: first.frozenConvolutionNanoseconds)
  }
}
