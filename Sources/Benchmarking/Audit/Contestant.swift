import Engines
import Problems
import Results

/// One engine on one workload, while it is timed and audited.
protocol Contestant: AnyObject {
  var engine: any Engine { get }
  /// What requests took so far.
  var ledger: AuditLedger { get set }
  /// Nanoseconds of one iteration, from a short trial.
  var estimate: Double { get }
  /// How many sets of operands a slice visits; `nil` where each is visited once.
  var sets: Int? { get }
  /// Seconds of work that the audit alone asked for.
  var auditSeconds: Double { get }
  /// What is ready, its first set visited, and can tell what each of its steps takes; `nil` where nothing is.
  var traced: (any TracedOperation)? { get }

  /// In how many parts a turn's slice may be made, others' between them.
  var parts: Int { get }

  /// Makes ready for slices as long as these.
  /// - Parameters:
  ///   - fastest: nanoseconds of an iteration of the fastest contestant.
  ///   - slice: how many nanoseconds are long enough.
  func planSlices(fastest: Double, slice: Double) throws(EngineError)

  /// Begins a turn, of which nothing is timed yet.
  /// - Parameters:
  ///   - round: of the operands; another for each turn.
  ///   - parts: how often ``ContestantTurn/visit()`` is called before ``ContestantTurn/end()``, no more than ``parts``.
  func begin(round: Int, parts: Int) throws(EngineError) -> any ContestantTurn

  /// What threads did in timed requests since this was last asked; `nil` where there was none, or the system does not tell.
  func takeThreadTimes() -> ThreadTimes?
}

/// A turn of a contestant: fresh operands, what is timed of them, part by part, and what that left.
protocol ContestantTurn: AnyObject {
  /// Times the next part of its slice.
  func visit() throws(EngineError)

  /// Ends it, when all parts are done.
  /// - Returns: the durations that are reported, and what is wrong with what was left.
  func end() throws(EngineError) -> (durations: [UInt64], problem: String?)
}

extension Contestant {
  /// One turn without a pause.
  func turn(round: Int) throws(EngineError) -> (durations: [UInt64], problem: String?) {
    let turn = try begin(round: round, parts: 1)
    try turn.visit()
    return try turn.end()
  }

  /// Whether there is nothing but the engine's word for its times.
  var isClaimed: Bool { engine.description.trust == .claimed }

  /// Lets nothing of it run until it is asked again.
  func suspend() { (engine as? ProcessEngine)?.suspend() }

  /// What the rules say of the turns so far. A rule on times that these violate is held against further turns, and those decide:
  /// a few blocks on a busy machine may be unlucky together, and a cheat does not stop.
  /// - Parameters:
  ///   - judge: the rules.
  ///   - medianNanoseconds: the time that is reported.
  ///   - round: of the operands of the first further turn.
  /// - Throws: `EngineError` of the engine.
  func findings(
    _ judge: AuditJudge, medianNanoseconds: Double, confirmingFrom round: Int
  ) throws(EngineError) -> [AuditFinding] {
    let found = judge.findings(ledger, medianNanoseconds: medianNanoseconds)
    guard judge.accuses(ledger) else { return found }
    ledger = AuditLedger(isOfSteps: ledger.isOfSteps)
    var wrong: String?
    while wrong == nil, ledger.turns.count < Confirmation.most,
      ledger.turns.count < Confirmation.fewest || ledger.sliceSeconds < Confirmation.seconds
    {
      wrong = try turn(round: round + ledger.turns.count).problem
    }
    if let wrong { return [AuditFinding(.outputs, .violated, evidence: wrong)] }
    let count = ledger.turns.count
    let again = judge.findings(ledger, medianNanoseconds: medianNanoseconds)
    return zip(found, again).map { first, second in
      guard first.verdict == .violated, first.rule != .impossible else { return first }
      var second = second
      second.evidence += " (of \(count) further turns, since those of the blocks violated the rule)"
      return second
    }
  }
}

/// How many further turns decide whether a rule is violated: enough for an interval that leaves out the two or three oddest of
/// them, and a second of slices.
private enum Confirmation {
  static let (fewest, most, seconds) = (12, 200, 1.0)
}
