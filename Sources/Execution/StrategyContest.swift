import Convolution

/// The same network once with each strategy, run by turns: what each kind of work in it takes by each of them, with caches as
/// the work before leaves them.
struct StrategyContest<Kind: Hashable> {
  /// One piece of work of a run.
  struct Time {
    let kind: Kind
    /// What did it: where the network's own strategy does not, `direct`, whose own network times that.
    let strategy: String
    let nanoseconds: Int
  }

  struct Result {
    let kind: Kind
    /// Pieces of a run that are of this kind.
    var count = 0
    /// Median nanoseconds by strategy.
    var medians: [String: Double] = [:]
  }

  /// In the order of the network.
  let results: [Result]

  /// - Parameters:
  ///   - rounds: runs of each network that count; one before them warms caches and pages.
  ///   - progress: called with the networks prepared and run so far, of all.
  ///   - prepare: makes the network of a strategy.
  ///   - run: runs it, and says what its pieces took.
  /// - Throws: ``ExecutionError``.
  init<Network>(
    rounds: Int, progress: (_ done: Int, _ all: Int) -> Void,
    prepare: (any ConvolutionStrategy) throws(ExecutionError) -> Network,
    run: (Network) throws(ExecutionError) -> [Time]
  ) throws(ExecutionError) {
    let candidates = AutoStrategy().admissible
    let all = candidates.count * (rounds + 2)
    var networks: [(name: String, network: Network)] = []
    for (index, strategy) in candidates.enumerated() {
      progress(index, all)
      networks.append((strategy.name, try prepare(strategy)))
    }
    var times: [Kind: [String: [Double]]] = [:]
    var counts: [Kind: Int] = [:]
    var order: [Kind] = []
    for round in 0...rounds {
      for (index, (name, network)) in networks.enumerated() {
        progress(candidates.count * (round + 1) + index, all)
        for time in try run(network) where time.strategy == name {
          if times[time.kind] == nil { order.append(time.kind) }
          times[time.kind, default: [:]][name, default: []] += round > 0 ? [Double(time.nanoseconds)] : []
          // Only `direct` does every piece.
          if round == 0, name == "direct" { counts[time.kind, default: 0] += 1 }
        }
      }
    }
    results = order.map { kind in
      let medians = (times[kind] ?? [:]).mapValues { $0.sorted()[$0.count / 2] }
      return Result(kind: kind, count: counts[kind] ?? 0, medians: medians)
    }
  }
}
