import Problems
import Results

/// The times of one benchmark over the runs of a folder, and where they changed.
///
/// A measurement counts once, however many runs hold it: a merged run stands beside the parts that it was made of. The
/// samples themselves show it: no two measurements share them, in nanoseconds.
public enum BenchmarkHistory {
  /// - Parameters:
  ///   - directory: where the runs were found, for the report.
  ///   - runs: each with the name of its file; in any order.
  ///   - skipped: files that could not be used, one sentence each.
  ///   - filters: a workload is kept when its name matches any; none keeps all.
  public static func section(
    directory: String, runs: [(name: String, run: Run)], skipped: [String], filters: [NamePattern] = []
  ) -> HistorySection {
    struct Key: Hashable {
      var key: String
      var benchmark: String
      var engine: String
    }
    struct Order: Comparable {
      var started: String
      /// A merged run lies above its parts.
      var depth: Int
      var name: String

      static func < (a: Order, b: Order) -> Bool {
        (a.started, a.depth, a.name) < (b.started, b.depth, b.name)
      }
    }
    var points: [Key: [HistorySection.Point]] = [:]
    var seen: [Key: Set<[DurationSamples]>] = [:]
    func order(_ entry: (name: String, run: Run)) -> Order {
      let depth = entry.name.count { $0 == "/" }
      return Order(started: entry.run.provenance.started, depth: depth, name: entry.name)
    }
    for (name, run) in runs.sorted(by: { order($0) < order($1) }) {
      guard let section = run.benchmark else { continue }
      let machine = BaselineComparison.key(of: run, section).map(\.1).joined(separator: ", ")
      for workload in section.workloads where filters.isEmpty || filters.contains(where: { $0.matches(workload.name) })
      {
        for contestant in workload.contestants {
          guard let time = contestant.time else { continue }
          // What an engine claims is followed apart from what was measured.
          let key = Key(key: machine, benchmark: workload.name, engine: contestant.engine + contestant.mark)
          guard seen[key, default: []].insert(contestant.samples).inserted else { continue }
          points[key, default: []].append(
            .init(
              run: name, started: run.provenance.started, commit: run.provenance.gitCommit,
              nanoseconds: time.medianNanoseconds))
        }
      }
    }
    let series = points.map { key, points in
      HistorySection.Series(
        key: key.key, benchmark: key.benchmark, engine: key.engine, points: points,
        changePoints: ChangePoints().find(in: points.map(\.nanoseconds)))
    }
    return HistorySection(
      directory: directory,
      series: series.sorted { ($0.key, $0.benchmark, $0.engine) < ($1.key, $1.benchmark, $1.engine) }, skipped: skipped)
  }
}
