import Results

/// The times of one benchmark over the runs of a folder, and where they changed.
public enum BenchmarkHistory {
  /// - Parameter runs: each with the name of its file; in any order.
  public static func section(directory: String, runs: [(name: String, run: Run)], skipped: [String]) -> HistorySection {
    struct Key: Hashable {
      var key: String
      var benchmark: String
      var engine: String
    }
    var points: [Key: [HistorySection.Point]] = [:]
    for (name, run) in runs.sorted(by: { ($0.run.provenance.started, $0.name) < ($1.run.provenance.started, $1.name) })
    {
      guard let section = run.benchmark else { continue }
      let machine = BaselineComparison.key(of: run, section).map(\.1).joined(separator: ", ")
      for workload in section.workloads {
        for contestant in workload.contestants {
          guard let time = contestant.time else { continue }
          let key = Key(key: machine, benchmark: workload.name, engine: contestant.engine)
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
