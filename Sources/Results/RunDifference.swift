/// Something in which two records differ that must be equal for them to be parts of one run.
public struct RunDifference: Sendable, Hashable, CustomStringConvertible {
  public var name: String
  public var first: String
  public var second: String

  public init(name: String, first: String, second: String) {
    self.name = name
    self.first = first
    self.second = second
  }

  public var description: String { "\(name): \(first) and \(second)" }
}

extension [RunDifference] {
  /// A line each, for who tries to go on with a run that is another: what stands in its record, and what is asked for now.
  public var lines: String {
    map { "  \($0.name): \($0.first) then, \($0.second) now".printable }.joined(separator: "\n")
  }
}

/// Collects what differs between two records, by name, with both values.
struct RunDifferences {
  private(set) var found: [RunDifference] = []

  mutating func compare(_ name: String, _ first: String, _ second: String) {
    if first != second { found.append(RunDifference(name: name, first: first, second: second)) }
  }

  /// What a record of an earlier version does not have is not held against the other.
  mutating func compareKnown(_ name: String, _ first: String?, _ second: String?) {
    if let first, let second { compare(name, first, second) }
  }

  mutating func compare(_ name: String, _ first: [String], _ second: [String]) {
    compare(name, Self.list(first), Self.list(second))
  }

  private static func list(_ words: [String]) -> String { words.isEmpty ? "none" : words.joined(separator: ", ") }
}

extension Run {
  /// What the kernels used, where any part tells.
  public var instructionSet: String? { provenance.instructionSet ?? benchmark?.machine.selectedInstructionSet }

  /// Differences that forbid the two to be parts of one run, whatever was done in them: the code that ran.
  public func differences(from other: Run) -> [RunDifference] {
    let (a, b) = (provenance, other.provenance)
    var differences = RunDifferences()
    differences.compare("Assay's version", a.assayVersion, b.assayVersion)
    differences.compare("commit", a.gitCommit ?? "unknown", b.gitCommit ?? "unknown")
    differences.compare("uncommitted changes", Self.words(a.gitDirty), Self.words(b.gitDirty))
    differences.compare("compiler", a.compiler, b.compiler)
    differences.compare("compiler flags", a.compilerFlags, b.compilerFlags)
    differences.compareKnown("instruction set", instructionSet, other.instructionSet)
    return differences.found
  }

  private static func words(_ dirty: Bool?) -> String { dirty.map { $0 ? "yes" : "no" } ?? "unknown" }
}

extension FuzzingSection {
  /// Differences that forbid the two to be shards of one run of random problems.
  public func differences(from other: FuzzingSection) -> [RunDifference] {
    var differences = RunDifferences()
    differences.compare("seed", "\(seed)", "\(other.seed)")
    differences.compare("shards", "\(shard?.count ?? 1)", "\(other.shard?.count ?? 1)")
    differences.compare("precisions", dtypes, other.dtypes)
    differences.compare("--threads", Self.words(threads), Self.words(other.threads))
    differences.compare("--pass", passes ?? ["all"], other.passes ?? ["all"])
    differences.compare("--no-refusals", "\(withoutRefusals ?? false)", "\(other.withoutRefusals ?? false)")
    differences.compare(
      "--cases", casesPerOperation.map(String.init) ?? "none", other.casesPerOperation.map(String.init) ?? "none")
    differences.compare("engines", engines.map(Self.words), other.engines.map(Self.words))
    if let turns, let others = other.turns { differences.compare("operations", turns, others) }
    return differences.found
  }

  private static func words(_ engine: EngineRecord) -> String { "\(engine.name) \(engine.version)" }

  private static func words(_ threads: [Int]?) -> [String] { threads?.map(String.init) ?? ["each engine's standard"] }
}

extension VerificationSection {
  /// Differences that forbid the two to be shards of one verification.
  public func differences(from other: VerificationSection) -> [RunDifference] {
    var differences = RunDifferences()
    let named = { (engine: EngineRecord) in engine.command ?? engine.name }
    differences.compare("engines", engines.map(named), other.engines.map(named))
    for engine in engines {
      // An engine that never answered has no version.
      guard let twin = other.engines.first(where: { $0.name == engine.name }), !engine.version.isEmpty,
        !twin.version.isEmpty
      else { continue }
      differences.compare("version of \(engine.name)", engine.version, twin.version)
    }
    if let dtypes, let others = other.dtypes { differences.compare("precisions", dtypes, others) }
    differences.compareKnown("--threads", threads.map(Self.list), other.threads.map(Self.list))
    differences.compare("--strict", "\(strict)", "\(other.strict)")
    differences.compare("--filter", filters, other.filters)
    differences.compare("--tag", tags, other.tags)
    differences.compare("--exclude", excludes ?? [], other.excludes ?? [])
    differences.compare("--pass", passes ?? ["all"], other.passes ?? ["all"])
    differences.compare("--no-refusals", "\(withoutRefusals ?? false)", "\(other.withoutRefusals ?? false)")
    differences.compare("λ of the bounds", "\(lambda)", "\(other.lambda)")
    if dtypes != nil, other.dtypes != nil {
      let digests = [knownFailuresSha256, other.knownFailuresSha256].map { $0 ?? "none" }
      differences.compare("known failures", digests[0], digests[1])
    }
    differences.compare("golden files", files.map(\.path), other.files.map(\.path))
    for file in files {
      guard let twin = other.files.first(where: { $0.path == file.path }) else { continue }
      differences.compare("SHA-256 of \(file.path)", file.sha256, twin.sha256)
      // Fresh cases have no file: they are the same where their seed and number are.
      differences.compare("cases of \(file.path)", file.generator, twin.generator)
    }
    differences.compareKnown("number of shards", shard.map { "\($0.count)" }, other.shard.map { "\($0.count)" })
    return differences.found
  }

  private static func list(_ counts: [Int]) -> String { counts.map(String.init).joined(separator: ",") }
}

extension BenchmarkSection {
  /// Differences that forbid the two to be parts of one benchmark: times of both would not be comparable.
  public func differences(from other: BenchmarkSection) -> [RunDifference] {
    var differences = RunDifferences()
    differences.compare("CPU", machine.cpuModel, other.machine.cpuModel)
    differences.compare("cores", "\(machine.cores)", "\(other.machine.cores)")
    differences.compare(
      "instruction set", machine.selectedInstructionSet, other.machine.selectedInstructionSet)
    differences.compare("suite", suite, other.suite)
    differences.compare("blocks", "\(options.blocks)", "\(other.options.blocks)")
    differences.compare(
      "slice", "\(options.sliceMilliseconds) ms", "\(other.options.sliceMilliseconds) ms")
    differences.compare("cold caches", "\(options.cold)", "\(other.options.cold)")
    differences.compare("precision", options.dtype, other.options.dtype)
    differences.compare("baseline", options.baseline, other.options.baseline)
    differences.compare("confidence", "\(options.confidence)", "\(other.options.confidence)")
    let described = { (engine: BenchmarkEngine) in
      let info = engine.info.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }.joined(separator: ", ")
      return "\(engine.name) \(engine.version) (\(engine.command)" + (info.isEmpty ? ")" : "; \(info))")
    }
    differences.compare("engines", engines.map(described), other.engines.map(described))
    differences.compareKnown("number of shards", shard.map { "\($0.count)" }, other.shard.map { "\($0.count)" })
    return differences.found
  }
}

extension GradientSection {
  /// Differences that forbid the two to be shards of one run of gradient checks.
  public func differences(from other: GradientSection) -> [RunDifference] {
    var differences = RunDifferences()
    differences.compare("shards", "\(shard?.count ?? 1)", "\(other.shard?.count ?? 1)")
    if !records.isEmpty, !other.records.isEmpty {
      differences.compare("engines", Self.sorted(records.map(\.engine)), Self.sorted(other.records.map(\.engine)))
      differences.compare("precisions", Self.sorted(records.map(\.dtype)), Self.sorted(other.records.map(\.dtype)))
    }
    return differences.found
  }

  private static func sorted(_ names: [String]) -> [String] { Set(names).sorted() }
}

extension SelfTestSection {
  /// Differences that forbid the two to be shards of one self-test.
  public func differences(from other: SelfTestSection) -> [RunDifference] {
    var differences = RunDifferences()
    differences.compare("shards", "\(shard?.count ?? 1)", "\(other.shard?.count ?? 1)")
    differences.compare("--strict", "\(strict ?? false)", "\(other.strict ?? false)")
    return differences.found
  }
}
