import Engines
import Foundation
import GoldenFiles
import Problems
import Results
import Tensors

/// Runs a plan: every selected case of every file on every engine in every precision.
public struct Verifier: Sendable {
  public let plan: VerificationPlan
  public let reader: GoldenReader
  /// Called after each case, from any task: cases done, cases in all, the case's results.
  public let onProgress: @Sendable (Int, Int, [CaseResult]) -> Void
  let ledger: Shared<Ledger>
  /// The plan's files, once they have been read.
  private let opened: Shared<OpenedFiles?>

  public init(
    plan: VerificationPlan, reader: GoldenReader,
    onProgress: @escaping @Sendable (Int, Int, [CaseResult]) -> Void = { _, _, _ in }
  ) {
    self.init(plan, reader, Shared(nil), onProgress)
  }

  private init(
    _ plan: VerificationPlan, _ reader: GoldenReader, _ opened: Shared<OpenedFiles?>,
    _ onProgress: @escaping @Sendable (Int, Int, [CaseResult]) -> Void
  ) {
    self.plan = plan
    self.reader = reader
    self.onProgress = onProgress
    self.opened = opened
    ledger = Shared(Ledger())
  }

  /// The same run with results that are there already, on the files as they were read for whatever this one was asked before.
  public func goingOn(
    from earlier: [String: [CaseResult]], onProgress: @escaping @Sendable (Int, Int, [CaseResult]) -> Void
  ) -> Verifier {
    var plan = plan
    plan.earlier = earlier
    return Verifier(plan, reader, opened, onProgress)
  }

  /// Files that could be read, and what is known of each, readable or not.
  private struct OpenedFiles: Sendable {
    var files: [GoldenFile] = []
    var records: [FileRecord] = []
  }

  struct Finished: Sendable {
    let index: Int
    var results: [CaseResult]
    var error: String?
    /// Whether nothing of it is of the passes that were asked for.
    var isLeftOut = false
  }

  /// What is known of a run so far.
  struct Ledger: Sendable {
    let started = ContinuousClock.now
    var records: [FileRecord] = []
    var jobs: [VerificationJob] = []
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
    let opened = open()
    return (jobs(opened.files).all.map { ($0.path, $0.summary) }, opened.records)
  }

  /// What each case of ``selection()`` costs beside the others, in steps of computation.
  public func costs() -> [(file: String, name: String, cost: Double)] {
    jobs(open().files).all.map { ($0.path, $0.summary.name, $0.cost) }
  }

  /// How results of a case are found again.
  public static func key(file: String, name: String) -> String { "\(file)\n\(name)" }

  /// What is to be done, and what was left out of it.
  private func jobs(_ files: [GoldenFile]) -> (all: [VerificationJob], leftOut: LeftOutRecord?) {
    let stored = files.flatMap { file in
      file.cases.filter { plan.includes($0) }.map { VerificationJob(.file(file), $0) }
    }
    let fresh = plan.fresh.map { fresh in
      fresh.summaries.filter { plan.includes($0, isNamed: fresh.isOfNamedProblems) }.map {
        VerificationJob(.fresh(fresh), $0)
      }
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
    let summaries = open().files.flatMap(\.cases) + (plan.fresh?.summaries ?? [])
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

  /// Reads and checks the files, the first time; what was cut short by a cancelled task is not kept.
  private func open() -> OpenedFiles {
    if let known = opened.withLock({ $0 }) { return known }
    var found = OpenedFiles()
    for path in plan.files where !Task.isCancelled {
      do throws(GoldenFileError) {
        let file = try reader.open(path)
        found.files.append(file)
        found.records.append(
          FileRecord(
            path: path, sha256: file.sha256, caseCount: file.cases.count, generator: file.header.generator,
            oracleDtype: file.header.oracleDType.rawValue))
      } catch {
        found.records.append(FileRecord(path: path, errors: [error.description]))
      }
    }
    if let fresh = plan.fresh { found.records.append(fresh.record) }
    if !Task.isCancelled { opened.withLock { [found] in $0 = found } }
    return found
  }

  /// Runs everything. When its task is cancelled it starts no further case and judges nothing more.
  public func run() async -> VerificationSection {
    let opened = open()
    let (jobs, leftOut) = jobs(opened.files)
    ledger.withLock { ledger in
      ledger.records = opened.records
      ledger.jobs = jobs
      ledger.leftOut = leftOut
      for (index, job) in jobs.enumerated() {
        if let results = plan.earlier[Self.key(file: job.path, name: job.summary.name)] {
          ledger.finished.append(Finished(index: index, results: results))
        }
      }
      ledger.caseNames =
        opened.files.flatMap { $0.cases.map(\.name) }
        + (standardFresh ?? FreshCases(count: FreshCases.standardCount)).summaries.map(\.name)
    }
    await runAll(jobs)
    let isComplete = !Task.isCancelled && ledger.withLock { $0.isComplete }
    if isComplete { await diagnose(jobs) }
    guard isComplete, let oracle = plan.vacuityOracle else { return section(interrupted: !isComplete) }
    let vacuity = await VacuityJudge(oracle: oracle).judge(
      operations: Set(jobs.filter { $0.isOfCorpus && $0.summary.expectError == nil }.map(\.summary.operation)),
      in: opened.files)
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
    let records = open().records
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
  static let bytesAtOnce = SaturatingCount(27 << 27)

  private func runAll(_ jobs: [VerificationJob]) async {
    await withTaskGroup(of: Finished.self) { group in
      let done = Set(ledger.withLock { $0.finished.map(\.index) })
      // Small cases first, which an interrupted run then has; of large ones the costliest first, so that none of these is left for
      // the end, when there is nothing to do beside it.
      let costs = jobs.map { $0.bytes > 0 ? $0.cost : .infinity }
      var waiting = jobs.indices.filter { !done.contains($0) }.sorted { (costs[$1], $0) < (costs[$0], $1) }
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

  private func verify(_ job: VerificationJob, _ index: Int) -> Finished {
    let loaded: (item: VerificationCase, notAsked: [String])?
    do { loaded = try job.load(plan.passes) } catch { return Finished(index: index, results: [], error: "\(error)") }
    guard let (item, notAsked) = loaded else { return Finished(index: index, results: [], isLeftOut: true) }
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
