import Results

/// Runs that are parts of one: shards of a verification, workloads of a benchmark, or different kinds of work.
public enum RunMerge {
  /// Why runs are not parts of one.
  public struct Refusal: Error, CustomStringConvertible, Hashable {
    public var description: String

    public init(_ description: String) { self.description = description }
  }

  /// - Parameter runs: each with its path.
  /// - Throws: ``Refusal`` for shards that overlap or leave a gap, and for parts that were measured differently.
  public static func merge(_ runs: [(path: String, run: Run)]) throws(Refusal) -> Run {
    guard let first = runs.first else { throw Refusal("expected runs to merge, found none") }
    for (path, run) in runs.dropFirst() where run.provenance.gitCommit != first.run.provenance.gitCommit {
      throw Refusal(
        "\(path) is of commit \(run.provenance.gitCommit ?? "unknown"), \(first.path) of "
          + "\(first.run.provenance.gitCommit ?? "unknown"): they are not parts of one run")
    }
    var merged = Run(provenance: first.run.provenance)
    // The commands of all parts, in the order in which they were started.
    let origins = runs.map(\.run.provenance).sorted { $0.started < $1.started }
    merged.provenance.command = Array(origins.map(\.command).joined(separator: [";"]))
    merged.provenance.started = origins.first?.started ?? merged.provenance.started
    if origins.contains(where: { $0.gitDirty == true }) { merged.provenance.gitDirty = true }
    merged.verification = try verification(runs)
    merged.benchmark = try benchmark(runs)
    merged.gradients = try only(runs, "gradient checks") { $0.gradients }
    merged.selfTest = try only(runs, "self-tests") { $0.selfTest }
    merged.duet = try only(runs, "gates") { $0.duet }
    merged.history = try only(runs, "histories") { $0.history }
    return merged
  }

  private static func only<Section>(
    _ runs: [(path: String, run: Run)], _ name: String, _ section: (Run) -> Section?
  ) throws(Refusal) -> Section? {
    let found = runs.filter { section($0.run) != nil }
    guard found.count <= 1 else {
      throw Refusal("\(found.map(\.path).joined(separator: ", ")): expected one run with \(name), found \(found.count)")
    }
    return found.first.flatMap { section($0.run) }
  }

  private static func verification(_ runs: [(path: String, run: Run)]) throws(Refusal) -> VerificationSection? {
    let parts = runs.compactMap { part in part.run.verification.map { (part.path, $0) } }
    guard var merged = parts.first?.1 else { return nil }
    guard parts.count > 1 || merged.shard != nil else { return merged }
    var seen: [Int: String] = [:]
    let count = merged.shard?.count ?? 0
    for (path, section) in parts {
      guard let shard = section.shard else {
        throw Refusal("\(path): expected a shard, found a whole verification: it overlaps every other")
      }
      guard shard.count == count else {
        throw Refusal("\(path): expected a shard of \(count), found one of \(shard.count)")
      }
      guard section.strict == merged.strict, section.filters == merged.filters, section.tags == merged.tags else {
        throw Refusal("\(path): was run with another --strict, --filter or --tag")
      }
      if let other = seen[shard.index] {
        throw Refusal("\(path) and \(other) are the same shard, \(shard.index + 1) of \(count): they overlap")
      }
      seen[shard.index] = path
    }
    let missing = (0..<count).filter { seen[$0] == nil }.map { "\($0 + 1)" }
    guard missing.isEmpty else {
      throw Refusal("expected \(count) shards, found \(seen.count): missing \(missing.joined(separator: ", "))")
    }
    for (_, section) in parts.dropFirst() {
      merged.results += section.results
      for file in section.files where !merged.files.contains(file) { merged.files.append(file) }
      for engine in section.engines where !merged.engines.contains(engine) { merged.engines.append(engine) }
      for record in section.vacuity { absorb(record, into: &merged.vacuity) }
      for stale in section.staleKnownFailures where !merged.staleKnownFailures.contains(stale) {
        merged.staleKnownFailures.append(stale)
      }
      merged.seconds += section.seconds
    }
    merged.results.sort { ($0.file, $0.name, $0.engine, $0.dtype) < ($1.file, $1.name, $1.engine, $1.dtype) }
    merged.shard = nil
    return merged
  }

  /// What any shard notices, the whole corpus notices.
  private static func absorb(_ record: VacuityRecord, into all: inout [VacuityRecord]) {
    guard let index = all.firstIndex(where: { $0.operation == record.operation }) else { return all.append(record) }
    all[index].noticedBy.merge(record.noticedBy) { $0.isEmpty ? $1 : $0 }
  }

  private static func benchmark(_ runs: [(path: String, run: Run)]) throws(Refusal) -> BenchmarkSection? {
    let parts = runs.filter { $0.run.benchmark != nil }
    guard let first = parts.first, var merged = first.run.benchmark else { return nil }
    for (path, run) in parts.dropFirst() {
      guard let section = run.benchmark else { continue }
      guard section.options == merged.options, section.engines == merged.engines,
        section.machine.cpuModel == merged.machine.cpuModel, section.machine.cores == merged.machine.cores
      else {
        throw Refusal("\(path): was measured with other options or engines, or on another machine, than \(first.path)")
      }
      if let twice = section.workloads.first(where: { new in merged.workloads.contains { $0.name == new.name } }) {
        throw Refusal("\(path): \(twice.name) was measured in another of these runs already: they overlap")
      }
      merged.workloads += section.workloads
      merged.ceilings += section.ceilings.filter { new in !merged.ceilings.contains { $0.threads == new.threads } }
      merged.networks += section.networks.filter { !merged.networks.contains($0) }
      merged.machine.warnings += section.machine.warnings.filter { !merged.machine.warnings.contains($0) }
      merged.complete = merged.complete && section.complete
      merged.seconds += section.seconds
    }
    if parts.count > 1 { BenchmarkAnalysis.complete(&merged) }
    return merged
  }
}
