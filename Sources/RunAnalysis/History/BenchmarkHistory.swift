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
    section(
      directory: directory, times: runs.compactMap { name, run in StoredTimes(run).map { (name, $0) } },
      skipped: skipped, filters: filters)
  }

  private struct Key: Hashable, Comparable {
    var key: String
    var benchmark: String
    var engine: String

    static func < (a: Key, b: Key) -> Bool { (a.key, a.benchmark, a.engine) < (b.key, b.benchmark, b.engine) }
  }

  /// The same of the times of any file.
  /// - Parameters:
  ///   - directory: where they were found.
  ///   - times: each with the name of its file; in any order. Those without a date come first, by name.
  ///   - skipped: files that could not be used, one sentence each.
  ///   - filters: a benchmark is kept when its name matches any; none keeps all.
  public static func section(
    directory: String, times: [(name: String, times: StoredTimes)], skipped: [String], filters: [NamePattern] = []
  ) -> HistorySection {
    // A merged run lies above its parts.
    let ordered = times.sorted { a, b in
      (a.times.started, a.name.count { $0 == "/" }, a.name) < (b.times.started, b.name.count { $0 == "/" }, b.name)
    }
    var points: [Key: [(run: Int, point: HistorySection.Point)]] = [:]
    var seen: [Key: Set<Int>] = [:]
    var counted: [Int] = []
    var broken: [String] = []
    for (index, (name, stored)) in ordered.enumerated() {
      var isNew = false
      let machine = stored.keyText
      for entry in stored.entries where filters.isEmpty || filters.contains(where: { $0.matches(entry.benchmark) }) {
        // What an engine claims is followed apart from what was measured.
        let key = Key(
          key: machine, benchmark: entry.benchmark, engine: entry.engine + (entry.isClaimed ? Trust.claimedMark : ""))
        if entry.isBroken { broken.append("\(name): \(entry.label): \(entry.problem)") }
        guard let time = entry.time else { continue }
        if let identity = entry.identity, !seen[key, default: []].insert(identity).inserted { continue }
        isNew = true
        points[key, default: []].append(
          (
            index,
            HistorySection.Point(
              run: name, started: stored.started, commit: stored.commit, nanoseconds: time.median)
          ))
      }
      if isNew { counted.append(index) }
    }
    var section = HistorySection(
      directory: directory, series: series(points, ordered.map(\.times)), skipped: skipped)
    section.runs = counted.map { index in
      .init(name: ordered[index].name, started: ordered[index].times.started, commit: ordered[index].times.commit)
    }
    section.vanished = broken + vanished(points, counted.map { ($0, ordered[$0].name, ordered[$0].times) })
    section.unknown = ordered.filter { !$0.times.unknown.isEmpty }.map { name, stored in
      "\(name) (\(stored.program)) does not tell: \(stored.unknown.joined(separator: ", "))"
        + (stored.started.isEmpty ? "; nor when it was measured: it comes first, by name" : "")
    }
    return section
  }

  private static func series(
    _ points: [Key: [(run: Int, point: HistorySection.Point)]], _ times: [StoredTimes]
  ) -> [HistorySection.Series] {
    let keys = points.keys.sorted()
    let finder = ChangePoints()
    let found = keys.map { key in finder.changes(in: (points[key] ?? []).map(\.point.nanoseconds)) }
    let confirmed = finder.confirmed(found)
    return keys.indices.map { place in
      let key = keys[place]
      let own = points[key] ?? []
      let values = own.map(\.point.nanoseconds)
      let ends = [0] + found[place].map(\.position) + [values.count]
      let changes = found[place].indices.map { index in
        let change = found[place][index]
        return HistorySection.Change(
          position: change.position,
          before: OrderStatistics.median(values[ends[index]..<ends[index + 1]]) ?? 0,
          after: OrderStatistics.median(values[ends[index + 1]..<ends[index + 2]]) ?? 0,
          pValue: change.pValue, isConfirmed: confirmed[place][index],
          differences: differences(
            times[own[change.position - 1].run], times[own[change.position].run], engine: key.engine))
      }
      var series = HistorySection.Series(
        key: key.key, benchmark: key.benchmark, engine: key.engine, points: own.map(\.point),
        changePoints: changes.filter(\.isConfirmed).map(\.position))
      series.changes = changes
      return series
    }
  }

  /// What is another in the run of a change, as far as it can matter to this engine.
  private static func differences(_ old: StoredTimes, _ new: StoredTimes, engine: String) -> [String] {
    let own = StoredTimes.versionName(of: engine.hasSuffix(Trust.claimedMark) ? String(engine.dropLast()) : engine)
    return old.differences(to: new, isKey: false)
      .filter { $0.name == own || !StoredTimes.isVersion($0.name) }.map(\.description)
  }

  /// What the last run of a machine and suite no longer times.
  private static func vanished(
    _ points: [Key: [(run: Int, point: HistorySection.Point)]], _ runs: [(index: Int, name: String, times: StoredTimes)]
  ) -> [String] {
    var last: [String: (index: Int, name: String, times: StoredTimes)] = [:]
    for run in runs { last["\(run.times.keyText)\n\(run.times.suite)"] = run }
    let suites = Dictionary(runs.map { ($0.index, $0.times.suite) }, uniquingKeysWith: { first, _ in first })
    // Of a last run, what it has where.
    var entries: [Int: [StoredTimes.Place: StoredTimes.Entry]] = [:]
    for run in last.values where entries[run.index] == nil {
      entries[run.index] = Dictionary(
        run.times.entries.map { entry in
          let engine = entry.engine + (entry.isClaimed ? Trust.claimedMark : "")
          return (StoredTimes.Place(benchmark: entry.benchmark, engine: engine), entry)
        }, uniquingKeysWith: { first, _ in first })
    }
    var found: [String] = []
    for key in points.keys.sorted() {
      guard let final = points[key]?.last else { continue }
      guard let run = last["\(key.key)\n\(suites[final.run] ?? "")"], run.index > final.run else { continue }
      let label = key.engine.isEmpty ? key.benchmark : "\(key.benchmark) \(key.engine)"
      let entry = entries[run.index]?[StoredTimes.Place(benchmark: key.benchmark, engine: key.engine)]
      // A measurement that counts as an earlier one is there.
      if entry?.time != nil { continue }
      let why = entry.map { ": \($0.problem)" } ?? ""
      found.append("\(label): timed last in \(final.point.run), not in \(run.name)\(why)")
    }
    return found
  }
}
