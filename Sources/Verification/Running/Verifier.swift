import Engines
import Foundation
import GoldenFiles
import Problems
import Results
import Tensors

/// What to verify.
public struct VerificationPlan: Sendable {
  public var engines: [any Engine]
  /// How the command line names an engine, where that is not its name alone (`mine='./mine --fast'`).
  public var engineWords: [String: String]
  /// The words of limits that a run was given, for the commands that repeat its cases.
  public var limitWords: [String] = []
  /// The words about engines that are not built in: a time-out, what they get of this process.
  public var foreignWords: [String] = []
  /// How many threads engines are asked with; `nil` for each engine's standard.
  public var threads: [Int]?
  /// Cases beside those of the files.
  public var fresh: FreshCases?
  /// The paths that name the files, as they were typed: what repeats a fresh case beside them.
  public var fileWords: [String] = []
  public var dtypes: [DType]
  /// Those that are asked for when none is named.
  public static let allDTypes: [DType] = [.float32, .float64]
  /// Golden files, in order.
  public var files: [String]
  public var filters: [NamePattern]
  /// Cases that are left out, whatever chose them.
  public var excludes: [NamePattern] = []
  /// Whether cases that must be refused are asked.
  public var asksRefusals = true
  /// What is judged of each case; `nil` for all of it.
  public var passes: Set<JudgedPass>?
  /// `smoke`, `slow` or any other: a case must carry one of them; `full` stands for every case that is not slow. Empty means
  /// `full`, or every case when filters name what is wanted.
  public var tags: Set<String>
  public var shard: Shard?
  public var strict: Bool
  public var knownFailures: KnownFailures
  /// Whether the files are those that the known failures are about: only then can an entry be stale for want of a failure.
  public var knownFailuresAreOfFiles = true
  public var workers: Int
  /// `yyyy-mm-dd`, for the expiry of known failures.
  public var today: String
  /// Judges whether the corpus would notice defects; `nil` leaves that out.
  public var vacuityOracle: (any Engine)?
  /// Of a run that goes on: the results of cases that are done, by ``Verifier/key(file:name:)``.
  public var earlier: [String: [CaseResult]] = [:]

  public init(
    engines: [any Engine], engineWords: [String: String] = [:], dtypes: [DType] = allDTypes, files: [String],
    filters: [NamePattern] = [],
    tags: Set<String> = [], shard: Shard? = nil, strict: Bool = false, knownFailures: KnownFailures = KnownFailures(),
    workers: Int = ProcessInfo.processInfo.activeProcessorCount, today: String = "",
    vacuityOracle: (any Engine)? = nil
  ) {
    self.engines = engines
    self.engineWords = engineWords
    self.dtypes = dtypes
    self.files = files
    self.filters = filters
    self.tags = tags
    self.shard = shard
    self.strict = strict
    self.knownFailures = knownFailures
    self.workers = workers
    self.today = today
    self.vacuityOracle = vacuityOracle
  }

  /// Whether a case is chosen, be it left out afterwards. One of a problem that was named is, unless a filter chooses among such.
  func includes(_ summary: GoldenCaseSummary, isNamed: Bool = false) -> Bool {
    if isNamed, !filters.contains(where: FreshCases.isNamed) { return true }
    let isFiltered =
      filters.isEmpty || filters.contains { FreshCases.isMeant(summary.name, by: $0) || $0.matches(summary.name) }
    guard isFiltered, !isNamed else { return isFiltered }
    return tags.isEmpty && !filters.isEmpty || !tags.isDisjoint(with: summary.tags)
      || (tags.isEmpty || tags.contains("full")) && !summary.tags.contains("slow")
  }

  func excludes(_ summary: GoldenCaseSummary) -> Bool {
    excludes.contains { FreshCases.isMeant(summary.name, by: $0) || $0.matches(summary.name) }
  }

  /// Whether cases are left out of those that are chosen.
  var leavesOut: Bool { !excludes.isEmpty || !asksRefusals || passes != nil }

  /// The words of options that decide what is judged of a case.
  var passWords: [String] { passes.map { ["--pass", JudgedPass.names($0).joined(separator: ",")] } ?? [] }
}

/// Runs a plan: every selected case of every file on every engine in every precision.
public struct Verifier: Sendable {
  public let plan: VerificationPlan
  public let reader: GoldenReader
  /// Called after each case, from any task: cases done, cases in all, the case's results.
  public let onProgress: @Sendable (Int, Int, [CaseResult]) -> Void
  private let ledger: Shared<Ledger>

  public init(
    plan: VerificationPlan, reader: GoldenReader,
    onProgress: @escaping @Sendable (Int, Int, [CaseResult]) -> Void = { _, _, _ in }
  ) {
    self.plan = plan
    self.reader = reader
    self.onProgress = onProgress
    ledger = Shared(Ledger())
  }

  private struct Job: Sendable {
    enum Origin: Sendable { case file(GoldenFile), fresh(FreshCases) }

    let origin: Origin
    let summary: GoldenCaseSummary
    /// What a case takes that is so large that it is slow, or whose problem was named; nothing for others, which are small.
    let bytes: SaturatingCount

    init(_ origin: Origin, _ summary: GoldenCaseSummary) {
      (self.origin, self.summary) = (origin, summary)
      if case .file(let file) = origin, summary.tags.contains("slow") {
        // What is wrong with it is said when it is loaded.
        bytes = Self.bytes(try? file.problem(of: summary))
      } else if case .fresh(let fresh) = origin {
        bytes = Self.bytes(fresh.namedProblem(of: summary))
      } else {
        bytes = 0
      }
    }

    private static func bytes(_ problem: (any OperationProblem)?) -> SaturatingCount {
      (problem as? any LayeredProblem)?.bytesWhileJudged ?? problem?.cost.bytes ?? 0
    }

    var path: String {
      switch origin {
      case .file(let file): file.path
      case .fresh: FreshCases.file
      }
    }

    /// Whether it is one of the cases that have to notice defects.
    var isOfCorpus: Bool { if case .file = origin { true } else { false } }

    /// What verifying it costs beside other cases: steps of its computation, elements that are judged, and what every case
    /// takes. Nobody's seconds, but in proportion to them.
    var cost: Double {
      let problem: (any OperationProblem)? =
        switch origin {
        case .file(let file): try? file.problem(of: summary)
        case .fresh(let fresh): fresh.namedProblem(of: summary)
        }
      guard let problem else { return Self.leastCost }
      return Self.leastCost + 3 * Double(problem.work.value) + 40 * Double(problem.cost.bytes.value) / 4
    }

    private static let leastCost = 2e6

    func load() throws -> VerificationCase {
      switch origin {
      case .file(let file):
        VerificationCase(file: path, oracle: file.header.oracleDType, golden: try file.load(summary))
      case .fresh(let fresh): VerificationCase(file: path, oracle: .float64, golden: try fresh.golden(summary))
      }
    }
  }

  private struct Finished: Sendable {
    let index: Int
    var results: [CaseResult]
    var error: String?
    /// Whether nothing of it is of the passes that were asked for.
    var isLeftOut = false
  }

  /// What is known of a run so far.
  private struct Ledger: Sendable {
    let started = ContinuousClock.now
    var records: [FileRecord] = []
    var jobs: [Job] = []
    /// Of all files, and of the standard fresh cases, selected or not.
    var caseNames: [String] = []
    var finished: [Finished] = []
    /// Of the cases that were chosen.
    var leftOut: LeftOutRecord?
    var vacuity: [VacuityRecord] = []

    var isComplete: Bool { finished.count == jobs.count }
  }

  /// The cases that the plan selects, in order, each with its file's path, and what is wrong with files.
  public func selection() -> (cases: [(file: String, summary: GoldenCaseSummary)], records: [FileRecord]) {
    let (files, records) = open()
    return (jobs(files).all.map { ($0.path, $0.summary) }, records)
  }

  /// What each case of ``selection()`` costs beside the others, in steps of computation.
  public func costs() -> [(file: String, name: String, cost: Double)] {
    jobs(open().0).all.map { ($0.path, $0.summary.name, $0.cost) }
  }

  /// How results of a case are found again.
  public static func key(file: String, name: String) -> String { "\(file)\n\(name)" }

  /// What is to be done, and what was left out of it.
  private func jobs(_ files: [GoldenFile]) -> (all: [Job], leftOut: LeftOutRecord?) {
    let stored = files.flatMap { file in
      file.cases.filter { plan.includes($0) }.map { Job(.file(file), $0) }
    }
    let fresh = plan.fresh.map { fresh in
      fresh.summaries.filter { plan.includes($0, isNamed: fresh.isOfNamedProblems) }.map { Job(.fresh(fresh), $0) }
    }
    let chosen = stored + (fresh ?? [])
    let kept = chosen.filter { !plan.excludes($0.summary) }
    let all = kept.filter { plan.asksRefusals || $0.summary.expectError == nil }
    let leftOut =
      plan.leavesOut
      ? LeftOutRecord(excluded: chosen.count - kept.count, refusals: kept.count - all.count) : nil
    guard let shard = plan.shard else { return (all, leftOut) }
    return (shard.part(of: all, key: { Self.key(file: $0.path, name: $0.summary.name) }, cost: \.cost), leftOut)
  }

  /// What is wrong with words of the plan that choose nothing, one sentence each.
  public func hints() -> [String] {
    let summaries = open().0.flatMap(\.cases) + (plan.fresh?.summaries ?? [])
    let names = summaries.map(\.name)
    func hints(_ patterns: [NamePattern], _ option: String) -> [String] {
      patterns.filter { pattern in !names.contains { FreshCases.isMeant($0, by: pattern) } }
        .compactMap { PatternHint.text($0.description, option: option, among: names) }
    }
    let known = summaries.reduce(into: Set(["full"])) { $0.formUnion($1.tags) }
    let tags = plan.tags.subtracting(known).sorted().map { tag in
      "--tag '\(tag)' is on no case" + NearestName.question(tag, among: known)
        + "; the tags are \(known.sorted().joined(separator: ", "))"
    }
    return hints(plan.filters, "--filter") + hints(plan.excludes, "--exclude") + tags
  }

  private func open() -> ([GoldenFile], [FileRecord]) {
    var files: [GoldenFile] = []
    var records: [FileRecord] = []
    for path in plan.files where !Task.isCancelled {
      do throws(GoldenFileError) {
        let file = try reader.open(path)
        files.append(file)
        records.append(
          FileRecord(
            path: path, sha256: file.sha256, caseCount: file.cases.count, generator: file.header.generator,
            oracleDtype: file.header.oracleDType.rawValue))
      } catch {
        records.append(FileRecord(path: path, errors: [error.description]))
      }
    }
    if let fresh = plan.fresh { records.append(fresh.record) }
    return (files, records)
  }

  /// Runs everything. When its task is cancelled it starts no further case and judges nothing more.
  public func run() async -> VerificationSection {
    let (files, records) = open()
    let (jobs, leftOut) = jobs(files)
    ledger.withLock { ledger in
      ledger.records = records
      ledger.jobs = jobs
      ledger.leftOut = leftOut
      for (index, job) in jobs.enumerated() {
        if let results = plan.earlier[Self.key(file: job.path, name: job.summary.name)] {
          ledger.finished.append(Finished(index: index, results: results))
        }
      }
      ledger.caseNames =
        files.flatMap { $0.cases.map(\.name) }
        + (standardFresh ?? FreshCases(count: FreshCases.standardCount)).summaries.map(\.name)
    }
    await runAll(jobs)
    let isComplete = !Task.isCancelled && ledger.withLock { $0.isComplete }
    if isComplete { await diagnose(jobs) }
    guard isComplete, let oracle = plan.vacuityOracle else { return section(interrupted: !isComplete) }
    let vacuity = await VacuityJudge(oracle: oracle).judge(
      operations: Set(jobs.filter { $0.isOfCorpus && $0.summary.expectError == nil }.map(\.summary.operation)),
      in: files)
    // Half a search would call what it did not look at unnoticed.
    guard !Task.isCancelled else { return section(interrupted: true) }
    ledger.withLock { $0.vacuity = vacuity }
    return section(interrupted: false)
  }

  /// The plan's fresh cases, where entries of known failures can be about them.
  private var standardFresh: FreshCases? { plan.fresh.flatMap { $0.isStandard ? $0 : nil } }

  /// What is done at this moment, while ``run()`` goes on: what an interrupted run keeps.
  public func interruptedSection() -> VerificationSection { section(interrupted: true) }

  /// The section of a run that has not begun: what is read and asked, without a result.
  public func plannedSection() -> VerificationSection {
    let records = open().1
    ledger.withLock { $0.records = records }
    defer { ledger.withLock { $0.records = [] } }
    return section(interrupted: false)
  }

  private func section(interrupted: Bool) -> VerificationSection {
    let ledger = ledger.withLock { $0 }
    var records = ledger.records
    var results: [CaseResult] = []
    var leftOut = ledger.leftOut
    leftOut?.withoutPass = ledger.finished.count(where: \.isLeftOut)
    for outcome in ledger.finished.sorted(by: { $0.index < $1.index }) {
      results += outcome.results
      let path = ledger.jobs[outcome.index].path
      if let error = outcome.error, let record = records.firstIndex(where: { $0.path == path }) {
        records[record].errors.append(error)
      }
    }
    let isListed = plan.knownFailuresAreOfFiles && ledger.records.allSatisfy(\.errors.isEmpty)
    let knownFailures = plan.knownFailures.apply(to: &results, today: plan.today) { entry in
      // A pass alone may leave out what fails.
      guard isListed, plan.passes == nil, !ledger.caseNames.isEmpty,
        plan.engines.contains(where: { $0.description.name == entry.engine })
      else { return nil }
      // Of another seed, or too few, fresh cases say nothing of an entry.
      let isAboutFresh = ledger.caseNames.contains { $0.hasPrefix(FreshCases.file) && entry.cases.matches($0) }
      if isAboutFresh, standardFresh == nil { return nil }
      return ledger.caseNames.count { entry.cases.matches($0) } * entry.decisiveTypes.count
    }
    let elapsed = ContinuousClock.now - ledger.started
    var section = VerificationSection(
      engines: plan.engines.map {
        EngineRecord(
          name: $0.description.name, version: $0.description.version, isBuiltIn: $0.description.isBuiltIn,
          command: plan.engineWords[$0.description.name])
      }, files: records, results: results, vacuity: ledger.vacuity,
      staleKnownFailures: knownFailures.compactMap(\.stale),
      lambda: ElementBounds.lambda, filters: plan.filters.map(\.description), tags: plan.tags.sorted(),
      shard: plan.shard?.record, strict: plan.strict,
      dtypes: plan.dtypes.map(\.rawValue),
      seconds: Double(elapsed.components.seconds) + Double(elapsed.components.attoseconds) * 1e-18)
    section.threads = plan.threads
    section.excludes = plan.excludes.isEmpty ? nil : plan.excludes.map(\.description)
    section.passes = plan.passes.map(JudgedPass.names)
    section.withoutRefusals = plan.asksRefusals ? nil : true
    section.leftOut = leftOut
    section.knownFailuresSha256 = plan.knownFailures.sha256
    section.knownFailures = knownFailures
    section.interrupted = interrupted
    return section
  }

  /// What slow cases that are verified at once may take together by their own count.
  static let bytesAtOnce = SaturatingCount(7 << 29)

  private func runAll(_ jobs: [Job]) async {
    await withTaskGroup(of: Finished.self) { group in
      let done = Set(ledger.withLock { $0.finished.map(\.index) })
      var waiting = jobs.indices.filter { !done.contains($0) }
      var running: [Int: SaturatingCount] = [:]
      /// The first that fits beside those that run; any, where none does.
      func start() {
        while running.count < max(1, plan.workers), !Task.isCancelled {
          let held = running.values.total()
          let next = waiting.firstIndex { running.isEmpty || held + jobs[$0].bytes <= Self.bytesAtOnce }
          guard let next else { return }
          let index = waiting.remove(at: next)
          let job = jobs[index]
          running[index] = job.bytes
          group.addTask { verify(job, index) }
        }
      }
      start()
      while let outcome = await group.next() {
        running[outcome.index] = nil
        let done = ledger.withLock { ledger in
          ledger.finished.append(outcome)
          return ledger.finished.count
        }
        onProgress(done, jobs.count, outcome.results)
        start()
      }
    }
  }

  private func verify(_ job: Job, _ index: Int) -> Finished {
    let stored: VerificationCase
    do { stored = try job.load() } catch { return Finished(index: index, results: [], error: "\(error)") }
    guard let (item, notAsked) = stored.keeping(plan.passes) else {
      return Finished(index: index, results: [], isLeftOut: true)
    }
    if let problem = item.missingTolerance { return Finished(index: index, results: [], error: problem) }
    // While a large network leaves no room for another, its layers are judged side by side.
    let verifier = CaseVerifier(item, lanes: job.bytes > 0 ? plan.workers : 1)
    let results = plan.engines.flatMap { engine in
      plan.dtypes.map { dtype in
        var result = verifier.verify(
          engine, dtype: dtype, threads: plan.threads, repeating: plan.strict ? true : nil)
        result.notAsked = notAsked.isEmpty ? nil : notAsked
        result.reproduce = reproduction(result, engine, dtype)
        return result
      }
    }
    return Finished(index: index, results: results)
  }

  /// Looks into the simplest failures of each kind.
  private func diagnose(_ jobs: [Job]) async {
    let finished = ledger.withLock { $0.finished }
    let places = DiagnosisPlan(finished.map(\.results)).places
    let chosen = Dictionary(grouping: places, by: \.list).mapValues { $0.map(\.result) }
    var waiting: [Int] = []
    for place in places where !waiting.contains(place.list) { waiting.append(place.list) }
    let started = ContinuousClock.now
    await withTaskGroup(of: (list: Int, found: [Int: DiagnosisRecord]).self) { group in
      func start() {
        guard !waiting.isEmpty, !Task.isCancelled, ContinuousClock.now - started < DiagnosisPlan.time else { return }
        let list = waiting.removeFirst()
        let outcome = finished[list]
        let wanted = chosen[list] ?? []
        group.addTask { (list, diagnoses(jobs[outcome.index], outcome.results, wanted)) }
      }
      for _ in 0..<max(1, plan.workers) { start() }
      while let outcome = await group.next() {
        ledger.withLock { ledger in
          for (result, record) in outcome.found { ledger.finished[outcome.list].results[result].diagnosis = record }
        }
        start()
      }
    }
  }

  private func diagnoses(_ job: Job, _ results: [CaseResult], _ wanted: [Int]) -> [Int: DiagnosisRecord] {
    guard let item = try? job.load() else { return [:] }
    let verifier = CaseVerifier(item)
    return wanted.reduce(into: [:]) { found, index in
      let result = results[index]
      guard let dtype = DType(rawValue: result.dtype),
        let engine = plan.engines.first(where: { $0.description.name == result.engine })
      else { return }
      found[index] = verifier.diagnose(engine, dtype: dtype, threads: result.failingThreads ?? plan.threads?.first)
    }
  }

  /// The command that repeats one case on one engine.
  private func reproduction(_ result: CaseResult, _ engine: any Engine, _ dtype: DType) -> String {
    let name = engine.description.name
    var words = ["assay", "verify"]
    if result.file == FreshCases.file, let fresh = plan.fresh {
      let named = fresh.namedProblem(ofCase: result.name)
      if let named { words += ["--operation", named.text] }
      words += ["--fresh", "\(fresh.count)", "--seed", "\(fresh.seed)"]
      if !plan.fileWords.isEmpty, named == nil { words += ["--golden"] + plan.fileWords }
    } else {
      words += ["--golden", result.file]
    }
    words +=
      [
        "--filter", NamePattern.literal(result.name),
      ] + EngineOptionWords.words(for: plan.engineWords[name] ?? name) + ["--dtype", dtype.rawValue]
    words += plan.passWords
    if let threads = result.failingThreads.map({ [$0] }) ?? plan.threads {
      words += ["--threads", threads.map(String.init).joined(separator: ",")]
    }
    if !engine.description.isBuiltIn { words += plan.foreignWords }
    return ShellCommand(words + plan.limitWords).description
  }
}
