import Foundation
import GoldenFiles
import OperatingSystem
import Operations
import Problems
import Tensors

/// Serves an engine of this program over the engine protocol, so that two builds of it can be compared in one run.
public final class EngineServer {
  private let engine: Result<any Engine, EngineError>
  private let slowdown: Slowdown?
  private let limits: CaseLimits

  /// By how much timed iterations are really made longer, to test the gate with.
  public struct Slowdown: Hashable, Sendable {
    /// Of what an iteration takes.
    public var fraction: Double
    /// Of problems alone whose text holds this; `nil`: of all.
    public var text: String?

    public init(_ fraction: Double, ofProblemsWith text: String? = nil) {
      self.fraction = fraction
      self.text = text
    }

    func slows(_ exercise: Exercise) -> Bool {
      guard let text else { return true }
      let problem = try? Problem.make(
        operation: exercise.operation, attributes: exercise.attributes, operands: exercise.operands)
      return problem?.text.contains(text) ?? false
    }
  }

  /// An operation that is ready, and what it was prepared from.
  private struct Prepared {
    let operation: any PreparedOperation
    let caseName: String
    let dtype: DType
    /// By how much of what they take its iterations are made longer.
    let slowdown: Double
  }

  private var prepared: [String: Prepared] = [:]
  private var handles = 0
  /// Which version of the protocol the last `hello` agreed on.
  private var version = EngineMessages.protocolVersions.upperBound

  /// - Parameters:
  ///   - engine: what answers.
  ///   - slowdown: what is made slower than it is.
  ///   - limits: what one request may take.
  public init(_ engine: any Engine, slowdown: Slowdown? = nil, limits: CaseLimits = .standard) {
    self.engine = .success(engine)
    self.slowdown = slowdown
    self.limits = limits
  }

  /// Answers every request with the reason why there is no engine.
  public init(refusing reason: EngineError) {
    engine = .failure(reason)
    slowdown = nil
    limits = .standard
  }

  /// Answers requests until they end.
  public func serve(lines next: () -> String?, reply: (Data) -> Void) {
    while let line = next() {
      if !line.allSatisfy(\.isWhitespace) { reply(answer(Data(line.utf8))) }
    }
  }

  /// The reply to one request.
  public func answer(_ line: Data) -> Data {
    if let (id, request) = TimingLines.request(line) {
      return reply(to: id) { try TimingLines.reply(id: id, nanoseconds: time(request)) }
    }
    guard let envelope = try? JSONDecoder().decode(EngineMessages.Envelope.self, from: line) else {
      return encode(
        EngineMessages.Reply<EngineMessages.Nothing>(error: failure("expected a request with id and method")))
    }
    return reply(to: envelope.id) {
      switch envelope.method {
      case "hello": try result(envelope, hello(parameters(line)))
      case "compute": try result(envelope, compute(parameters(line)))
      case "prepare": try result(envelope, prepare(parameters(line)))
      case "load": try result(envelope, load(parameters(line)))
      case "collect": try result(envelope, collect(parameters(line)))
      case "time": try TimingLines.reply(id: envelope.id, nanoseconds: time(parameters(line)))
      case "release": try result(envelope, release(parameters(line)))
      default: throw EngineError.unsupported("method \(envelope.method)")
      }
    }
  }

  /// What `work` replies, or the reply that says why it could not.
  private func reply(to id: Int, _ work: () throws -> Data) -> Data {
    do {
      return try work()
    } catch EngineError.unsupported(let reason) {
      return encode(EngineMessages.Reply<EngineMessages.Nothing>(id: id, unsupported: reason))
    } catch EngineError.refused(let category, let message) {
      return encode(
        EngineMessages.Reply<EngineMessages.Nothing>(id: id, error: .init(category: category, message: message)))
    } catch {
      return encode(EngineMessages.Reply<EngineMessages.Nothing>(id: id, error: failure("\(error)")))
    }
  }

  /// A failure that is not the refusal of an input: an unreadable request or file, or an engine that failed.
  private func failure(_ message: String) -> EngineMessages.Refusal {
    EngineMessages.Refusal(category: EngineMessages.Refusal.failure, message: message)
  }

  private func parameters<Parameters: Codable & Sendable>(_ line: Data) throws -> Parameters {
    try JSONDecoder().decode(EngineMessages.Request<Parameters>.self, from: line).params
  }

  private func result(_ envelope: EngineMessages.Envelope, _ value: some Codable & Sendable) throws -> Data {
    encode(EngineMessages.Reply(id: envelope.id, result: value))
  }

  private func encode(_ value: some Encodable) -> Data {
    // Nothing in a reply can fail to encode: strings, integers and finite numbers.
    (try? EngineMessages.encode(value)) ?? Data(#"{"error":{"category":"internal","message":"reply"}}"#.utf8)
  }

  private func hello(_ parameters: EngineMessages.Hello) throws -> EngineMessages.Description {
    let known = EngineMessages.protocolVersions
    guard known.contains(parameters.protocol) else {
      throw EngineError.failed(
        "protocol: expected \(known.lowerBound) to \(known.upperBound), found \(parameters.protocol)")
    }
    version = parameters.protocol
    let description = try engine.get().description
    let operations = description.operations.isEmpty ? OperationRegistry.names : description.operations
    var info = description.info
    if description.accumulate != .float32 { info[EngineMessages.accumulateKey] = description.accumulate.rawValue }
    return EngineMessages.Description(
      protocol: version, name: description.name, version: description.version, operations: operations.sorted(),
      dtypes: description.dtypes.map(\.rawValue).sorted(), passes: description.passes.map(\.rawValue).sorted(),
      omits: description.omits.sorted(), nonfinite: description.nonfinite, denormals: description.denormals,
      deterministic: description.deterministic, algorithm: AlgorithmMessage.write(description.algorithms),
      info: .object(info.mapValues(JSONValue.text)))
  }

  private func compute(_ parameters: EngineMessages.Compute) throws -> EngineMessages.Nothing {
    try require(parameters.threads, "threads", in: 1...Self.mostThreads)
    var exercise = try asked(parameters.file, parameters.case)
    exercise.dtype = try dtype(parameters.dtype)
    exercise.passes = Set(parameters.passes.compactMap(Pass.init))
    exercise.wanted = Set(parameters.wanted ?? [])
    exercise.threads = parameters.threads
    let answer = try engine.get().compute(exercise)
    try ExchangeFile.writeAnswer(answer, case: parameters.case, dtype: exercise.dtype, to: parameters.output)
    return EngineMessages.Nothing()
  }

  private func prepare(_ parameters: EngineMessages.Prepare) throws -> EngineMessages.Prepared {
    try require(parameters.threads, "threads", in: 1...Self.mostThreads)
    var exercise = try asked(parameters.file, parameters.case, acceptsLate: version > 1)
    exercise.dtype = try dtype(parameters.dtype)
    exercise.threads = parameters.threads
    guard let pass = TimingRequest.TimedPass(rawValue: parameters.pass),
      let layout = TimingRequest.Layout(rawValue: parameters.layout)
    else { throw EngineError.unsupported("pass \(parameters.pass) in layout \(parameters.layout)") }
    let operation = try engine.get().prepare(
      exercise, for: TimingRequest(pass: pass, layout: layout, threads: parameters.threads))
    // Version 1 gives everything at once, and knows no other set.
    if version == 1 { try operation.load(exercise.late, set: 0) }
    handles += 1
    prepared["\(handles)"] = Prepared(
      operation: operation, caseName: parameters.case, dtype: exercise.dtype,
      slowdown: slowdown.map { $0.slows(exercise) ? $0.fraction : 0 } ?? 0)
    return EngineMessages.Prepared(
      handle: "\(handles)", workspaceBytes: operation.workspaceBytes, description: operation.summary)
  }

  private func load(_ parameters: EngineMessages.Load) throws -> EngineMessages.Nothing {
    try require(parameters.set, "set", in: 0...Self.mostSets - 1)
    let ready = try ready(parameters.handle)
    let operands: LateOperands
    do throws(GoldenFileError) {
      operands = try ExchangeFile.readLate(parameters.file, case: ready.caseName, limits: limits)
    } catch { throw EngineError.failed("\(error)") }
    try ready.operation.load(operands, set: parameters.set)
    return EngineMessages.Nothing()
  }

  private func collect(_ parameters: EngineMessages.Collect) throws -> EngineMessages.Nothing {
    let ready = try ready(parameters.handle)
    let answer = try ready.operation.collect(set: parameters.set)
    try ExchangeFile.writeAnswer(answer, case: ready.caseName, dtype: ready.dtype, to: parameters.output)
    return EngineMessages.Nothing()
  }

  private func ready(_ handle: String) throws(EngineError) -> Prepared {
    guard let ready = prepared[handle] else { throw EngineError.failed("no handle \(handle)") }
    return ready
  }

  /// What an exchange file asks.
  /// - Throws: ``EngineError/failed(_:detail:)`` when it cannot be read.
  private func asked(_ path: String, _ name: String, acceptsLate: Bool = false) throws(EngineError) -> Exercise {
    do throws(GoldenFileError) {
      return try ExchangeFile.readRequest(path, case: name, limits: limits, acceptsLate: acceptsLate)
    } catch { throw .failed("\(error)") }
  }

  private static let mostThreads = 1024
  /// A slice of 60 s of an operation that takes 6 µs.
  private static let mostIterations = 10_000_000
  /// Many more than a tool loads; a number, so that a wrong one is refused.
  private static let mostSets = 65_536

  private func require(_ value: Int, _ name: String, in range: ClosedRange<Int>) throws(EngineError) {
    guard range.contains(value) else {
      throw .refused(
        category: ProblemError.Category.invalidArgument.rawValue,
        message: "\(name): expected \(range.lowerBound) to \(range.upperBound), found \(value)")
    }
  }

  private func dtype(_ name: String) throws(EngineError) -> DType {
    guard let dtype = DType(rawValue: name) else { throw .unsupported("dtype \(name)") }
    return dtype
  }

  private func time(_ parameters: EngineMessages.Time) throws -> [UInt64] {
    try require(parameters.iterations, "iterations", in: 1...Self.mostIterations)
    let sets = parameters.sets ?? [0]
    guard !sets.isEmpty else {
      throw EngineError.refused(
        category: ProblemError.Category.invalidArgument.rawValue, message: "sets: expected at least one, found none")
    }
    let ready = try ready(parameters.handle)
    let (start, before) = (ContinuousClock.now, OwnTime.nanoseconds() ?? 0)
    let times = try ready.operation.time(
      TimedRun(sets: sets, iterations: parameters.iterations, cold: parameters.cold))
    guard ready.slowdown > 0 else { return times }
    // Of several threads one goes on: more than the clock shows would make the times wrong.
    let ran = min((OwnTime.nanoseconds() ?? 0) - before, (ContinuousClock.now - start).milliseconds * 1e6)
    spend(nanoseconds: times.reduce(0) { $0 + Double($1) } * ready.slowdown, running: ran * ready.slowdown)
    return times.map { UInt64((Double($0) * (1 + ready.slowdown)).rounded()) }
  }

  /// Really spends the extra time, so that the caller's clocks agree, also that of the time for which threads ran; after the
  /// operation and not within it, so that the operation itself runs as it always does.
  private func spend(nanoseconds: Double, running: Double) {
    let (start, before) = (ContinuousClock.now, OwnTime.nanoseconds() ?? 0)
    func waited() -> Double { (ContinuousClock.now - start).milliseconds * 1e6 }
    func ran() -> Double { (OwnTime.nanoseconds() ?? 0) - before }
    while waited() < nanoseconds || ran() < running {}
  }

  private func release(_ parameters: EngineMessages.Release) throws -> EngineMessages.Nothing {
    prepared[parameters.handle] = nil
    return EngineMessages.Nothing()
  }
}
