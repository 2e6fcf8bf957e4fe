import Foundation
import Synchronization
import Tensors

/// An engine in another process, in any language: see `ENGINE_PROTOCOL`'s page in the documentation.
///
/// One request is in flight at a time; callers wait for each other. An engine that dies, hangs or talks nonsense costs the
/// case at hand an ``EngineError/failed(_:detail:)`` and is started again for the next one.
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

  private struct State: Sendable {
    var worker: ProcessWorker?
    var nextID = 1
    /// Counts restarts, so that a handle of an earlier process is never given to a later one.
    var generation = 0
    var failedStarts = 0
    var lastStartFailure: EngineError?
  }

  public let declaration: Declaration
  public let description: EngineDescription
  private let state: Mutex<State>
  private let exchange: ExchangeDirectory

  /// Starts the engine and asks who it is.
  /// - Throws: ``EngineError/failed(_:detail:)`` when it does not start, does not answer, or is not what was declared.
  public init(_ declaration: Declaration) throws(EngineError) {
    self.declaration = declaration
    exchange = try ExchangeDirectory()
    var fresh = State()
    description = try Self.start(declaration, known: nil, &fresh)
    state = Mutex(fresh)
  }

  /// Ends the process and starts another one, so that the next measurement does not depend on the last one's memory layout.
  /// - Throws: ``EngineError/failed(_:detail:)``.
  public func restart() throws(EngineError) {
    let outcome: Result<Void, EngineError> = state.withLock { state in
      state.worker?.stop()
      state.worker = nil
      do throws(EngineError) {
        _ = try Self.start(declaration, known: description, &state)
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
      passes: exercise.passes.map(\.rawValue).sorted(), threads: exercise.threads,
      output: files.output.path(percentEncoded: false))
    _ = try request("compute", parameters, EngineMessages.Nothing.self)
    do throws(EngineError) {
      return try exchange.answer(files, to: exercise)
    } catch {
      // What wrote no sound file once is not trusted to go on.
      state.withLock { state in
        state.worker?.kill()
        state.worker = nil
      }
      throw error
    }
  }

  public func prepare(_ exercise: Exercise, for timing: TimingRequest) throws(EngineError) -> any PreparedOperation {
    try refuseUndeclared(exercise)
    let files = try exchange.write(exercise)
    defer { exchange.remove(files) }
    let parameters = EngineMessages.Prepare(
      file: files.input.path(percentEncoded: false), case: files.caseName, dtype: exercise.dtype.rawValue,
      pass: timing.pass.rawValue, layout: timing.layout.rawValue, threads: timing.threads)
    let (prepared, generation) = try request("prepare", parameters, EngineMessages.Prepared.self)
    return ProcessPreparedOperation(engine: self, generation: generation, prepared: prepared)
  }

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
    _ method: String, _ parameters: Parameters, _ reply: Reply.Type, generation: Int? = nil
  ) throws(EngineError) -> (Reply, generation: Int) {
    let outcome: Result<(Reply, Int), EngineError> = state.withLock { state in
      do throws(EngineError) {
        if let generation, generation != state.generation || state.worker == nil {
          throw .failed("\(declaration.name) was restarted since the operation was prepared")
        }
        if state.worker == nil { _ = try Self.start(declaration, known: description, &state) }
        return .success((try Self.ask(declaration, method, parameters, reply, &state), state.generation))
      } catch { return .failure(error) }
    }
    let (value, current) = try outcome.get()
    return (value, generation: current)
  }

  /// Releases a prepared operation if its process is still the one running.
  func release(handle: String, generation: Int) {
    _ = try? request(
      "release", EngineMessages.Release(handle: handle), EngineMessages.Nothing.self, generation: generation)
  }
}

extension ProcessEngine {
  private static func start(
    _ declaration: Declaration, known: EngineDescription?, _ state: inout State
  ) throws(EngineError) -> EngineDescription {
    if state.failedStarts >= startsTried, let failure = state.lastStartFailure { throw failure }
    do throws(EngineError) {
      do throws(ProcessWorker.Failure) {
        state.worker = try ProcessWorker(command: declaration.command, directory: declaration.directory)
      } catch {
        throw .failed("\(declaration.name): \(error)", detail: "command: \(declaration.command)")
      }
      state.generation += 1
      state.nextID = 1
      let hello = try ask(
        declaration, "hello", EngineMessages.Hello(protocol: EngineMessages.protocolVersion),
        EngineMessages.Description.self, &state)
      let description = try describe(hello, declaration, known)
      state.failedStarts = 0
      return description
    } catch {
      state.worker?.kill()
      state.worker = nil
      state.failedStarts += 1
      state.lastStartFailure = error
      throw error
    }
  }

  private static func describe(
    _ hello: EngineMessages.Description, _ declaration: Declaration, _ known: EngineDescription?
  ) throws(EngineError) -> EngineDescription {
    func differs(_ what: String, expected: String, found: String) -> EngineError {
      .failed("\(declaration.name): the engine states another \(what): expected \(expected), found \(found)")
    }
    if let name = declaration.expectedName, name != hello.name {
      throw differs("name", expected: name, found: hello.name)
    }
    if let version = declaration.expectedVersion, version != hello.version {
      throw differs("version", expected: version, found: hello.version)
    }
    guard !hello.name.isEmpty, !hello.version.isEmpty, !hello.operations.isEmpty else {
      throw .failed("\(declaration.name): hello without a name, a version or any operation")
    }
    var info = hello.info ?? [:]
    info["engine"] = hello.name
    let description = EngineDescription(
      name: declaration.name, version: hello.version, operations: Set(hello.operations),
      // A type or pass that this version does not know is never asked for.
      dtypes: Set(hello.dtypes.compactMap(DType.init)), passes: Set(hello.passes.compactMap(Pass.init)),
      omits: Set(hello.omits ?? []), nonfinite: hello.nonfinite ?? true, deterministic: hello.deterministic ?? false,
      info: info)
    if let known, known != description {
      throw differs(
        "identity after a restart",
        expected: "\(known.info["engine"] ?? known.name) \(known.version) as at the first start",
        found: "\(hello.name) \(hello.version)")
    }
    return description
  }

  /// One request and its reply. Any failure of the channel ends the process; it is started again by the next request.
  private static func ask<Parameters: Codable & Sendable, Result: Codable & Sendable>(
    _ declaration: Declaration, _ method: String, _ parameters: Parameters, _ type: Result.Type, _ state: inout State
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
    func failed(_ what: String) -> EngineError {
      worker.kill()
      state.worker = nil
      let log = worker.lastLogLines()
      return .failed(
        "\(declaration.name): \(what)",
        detail: "request: \(String(decoding: line, as: UTF8.self))\ncommand: \(declaration.command)"
          + (log.isEmpty ? "" : "\nlast lines of its log:\n\(log)"))
    }
    worker.send(line)
    let bytes: [UInt8]
    do throws(ProcessWorker.Failure) {
      bytes = try worker.receive(timeout: declaration.timeout)
    } catch { throw failed("\(error)") }
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
    let shown = String(decoding: bytes.prefix(200), as: UTF8.self) + (bytes.count > 200 ? "…" : "")
    guard let envelope = try? JSONDecoder().decode(EngineMessages.ReplyEnvelope.self, from: Data(bytes)) else {
      throw failed("the engine printed something that is no reply: '\(shown)'")
    }
    guard envelope.id == id else {
      throw failed(
        "the engine answered out of order: request \(id), reply \(envelope.id.map(String.init) ?? "without id")")
    }
    if let reason = envelope.unsupported { throw .unsupported(reason) }
    if let error = envelope.error { throw .refused(category: error.category, message: error.message) }
    do {
      guard let result = try JSONDecoder().decode(EngineMessages.Reply<Result>.self, from: Data(bytes)).result else {
        throw failed("the engine's reply has neither result, unsupported nor error: '\(shown)'")
      }
      return result
    } catch let error as EngineError {
      throw error
    } catch {
      throw failed("the engine's reply to \(method) is not as the protocol says: '\(shown)'")
    }
  }
}
