import GoldenFiles
import Results
import Tensors

extension Verifier {
  /// Looks into the simplest failures of each kind.
  func diagnose(_ jobs: [VerificationJob]) async {
    let finished = ledger.withLock { $0.finished }
    let places = DiagnosisPlan(finished.map(\.results)) { jobs[finished[$0].index].cost }.places
    let chosen = Dictionary(grouping: places, by: \.list).mapValues { $0.map(\.result) }
    var waiting = chosen.keys.sorted().makeIterator()
    await withTaskGroup(of: (list: Int, found: [Int: DiagnosisRecord]).self) { group in
      func start() {
        guard !Task.isCancelled, let list = waiting.next() else { return }
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

  private func diagnoses(_ job: VerificationJob, _ results: [CaseResult], _ wanted: [Int]) -> [Int: DiagnosisRecord] {
    // As it was judged: without the passes that were not asked for.
    guard let item = try? job.load(plan.passes)?.item else { return [:] }
    let verifier = CaseVerifier(item)
    return wanted.reduce(into: [:]) { found, index in
      let result = results[index]
      guard let dtype = DType(rawValue: result.dtype),
        let engine = plan.engines.first(where: { $0.description.name == result.engine })
      else { return }
      found[index] = verifier.diagnose(engine, dtype: dtype, threads: result.failingThreads ?? plan.threads?.first)
    }
  }
}
