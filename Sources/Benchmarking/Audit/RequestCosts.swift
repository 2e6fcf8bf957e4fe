import Engines
import Foundation
import OperatingSystem
import Problems
import Results
import RunAnalysis

/// What requests cost an engine that does nothing, on the same operands: what an honest engine may spend where no work is to be
/// done. In nanoseconds.
package struct RequestCosts: Sendable {
  /// CPU time to load one set, and to collect one.
  var load = 0.0
  var collect = 0.0
  /// Of a request to time: wall time by itself, for each set whose output is marked, and for each iteration's clock readings.
  var request = 0.0
  var set = 0.0
  var loop = 0.0

  /// CPU nanoseconds that the system takes to clear so much memory, page by page as it is written for the first time. Where that is
  /// more than a little it is measured: a page of 4 KiB was seen to take 2,900 in a virtual machine, and an hour later it may take
  /// something else.
  package static func clearing(_ bytes: Int) -> Double {
    let pages = Double(bytes) / 4096
    var page = usualPage
    for _ in 0..<(bytes < 1 << 20 ? 0 : 2) {
      guard let start = OwnTime.nanoseconds(), lastByte(ofFresh: measured) == 1, let end = OwnTime.nanoseconds() else {
        break
      }
      page = max(page, (end - start) / Double(measured / 4096))
    }
    return pages * page
  }

  private static let usualPage = 1_000.0
  /// Bytes: more than any allocator keeps of what was freed.
  private static let measured = 64 << 20

  @inline(never)
  private static func lastByte(ofFresh bytes: Int) -> UInt8? { [UInt8](repeating: 1, count: bytes).last }

  package init(load: Double, collect: Double, request: Double = 0, set: Double = 0, loop: Double = 0) {
    (self.load, self.collect) = (load, collect)
    (self.request, self.set, self.loop) = (request, set, loop)
  }

  /// What requests to time take besides their iterations.
  func besides(_ slice: AuditLedger.Slice) -> Double {
    Double(slice.requests) * request + Double(slice.sets) * set + Double(slice.iterations) * loop
  }

  /// Measures an engine that does nothing.
  /// - Parameters:
  ///   - null: the engine.
  ///   - exercise: what is timed.
  ///   - request: how.
  ///   - sets: the operands that are loaded.
  /// - Throws: `EngineError` of the engine.
  init(
    of null: any Engine, on exercise: Exercise, _ request: TimingRequest, _ sets: OperandSets
  ) throws(EngineError) {
    let meter = Meter(null)
    let operation = try null.prepare(exercise, for: request)
    var sweep = CacheFlush()
    // As many as a contestant's turn loads.
    let count = min(8, sets.most)
    var (loads, collects, requests, marks, loops): ([Double], [Double], [Double], [Double], [Double]) = (
      [], [], [], [], []
    )
    var results = 0
    // The first round warms up.
    for round in 0..<3 {
      let operands = (0..<count).map { sets.operands(set: $0, round: round) }
      let load = try meter.measure { () throws(EngineError) in
        for (set, operands) in operands.enumerated() { try operation.load(operands, set: set) }
      }.taken
      func besides(_ run: TimedRun) throws(EngineError) -> Double {
        let (claimed, taken) = try meter.measure { () throws(EngineError) in try operation.time(run) }
        return taken.wall - claimed.reduce(0) { $0 + Double($1) }
      }
      let all = Array(0..<count)
      let one = try besides(TimedRun(visiting: [0]))
      let each = (try besides(TimedRun(visiting: all)) - one) / Double(count - 1)
      let many = 1_000
      let looped = try besides(TimedRun(sets: [0], iterations: many))
      // A contestant's result is collected when its own run and the others have taken the caches, of code, too.
      sweep.flush()
      let (answer, collect) = try meter.measure { () throws(EngineError) in
        try operation.collect(set: 3 * round % count)
      }
      guard round > 0 else { continue }
      results = answer.paths.reduce(0) { $0 + (answer[$1].map { $0.shape.count * $0.dtype.byteCount } ?? 0) }
      loads.append((load.cpu ?? 0) / Double(count))
      collects.append(collect.cpu ?? 0)
      requests.append(one)
      marks.append(max(0, each))
      loops.append(max(0, looped - one) / Double(many))
    }
    func median(_ values: [Double]) -> Double { OrderStatistics.median(values) ?? 0 }
    load = median(loads)
    // Whose results find no memory that was used before has the system clear pages for them, as the one that does nothing may or
    // may not.
    collect = max(median(collects), Self.clearing(results))
    // What a busy moment adds belongs to the moment.
    (self.request, set, loop) = (requests.min() ?? 0, median(marks), loops.min() ?? 0)
  }
}

/// The engines that do nothing, one for each way in which contestants are served, started when it is first asked for.
public final class NullEngines {
  private var started: [String: Result<ProcessEngine, EngineError>] = [:]
  /// By workload and command, for as long as the workload is the last one.
  private var known: [String: RequestCosts?] = [:]
  private var workload = ""
  private var seconds = 0.0
  /// The path of this program, and the folder of the Python package.
  private let program: String
  private let package: String

  /// - Parameters:
  ///   - program: the path of this program, which serves one.
  ///   - package: the folder that holds the Python package `assay_engine`, which has the other one.
  public init(program: String, package: String) {
    self.program = program
    self.package = package
  }

  /// What requests cost an engine that does nothing and is served as this one is; `nil` where there is none.
  func costs(beside engine: any Engine, on timed: TimedWorkload) -> RequestCosts? {
    if workload != timed.item.name { known = [:] }
    workload = timed.item.name
    let command = (engine as? ProcessEngine).map(command(beside:))
    if let costs = known[command ?? ""] { return costs }
    let start = ContinuousClock.now
    defer { seconds += (ContinuousClock.now - start).seconds }
    let costs: RequestCosts?
    do throws(EngineError) {
      let null: any Engine = if let command { try process(command) } else { NullEngine() }
      costs = try RequestCosts(of: null, on: timed.work.exercise, timed.request, timed.sets)
    } catch { costs = nil }
    known[command ?? ""] = .some(costs)
    return costs
  }

  /// What measuring them has taken since this was last asked.
  func takeSeconds() -> Double {
    defer { seconds = 0 }
    return seconds
  }

  /// Of the Python package for an engine that runs in Python, this program's otherwise.
  private func command(beside contestant: ProcessEngine) -> String {
    guard let python = contestant.pythonInterpreter else {
      return ServedEngine.command(program, NullEngine.name)
    }
    return "PYTHONPATH=\(ShellCommand.quoted(package))${PYTHONPATH:+:$PYTHONPATH} exec \(ShellCommand.quoted(python)) "
      + "-m assay_engine.null"
  }

  private func process(_ command: String) throws(EngineError) -> ProcessEngine {
    if let known = started[command] { return try known.get() }
    let found: Result<ProcessEngine, EngineError>
    do throws(EngineError) {
      found = .success(try ProcessEngine(.init(name: NullEngine.name, command: command)))
    } catch { found = .failure(error) }
    started[command] = found
    return try found.get()
  }

  /// Those that run, which stand still while a contestant is timed.
  var running: [ProcessEngine] { started.values.compactMap { try? $0.get() } }
}
