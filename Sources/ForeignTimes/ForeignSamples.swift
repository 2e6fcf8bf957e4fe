import RunAnalysis

/// Samples of benchmarks in the order in which they were met.
struct ForeignSamples {
  private var order: [String] = []
  private var blocks: [String: [Double]] = [:]
  /// Figures that stand for a benchmark of which there are no samples.
  private var medians: [String: Double] = [:]
  private var faults: [String: (text: String, isBroken: Bool)] = [:]

  private mutating func meet(_ name: String) throws(ForeignFault) {
    guard blocks[name] == nil else { return }
    guard order.count < TimesFile.mostBenchmarks else {
      throw ForeignFault("", expected: "at most \(TimesFile.mostBenchmarks) benchmarks", found: "more")
    }
    blocks[name] = []
    order.append(name)
  }

  /// One block's time. One that no clock gives is named, and leaves the benchmark without a time.
  mutating func add(_ nanoseconds: Double, to name: String) throws(ForeignFault) {
    try meet(name)
    guard nanoseconds.isFinite, nanoseconds > 0 else { return broken(nanoseconds, name) }
    blocks[name, default: []].append(nanoseconds)
  }

  /// A median whose samples the file does not hold.
  mutating func add(median nanoseconds: Double, to name: String) throws(ForeignFault) {
    try meet(name)
    guard nanoseconds.isFinite, nanoseconds > 0 else { return broken(nanoseconds, name) }
    medians[name] = nanoseconds
  }

  private mutating func broken(_ nanoseconds: Double, _ name: String) {
    faults[name] = ("expected a time above 0, found \(nanoseconds / 1e9) s", true)
  }

  /// A benchmark that says itself why it has no time.
  mutating func fail(_ name: String, because problem: String) throws(ForeignFault) {
    try meet(name)
    faults[name] = (problem, false)
  }

  var entries: [StoredTimes.Entry] {
    order.map { name in
      let blocks = blocks[name] ?? []
      let (median, fault) = (medians[name], faults[name])
      var time = fault == nil ? StoredTimes.Time(blocks: blocks) : nil
      if fault == nil, time == nil { time = median.map { StoredTimes.Time(median: $0) } }
      return StoredTimes.Entry(
        benchmark: name, time: time, problem: fault?.text ?? (time == nil ? "no time" : ""),
        isBroken: fault?.isBroken ?? false, identity: blocks.isEmpty ? nil : blocks.hashValue)
    }
  }
}
