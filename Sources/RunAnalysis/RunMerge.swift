import Results

/// Runs that are parts of one: shards of a verification, workloads of a benchmark, or different kinds of work.
///
/// What is missing or was interrupted makes the merged run inconclusive at best and is recorded in it as a hole, with the command
/// that fills it; what contradicts the other parts (another commit, another engine, the same shard twice) is refused.
public enum RunMerge {
  /// Why runs are not parts of one.
  public struct Refusal: Error, CustomStringConvertible, Hashable {
    public var description: String

    public init(_ description: String) { self.description = description }
  }

  /// A run and where it was read from.
  public typealias Part = (path: String, run: Run)

  /// A part that the merged run should have, and how the command that was to write it ended, where that is known.
  public struct Expectation: Sendable, Hashable {
    public var part: RunPart
    public var outcome: Outcome?

    public init(_ part: RunPart, ended outcome: Outcome? = nil) {
      self.part = part
      self.outcome = outcome
    }
  }

  /// - Parameters:
  ///   - runs: in any order, which does not matter.
  ///   - expected: what should be there.
  ///   - origin: the provenance of the merged run where there are no parts at all.
  /// - Throws: ``Refusal`` for parts that overlap or were made differently, each difference by its name.
  public static func merge(
    _ runs: [Part], expected: [Expectation] = [], origin: @autoclosure () -> Provenance
  ) throws(Refusal) -> Run {
    // The order in which they were started: then the same parts make the same run.
    let runs = runs.sorted { ($0.run.provenance.started, $0.path) < ($1.run.provenance.started, $1.path) }
    guard let first = runs.first else {
      guard !expected.isEmpty else { throw Refusal("expected runs to merge, found none") }
      var merged = Run(provenance: origin())
      merged.holes = holes(merged, expected)
      return merged
    }
    for part in runs.dropFirst() { try refuse(part.run.differences(from: first.run), part.path, first.path) }
    var merged = Run(provenance: first.run.provenance)
    merged.provenance.partCommands = runs.flatMap { $0.run.provenance.partCommands ?? [$0.run.provenance.command] }
    merged.provenance.instructionSet = runs.lazy.compactMap(\.run.instructionSet).first
    merged.verification = try verification(runs)
    merged.benchmark = try benchmark(runs)
    let (fuzzing, missing) = try fuzzing(runs)
    merged.fuzzing = fuzzing
    let (gradients, missingChecks) = try gradients(runs)
    merged.gradients = gradients
    let (selfTest, missingMutants) = try selfTest(runs)
    merged.selfTest = selfTest
    merged.training = try only(runs, "a training run") { $0.training }
    merged.duet = try only(runs, "gates") { $0.duet }
    merged.history = try only(runs, "histories") { $0.history }
    let all =
      runs.flatMap { $0.run.holes ?? [] } + missing + missingChecks + missingMutants
      + interruptions(runs) + holes(merged, expected)
    merged.holes = all.isEmpty ? nil : all
    return merged
  }

  static func refuse(_ differences: [RunDifference], _ path: String, _ other: String) throws(Refusal) {
    guard !differences.isEmpty else { return }
    throw Refusal(
      "\(other) and \(path) are not parts of one run:\n"
        + differences.map { "  \($0.name): \($0.first) in \(path), \($0.second) in \(other)" }.joined(separator: "\n"))
  }

  /// Expected parts that are absent, or whose command ended worse than their records say.
  private static func holes(_ run: Run, _ expected: [Expectation]) -> [RunHole] {
    expected.compactMap { expectation in
      let name = expectation.part.rawValue
      guard let section = run.section(expectation.part) else {
        let outcome = Outcome.worse(.inconclusive, expectation.outcome ?? .inconclusive)
        let ending = expectation.outcome.map { " (its command ended with exit code \($0.exitCode))" } ?? ""
        return RunHole("\(name) is missing\(ending)", outcome: outcome)
      }
      guard let outcome = expectation.outcome, Outcome.worse(outcome, section.conclusion.outcome) == outcome,
        outcome != section.conclusion.outcome
      else { return nil }
      return RunHole(
        "the command of \(name) ended with exit code \(outcome.exitCode), which its records do not explain",
        outcome: outcome)
    }
  }

  /// Interrupted parts of the kinds that have one part; shards and workloads are looked after where they are joined.
  private static func interruptions(_ runs: [Part]) -> [RunHole] {
    runs.compactMap { path, run in
      guard
        run.fuzzing?.interrupted == true || run.gradients?.interrupted == true || run.selfTest?.interrupted == true
          || run.training?.interrupted == true || run.duet?.complete == false
      else { return nil }
      return RunHole("\(path) was interrupted", command: ShellCommand(run.provenance.command).description)
    }
  }

  private static func only<Section>(
    _ runs: [Part], _ name: String, _ section: (Run) -> Section?
  ) throws(Refusal) -> Section? {
    let found = runs.filter { section($0.run) != nil }
    guard found.count <= 1 else {
      throw Refusal("\(found.map(\.path).joined(separator: ", ")): expected one run with \(name), found \(found.count)")
    }
    return found.first.flatMap { section($0.run) }
  }

  // MARK: Shards

  private static func verification(_ runs: [Part]) throws(Refusal) -> VerificationSection? {
    let parts = runs.compactMap { path, run in run.verification.map { (path: path, run: run, section: $0) } }
    guard let first = parts.first else { return nil }
    var merged = first.section
    var holes: [RunHole] = []
    for part in parts where part.section.interrupted {
      holes.append(
        RunHole("\(part.path) was interrupted", command: ShellCommand(part.run.provenance.command).description))
    }
    if parts.count > 1 || merged.shard != nil {
      var seen: [Int: String] = [:]
      let count = merged.shard?.count ?? 0
      for part in parts {
        guard let shard = part.section.shard else {
          throw Refusal("\(part.path): expected a shard, found a whole verification: it overlaps every other")
        }
        try refuse(part.section.differences(from: merged), part.path, first.path)
        if let other = seen[shard.index] {
          throw Refusal("\(part.path) and \(other) are the same shard, \(shard.index + 1) of \(count): they overlap")
        }
        seen[shard.index] = part.path
      }
      for index in 0..<count where seen[index] == nil {
        holes.append(
          RunHole(
            "shard \(index + 1) of \(count) is missing",
            command: filling(index, of: count, first.run.provenance.command)))
      }
      for part in parts.dropFirst() { absorb(part.section, into: &merged) }
      merged.shard = nil
    }
    let all = (merged.holes ?? []) + holes
    merged.holes = all.isEmpty ? nil : all
    return merged
  }

  /// Adds another shard.
  private static func absorb(_ section: VerificationSection, into merged: inout VerificationSection) {
    merged.results += section.results
    for file in section.files {
      guard let index = merged.files.firstIndex(where: { $0.path == file.path }) else { continue }
      merged.files[index].errors += file.errors.filter { !merged.files[index].errors.contains($0) }
    }
    for record in section.vacuity { absorb(record, into: &merged.vacuity) }
    merged.vacuity.sort { $0.operation < $1.operation }
    absorbKnownFailures(of: section, into: &merged)
    merged.calibration = merged.calibration ?? section.calibration
    merged.leftOut?.withoutPass += section.leftOut?.withoutPass ?? 0
    merged.interrupted = merged.interrupted || section.interrupted
    merged.seconds += section.seconds
    let holes = (merged.holes ?? []) + (section.holes ?? [])
    merged.holes = holes.isEmpty ? nil : holes
    // As one process would have written them: by file, case, engine and precision, each in the order that was asked for.
    let files = places(merged.files.map(\.path))
    let engines = places(merged.engines.map(\.name))
    let dtypes = places(merged.dtypes ?? Set(merged.results.map(\.dtype)).sorted())
    merged.results.sort { a, b in
      if a.file != b.file { return files[a.file, default: 0] < files[b.file, default: 0] }
      if precedes(a.name, b.name) { return true }
      if precedes(b.name, a.name) { return false }
      if a.engine != b.engine { return engines[a.engine, default: 0] < engines[b.engine, default: 0] }
      return dtypes[a.dtype, default: 0] < dtypes[b.dtype, default: 0]
    }
  }

  /// The order of cases in a file: a tree of groups, each with its members by the bytes of their names.
  private static func precedes(_ name: String, _ other: String) -> Bool {
    name.split(separator: "/").lexicographicallyPrecedes(other.split(separator: "/")) {
      $0.utf8.lexicographicallyPrecedes($1.utf8)
    }
  }

  private static func places(_ names: [String]) -> [String: Int] {
    Dictionary(names.enumerated().map { ($0.element, $0.offset) }, uniquingKeysWith: { first, _ in first })
  }

  /// Whether an entry is stale shows in what all shards found of it together.
  private static func absorbKnownFailures(of section: VerificationSection, into merged: inout VerificationSection) {
    guard var records = merged.knownFailures, let others = section.knownFailures else {
      // A record of an earlier version has what its own shard concluded, and no more.
      merged.staleKnownFailures += section.staleKnownFailures.filter { !merged.staleKnownFailures.contains($0) }
      return
    }
    for other in others {
      guard let index = records.firstIndex(where: { $0.entry == other.entry }) else {
        records.append(other)
        continue
      }
      records[index].add(other)
    }
    merged.knownFailures = records
    merged.staleKnownFailures = records.compactMap(\.stale)
  }

  /// What any shard notices, the whole corpus notices.
  private static func absorb(_ record: VacuityRecord, into all: inout [VacuityRecord]) {
    guard let index = all.firstIndex(where: { $0.operation == record.operation }) else { return all.append(record) }
    all[index].noticedBy.merge(record.noticedBy) { $0.isEmpty ? $1 : $0 }
  }

  // MARK: Workloads

  private static func benchmark(_ runs: [Part]) throws(Refusal) -> BenchmarkSection? {
    let parts = runs.compactMap { path, run in run.benchmark.map { (path: path, run: run, section: $0) } }
    guard let first = parts.first else { return nil }
    var merged = first.section
    for part in parts.dropFirst() {
      let section = part.section
      try refuse(section.differences(from: merged), part.path, first.path)
      if let twice = section.workloads.first(where: { new in merged.workloads.contains { $0.name == new.name } }) {
        throw Refusal("\(part.path): \(twice.name) was measured in another of these runs already: they overlap")
      }
      merged.workloads += section.workloads
      merged.ceilings += section.ceilings.filter { new in !merged.ceilings.contains { $0.threads == new.threads } }
      merged.networks += section.networks.filter { !merged.networks.contains($0) }
      merged.machine.warnings += section.machine.warnings.filter { !merged.machine.warnings.contains($0) }
      merged.machine.stealFraction = [merged.machine.stealFraction, section.machine.stealFraction].compactMap { $0 }
        .max()
      merged.options.pinned = merged.options.pinned && section.options.pinned
      merged.options.nice = merged.options.nice.flatMap { nice in section.options.nice.map { max(nice, $0) } }
      let doubts = (merged.doubts ?? []) + (section.doubts ?? []).filter { merged.doubts?.contains($0) != true }
      merged.doubts = doubts.isEmpty ? nil : doubts
      merged.strict = merged.strict ?? section.strict
      let planned = (merged.planned ?? []) + (section.planned ?? []).filter { merged.planned?.contains($0) != true }
      merged.planned = planned.isEmpty ? nil : planned
      merged.holes = (merged.holes ?? []) + (section.holes ?? [])
      merged.seconds += section.seconds
    }
    // What one part was interrupted in, another may have done.
    let done = Set(merged.workloads.map(\.name))
    let open = parts.filter { part in
      !part.section.complete && part.section.planned.map { !Set($0).isSubset(of: done) } ?? true
    }
    merged.complete = open.isEmpty
    var missing: [RunHole] = []
    // Workloads of a filter are told apart by their names; shards are known by their numbers.
    if parts.contains(where: { $0.section.shard != nil }) {
      missing = try Self.holes(
        parts.map { ($0.path, $0.section.shard) }, of: "workloads", command: first.run.provenance.command)
      merged.shard = nil
    }
    let holes =
      (merged.holes ?? []) + missing
      + open.map { part in
        RunHole(
          "\(part.path) was interrupted",
          command: ShellCommand(part.run.provenance.command).without(flags: ["--resume"]).adding("--resume").description
        )
      }
    merged.holes = holes.isEmpty ? nil : holes
    if parts.count > 1 { BenchmarkAnalysis.complete(&merged) }
    return merged
  }
}
