import Foundation
import OperatingSystem
import Problems
import Results
import Synchronization
import Tensors

/// An engine in another process, in any language: `EngineMessages` are its side of the protocol, and
/// `Benchmarks/engines/example.c` is a complete one.
///
/// One request is in flight at a time; callers wait for each other. An engine that dies, hangs or talks nonsense costs the
/// case at hand an ``Problems/EngineError/failed(_:detail:)`` and is started again for the next one.
public final class ProcessEngine: Engine {
  /// How an engine is started and what it is held to.
  public struct Declaration: Hashable, Sendable {
    /// The name that reports show.
    public var name: String
    /// A command line for the shell.
    public var command: String
    /// Where the command runs; `nil` for the current folder.
    public var directory: URL?
    /// Seconds that one reply may take.
    public var timeout: Double
    /// The name and version that it must state, where the declaration pins them.
    public var expectedName: String?
    public var expectedVersion: String?
    /// The highest version of the protocol that is spoken with it, where both sides know more.
    public var highestProtocol = EngineMessages.protocolVersions.upperBound
    /// What it sees of this process and the machine.
    public var surroundings = EngineSurroundings()
    /// Whether the command is this program, which holds a shared library: the clock and the memory are the tool's own.
    public internal(set) var isHost = false

    public init(
      name: String, command: String, directory: URL? = nil, timeout: Double = 60, expectedName: String? = nil,
      expectedVersion: String? = nil
    ) {
      self.name = name
      self.command = command
      self.directory = directory
      self.timeout = timeout
      self.expectedName = expectedName
      self.expectedVersion = expectedVersion
    }
  }

  /// Starts in a row that may fail before nothing more is tried: a broken engine must not cost a time-out a case.
  private static let startsTried = 3
  /// Time-outs in a row after which nothing more is asked, for the same reason.
  private static let timeoutsSuffered = 3
  /// Seconds that an engine has for a release, on which nothing depends.
  private static let releasePatience = 2.0

  private struct State: Sendable {
    var worker: ProcessWorker?
    /// The version of the protocol that its process agreed on.
    var version = EngineMessages.protocolVersions.upperBound
    var nextID = 1
    /// Requests that the process at hand has answered, after its hello.
    var answers = 0
    /// Counts restarts, so that a handle of an earlier process is never given to a later one.
    var generation = 0
    var failedStarts = 0
    var lastStartFailure: EngineError?
    var timeoutsInRow = 0
  }

  public let declaration: Declaration
  public let description: EngineDescription
  private let state: Mutex<State>
  private let exchange: ExchangeDirectory

  /// Starts the engine and asks who it is.
  /// - Throws: ``Problems/EngineError/failed(_:detail:)`` when it does not start, does not answer, or is not what was declared.
  public init(_ declaration: Declaration) throws(EngineError) {
    self.declaration = declaration
    exchange = try ExchangeDirectory()
    var fresh = State()
    description = try Self.start(declaration, known: nil, exchange, &fresh)
    state = Mutex(fresh)
  }

  /// Ends the process and starts another one, so that the next measurement does not depend on the last one's memory layout.
  /// - Throws: ``Problems/EngineError/failed(_:detail:)``.
  public func restart() throws(EngineError) {
    let outcome: Result<Void, EngineError> = state.withLock { state in
      state.worker?.stop()
      state.worker = nil
      do throws(EngineError) {
        _ = try Self.start(declaration, known: description, exchange, &state)
        return .success(())
      } catch { return .failure(error) }
    }
    try outcome.get()
  }

  public func compute(_ exercise: Exercise) throws(EngineError) -> Answer {
    try refuseUndeclared(exercise)
    let files = try exchange.write(exercise)
    defer { exchange.remove(files) }
    let parameters = EngineMessages.Compute(
      file: files.input.path(percentEncoded: false), case: files.caseName, dtype: exercise.dtype.rawValue,
      passes: exercise.passes.map(\.rawValue).sorted(), wanted: exercise.wanted.sorted(), threads: exercise.threads,
      output: files.output.path(percentEncoded: false))
    _ = try request("compute", parameters, EngineMessages.Nothing.self)
    do throws(EngineError) {
      let answer = try exchange.answer(files, to: exercise)
      if state.withLock({ $0.worker?.hasUnaskedOutput() ?? false }) {
        throw .failed("\(declaration.name): the engine answered twice")
      }
      return answer
    } catch {
      // An engine that once wrote a bad file, or more than its answer, is not trusted to go on.
      state.withLock { Self.end(&$0) }
      throw error
    }
  }

  /// Ends the process; the next request starts another one.
  private static func end(_ state: inout State) {
    state.worker?.kill()
    state.worker = nil
  }

  public func prepare(_ exercise: Exercise, for timing: TimingRequest) throws(EngineError) -> any PreparedOperation {
    try refuseUndeclared(exercise)
    // Under version 1 an engine is given everything at once, and its times are its claims.
    let isAudited = description.trust != .claimed
    let files = try exchange.write(exercise, withoutLate: isAudited)
    defer { exchange.remove(files) }
    let parameters = EngineMessages.Prepare(
      file: files.input.path(percentEncoded: false), case: files.caseName, dtype: exercise.dtype.rawValue,
      pass: timing.pass.rawValue, layout: timing.layout.rawValue, threads: timing.threads)
    let (prepared, generation) = try request("prepare", parameters, EngineMessages.Prepared.self)
    return isAudited
      ? ProcessPreparedOperation(engine: self, generation: generation, prepared: prepared, exercise: exercise)
      : ClaimedOperation(engine: self, generation: generation, prepared: prepared)
  }

  /// Writes the exchange file of a set's operands and has it loaded.
  func load(_ operands: Exercise, handle: String, set: Int, generation: Int) throws(EngineError) {
    let files = try exchange.writeLate(operands)
    defer { exchange.remove(files) }
    _ = try request(
      "load", EngineMessages.Load(handle: handle, set: set, file: files.input.path(percentEncoded: false)),
      EngineMessages.Nothing.self, generation: generation)
  }

  /// Has a set's outputs written, and reads them.
  func collect(_ exercise: Exercise, handle: String, set: Int, generation: Int) throws(EngineError) -> Answer {
    let files = try exchange.files()
    defer { exchange.remove(files) }
    _ = try request(
      "collect", EngineMessages.Collect(handle: handle, set: set, output: files.output.path(percentEncoded: false)),
      EngineMessages.Nothing.self, generation: generation)
    return try exchange.answer(files, to: exercise)
  }

  // MARK: The process, for whoever measures it

  /// The process that the engine was started as; `nil` where none runs.
  public var processIdentifier: Int32? { state.withLock { $0.worker?.processIdentifier } }

  /// CPU time of the engine's processes since they started, in nanoseconds; `nil` where the system does not tell.
  public func cpuNanoseconds() -> UInt64? { state.withLock { $0.worker?.cpuNanoseconds() } }

  /// Has events counted of the engine's processes, which stand still or wait meanwhile, until they end.
  /// - Throws: `EventCounters.Refusal` where the system counts them not.
  package func startCounting(_ events: [CountedEvent]) throws(EventCounters.Refusal) {
    let worker = state.withLock { $0.worker }
    try worker?.startCounting(events)
  }

  /// What was counted since; `nil` where nothing is, or a counter was not there all the time.
  package func counts() -> [CountedEvent: UInt64]? { state.withLock { $0.worker?.counts() } }

  /// Resident memory of the engine's processes; `nil` where none runs, or the system does not tell.
  public func memory() -> ProcessMemory? { state.withLock { $0.worker?.memory() } }

  /// Has the peak of that be counted from here on.
  /// - Returns: whether the system does that.
  public func restartPeakMemory() -> Bool { state.withLock { $0.worker?.restartPeakMemory() ?? false } }

  /// Stops the engine's processes until it is asked again, so that they take nothing from whoever is measured.
  public func suspend() { state.withLock { $0.worker?.suspend() } }

  /// Lets them go on before they are asked, and waits until they are at rest: what their threads do when they wake is then no part
  /// of what is measured.
  public func resume() { state.withLock { $0.worker?.resume() } }

  /// The interpreter that the engine runs in, where it is Python's: a path, or a name on the path.
  public var pythonInterpreter: String? { state.withLock { $0.worker?.pythonInterpreter } }

  private func refuseUndeclared(_ exercise: Exercise) throws(EngineError) {
    guard description.operations.contains(exercise.operation) else {
      throw .unsupported("\(declaration.name) does not offer \(exercise.operation)")
    }
    guard description.dtypes.contains(exercise.dtype) else {
      throw .unsupported("\(declaration.name) does not offer \(exercise.dtype.rawValue)")
    }
  }

  /// - Parameter generation: the process that must still be the one running; `nil` for any.
  func request<Parameters: Codable & Sendable, Reply: Codable & Sendable>(
    _ method: String, _ parameters: Parameters, _ reply: Reply.Type, generation: Int? = nil, timeout: Double? = nil
  ) throws(EngineError) -> (Reply, generation: Int) {
    let outcome: Result<(Reply, Int), EngineError> = state.withLock { state in
      do throws(EngineError) {
        if state.timeoutsInRow >= Self.timeoutsSuffered {
          throw .failed("\(declaration.name): given up after \(state.timeoutsInRow) time-outs in a row: not asked")
        }
        // An engine that ended, or wrote more, after its last answer costs the next case nothing.
        if generation == nil, let worker = state.worker, worker.hasEnded || worker.hasUnaskedOutput() {
          Self.end(&state)
        }
        if let generation, generation != state.generation || state.worker == nil {
          throw .failed("\(declaration.name) was restarted since the operation was prepared")
        }
        if state.worker == nil { _ = try Self.start(declaration, known: description, exchange, &state) }
        let (worker, isFirst) = (state.worker, state.answers == 0)
        let value: Reply
        do throws(EngineError) {
          value = try Self.ask(
            declaration, method, parameters, reply, &state, timeout: timeout ?? declaration.timeout)
        } catch {
          // One that leaves in peace after its last answer may have had no time to be noticed. One that was just started is not
          // asked twice.
          guard generation == nil, !isFirst, state.worker == nil, worker?.hasEndedWell == true else { throw error }
          _ = try Self.start(declaration, known: description, exchange, &state)
          value = try Self.ask(
            declaration, method, parameters, reply, &state, timeout: timeout ?? declaration.timeout)
        }
        state.answers += 1
        return .success((value, state.generation))
      } catch {
        // A library may have faulted or left threads: the next request finds a fresh process.
        if declaration.isHost, case .failed = error { Self.end(&state) }
        return .failure(error)
      }
    }
    let (value, current) = try outcome.get()
    return (value, generation: current)
  }

  /// Releases a prepared operation if its process is still the one running.
  func release(handle: String, generation: Int) {
    _ = try? request(
      "release", EngineMessages.Release(handle: handle), EngineMessages.Nothing.self, generation: generation,
      timeout: min(declaration.timeout, Self.releasePatience))
  }
}

extension EngineDescription {
  /// Whether a process that was started again is what it was: all but what it tells of itself for people, which may hold the
  /// time of day.
  fileprivate func isSameEngine(as other: EngineDescription) -> Bool {
    var other = other
    guard info["engine"] == other.info["engine"] else { return false }
    other.info = info
    return self == other
  }
}

extension ProcessEngine {
  /// Bytes of a reply's line: of durations, of which a million take 10 MB, and of anything else.
  private static let longestTimes = 64 << 20
  private static let longestReply = 1 << 20

  private static func start(
    _ declaration: Declaration, known: EngineDescription?, _ exchange: ExchangeDirectory, _ state: inout State
  ) throws(EngineError) -> EngineDescription {
    if state.failedStarts >= startsTried, let failure = state.lastStartFailure { throw failure }
    do throws(EngineError) {
      // A folder that an engine removed is there again before another one is started in it.
      try exchange.make()
      do throws(ProcessWorker.Failure) {
        state.worker = try ProcessWorker(
          command: declaration.command, directory: declaration.directory, surroundings: declaration.surroundings,
          exchange: exchange.path)
      } catch {
        throw .failed("\(declaration.name): \(error)", detail: "command: \(declaration.command.printable)")
      }
      state.generation += 1
      state.nextID = 1
      state.answers = 0
      let hello = try greet(declaration, &state)
      let description = try describe(hello, declaration, known, version: state.version)
      state.failedStarts = 0
      return description
    } catch {
      Self.end(&state)
      state.failedStarts += 1
      let failure =
        switch error {
        case .failed: error
        case .unsupported, .refused: EngineError.failed("\(declaration.name): the engine refused to start: \(error)")
        }
      state.lastStartFailure = failure
      throw failure
    }
  }

  /// Asks who it is in the highest version of the protocol; an engine that refuses that one is asked in the first.
  private static func greet(
    _ declaration: Declaration, _ state: inout State
  ) throws(EngineError) -> EngineMessages.Description {
    func hello(_ version: Int, _ state: inout State) throws(EngineError) -> EngineMessages.Description {
      let reply = try ask(
        declaration, "hello", EngineMessages.Hello(protocol: version), EngineMessages.Description.self, &state,
        timeout: declaration.timeout)
      let spoken = reply.protocol ?? EngineMessages.protocolVersions.lowerBound
      guard spoken <= version, EngineMessages.protocolVersions.contains(spoken) else {
        throw .failed("\(declaration.name): hello: expected protocol \(version) or below, found \(spoken)")
      }
      state.version = spoken
      return reply
    }
    do throws(EngineError) { return try hello(declaration.highestProtocol, &state) } catch {
      // A refusal leaves the process as it was; after any other failure there is none.
      let first = EngineMessages.protocolVersions.lowerBound
      guard state.worker != nil, declaration.highestProtocol > first else { throw error }
      return try hello(first, &state)
    }
  }

  private static func describe(
    _ hello: EngineMessages.Description, _ declaration: Declaration, _ known: EngineDescription?, version: Int
  ) throws(EngineError) -> EngineDescription {
    func differs(_ what: String, expected: String, found: String) -> EngineError {
      .failed(
        "\(declaration.name): the engine states another \(what): expected \(expected.printable), found \(found.printable)"
      )
    }
    if let name = declaration.expectedName, name != hello.name {
      throw differs("name", expected: name, found: hello.name)
    }
    if let version = declaration.expectedVersion, version != hello.version {
      throw differs("version", expected: version, found: hello.version)
    }
    guard !hello.name.isEmpty, !hello.version.isEmpty, !hello.operations.isEmpty else {
      throw .failed("\(declaration.name): expected hello to state a name, a version and operations")
    }
    var info = hello.texts
    info["engine"] = hello.name
    var description = EngineDescription(
      name: declaration.name, version: hello.version.printable, operations: Set(hello.operations),
      // A type or pass that this version does not know is never asked for.
      dtypes: Set(hello.dtypes.compactMap(DType.init)), passes: Set(hello.passes.compactMap(Pass.init)),
      omits: Set(hello.omits ?? []), nonfinite: hello.nonfinite ?? true, denormals: hello.denormals ?? true,
      deterministic: hello.deterministic ?? false,
      algorithms: try hello.algorithms(version: version), accumulate: try hello.accumulate(), info: info,
      trust: version == 1 ? .claimed : declaration.isHost ? .host : .audited)
    description.device = hello.device?.printable ?? "cpu"
    if let known, !known.isSameEngine(as: description) {
      throw differs(
        "identity after a restart",
        expected: "\(known.info["engine"] ?? known.name) \(known.version) as at the first start",
        found: "\(hello.name) \(hello.version)")
    }
    return description
  }

  /// One request and its reply. Any failure of the channel ends the process; it is started again by the next request.
  private static func ask<Parameters: Codable & Sendable, Result: Codable & Sendable>(
    _ declaration: Declaration, _ method: String, _ parameters: Parameters, _ type: Result.Type, _ state: inout State,
    timeout: Double
  ) throws(EngineError) -> Result {
    guard let worker = state.worker else { throw .failed("\(declaration.name): the engine is not running") }
    let id = state.nextID
    state.nextID += 1
    let line: Data
    do {
      line =
        try (parameters as? EngineMessages.Time).flatMap { TimingLines.request(id: id, $0) }
        ?? EngineMessages.encode(EngineMessages.Request(id: id, method: method, params: parameters))
    } catch { throw .failed("\(declaration.name): the request cannot be written: \(error)") }
    func described(_ what: String) -> EngineError {
      let (log, left) = (worker.lastLogLines(), worker.leftBehind.map(\.printable).joined(separator: "; "))
      return .failed(
        "\(declaration.name): \(what)",
        detail: "request: \(String(decoding: line, as: UTF8.self).printable)\ncommand: \(declaration.command.printable)"
          + (left.isEmpty ? "" : "\nit left running, and these were ended: \(left)")
          + (log.isEmpty ? "" : "\nlast lines of its log:\n\(log)"))
    }
    func failed(_ what: String) -> EngineError {
      Self.end(&state)
      return described(what)
    }
    worker.send(line)
    let bytes: [UInt8]
    do throws(ProcessWorker.Failure) {
      bytes = try worker.receive(
        timeout: timeout, longest: type == EngineMessages.Times.self ? longestTimes : longestReply)
      // An engine that answers hello and then hangs counts as hanging.
      if method != "hello" { state.timeoutsInRow = 0 }
    } catch {
      if case .timedOut = error { state.timeoutsInRow += 1 }
      throw failed("\(error)")
    }
    if type == EngineMessages.Times.self, let reply = TimingLines.reply(bytes), reply.id == id,
      let times = reply.times as? Result
    {
      return times
    }
    // The usual reply is read once; only what is not usual is looked at more closely.
    if let reply = try? JSONDecoder().decode(EngineMessages.Reply<Result>.self, from: Data(bytes)), reply.id == id,
      reply.unsupported == nil, reply.error == nil, let result = reply.result
    {
      return result
    }
    let shown = String(decoding: bytes.prefix(200), as: UTF8.self).printable + (bytes.count > 200 ? "…" : "")
    guard let envelope = try? JSONDecoder().decode(EngineMessages.ReplyEnvelope.self, from: Data(bytes)) else {
      throw failed("expected a reply, the engine printed '\(shown)'")
    }
    guard envelope.id == id else {
      if let other = envelope.id, (1..<id).contains(other) {
        throw failed("the engine answered request \(other) twice: its second reply came when request \(id) was asked")
      }
      throw failed(
        "the engine answered out of order: request \(id), reply \(envelope.id.map(String.init) ?? "without id")")
    }
    if let reason = envelope.unsupported { throw .unsupported(reason.printable) }
    if let error = envelope.error {
      guard ProblemError.Category(rawValue: error.category) != nil else {
        throw described("the engine failed: \(error.category.printable): \(error.message.printable)")
      }
      throw .refused(category: error.category, message: error.message.printable)
    }
    do {
      guard let result = try JSONDecoder().decode(EngineMessages.Reply<Result>.self, from: Data(bytes)).result else {
        throw failed("the engine's reply has neither result, unsupported nor error: '\(shown)'")
      }
      return result
    } catch let error as EngineError {
      throw error
    } catch {
      throw failed("the engine's reply to \(method) does not follow the protocol: '\(shown)'")
    }
  }
}
