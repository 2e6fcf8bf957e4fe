import Results

/// Adds up the convolutions of each network.
enum NetworkTotals {
  private struct Setting: Hashable {
    var threads: Int
    var pass: String
    var layout: String
  }

  /// One convolution's part in a sum.
  private struct Timing {
    let nanoseconds: Double
    let isSubstitute: Bool
    let isClaimed: Bool

    init?(_ contestant: BenchmarkContestant?, isSubstitute: Bool) {
      guard let contestant, let time = contestant.time else { return nil }
      nanoseconds = time.medianNanoseconds
      self.isSubstitute = isSubstitute
      isClaimed = contestant.isClaimed
    }
  }

  static func totals(of section: BenchmarkSection) -> [NetworkTotal] {
    var settings: [Setting] = []
    for workload in section.workloads {
      let setting = Setting(threads: workload.threads, pass: workload.pass, layout: workload.layout)
      if !settings.contains(setting) { settings.append(setting) }
    }
    return section.networks.flatMap { network in settings.compactMap { total(network, $0, section) } }
  }

  /// - Returns: `nil` unless every convolution of the network was timed with the baseline or some other engine.
  private static func total(_ network: BenchmarkNetwork, _ setting: Setting, _ section: BenchmarkSection)
    -> NetworkTotal?
  {
    var workloads: [BenchmarkWorkload] = []
    for layer in network.layers {
      let found = section.workloads.first {
        $0.problem == layer.problem && $0.threads == setting.threads && $0.pass == setting.pass
          && $0.layout == setting.layout
      }
      guard let found, found.contestants.contains(where: { $0.time != nil }) else { return nil }
      workloads.append(found)
    }
    let builtIns = Set(section.engines.filter(\.isBuiltIn).map(\.name))
    var entries = section.engines.compactMap { engine in
      entry(engine.name, network, workloads) { workload in
        if let own = Timing(workload.contestant(engine.name), isSubstitute: false) { return own }
        guard builtIns.contains(engine.name) else { return nil }
        return Timing(workload.contestant(section.options.baseline), isSubstitute: true)
      }
    }
    let best = entry(NetworkTotal.bestMix, network, workloads) { workload in
      Timing(workload.bestBuiltIn.flatMap { workload.contestant($0) }, isSubstitute: false)
    }
    if let best { entries.append(best) }
    guard !entries.isEmpty else { return nil }
    return NetworkTotal(
      network: network.name, batch: network.batch, threads: setting.threads, pass: setting.pass, layout: setting.layout,
      convolutions: network.layers.reduce(0) { $0 + $1.multiplicity }, entries: entries)
  }

  private static func entry(
    _ name: String, _ network: BenchmarkNetwork, _ workloads: [BenchmarkWorkload],
    _ time: (BenchmarkWorkload) -> Timing?
  ) -> NetworkTotal.Entry? {
    var entry = NetworkTotal.Entry(engine: name, nanoseconds: 0, substituted: 0, parts: [])
    for (layer, workload) in zip(network.layers, workloads) {
      guard let found = time(workload) else { return nil }
      let whole = found.nanoseconds * Double(layer.multiplicity)
      entry.nanoseconds += whole
      if found.isSubstitute { entry.substituted += layer.multiplicity }
      if found.isClaimed { entry.claimed = (entry.claimed ?? 0) + layer.multiplicity }
      if let index = entry.parts.firstIndex(where: { $0.stage == layer.stage }) {
        entry.parts[index].nanoseconds += whole
      } else {
        entry.parts.append(.init(stage: layer.stage, nanoseconds: whole))
      }
    }
    let all = network.layers.reduce(0) { $0 + $1.multiplicity }
    return entry.substituted == all ? nil : entry
  }
}
