import CLibraryHost
import Engines
import Foundation
import Operations
import Problems
import Synchronization
import Tensors

/// The operations that a shared library exports, in this process: for `assay host`, whose process ends with a library that
/// goes wrong.
///
/// Each exercise is computed twice, with every tensor flush with inaccessible memory behind it and then ahead of it, operands
/// read-only. What is written late or beside a tensor, read beside one, or differs between the two runs is an error that names
/// the tensor.
public final class LibraryEngine: Engine {
  private struct State: Sendable {
    /// After a fault nothing of the library may be called.
    var fault: String?
    /// The tensors of the last exercise, so that a thread that was left behind writes into nobody else's.
    var last: [GuardedMemory] = []
    /// Seconds left to wait for threads that may still write what a call left unwritten.
    var patience = 2.0
  }

  public let description: EngineDescription
  private let library: SharedLibrary
  private let threadsBefore: Int?
  private let state = Mutex(State())

  /// Opens a library.
  /// - Parameters:
  ///   - path: of the file.
  ///   - name: that it is known by where it does not name itself.
  ///   - symbols: which symbol computes an operation, where it is not `assay_<operation>`.
  /// - Throws: ``Problems/EngineError/failed(_:detail:)`` where it cannot be used.
  public init(path: String, name: String, symbols: [String: String] = [:]) throws(EngineError) {
    threadsBefore = Self.threadCount
    library = try SharedLibrary(path: path, symbols: symbols)
    let declared = library.declaration
    let forwardOnly = library.functions.filter { $0.value.backward == nil }.keys
    var passes: Set<Pass> = [.forward]
    var omits = Set(declared.omits ?? [])
    if forwardOnly.count < library.functions.count {
      passes.insert(.backward)
      omits.formUnion(forwardOnly.map { EngineDescription.omission(ofGradientsOf: $0) })
    }
    description = EngineDescription(
      name: declared.name ?? name, version: declared.version ?? "unknown", operations: Set(library.functions.keys),
      dtypes: Set((declared.dtypes ?? [DType.float32.rawValue]).compactMap(DType.init)), passes: passes, omits: omits,
      nonfinite: declared.nonfinite ?? true, denormals: declared.denormals ?? true,
      deterministic: declared.deterministic ?? true, algorithms: declared.algorithms,
      info: declared.texts, trust: .host)
  }

  /// Whether the process may not go on: code of the library faulted.
  public var isSpent: Bool { state.withLock { $0.fault != nil } }

  private func functions(for exercise: Exercise) throws(EngineError) -> SharedLibrary.Functions {
    if let fault = state.withLock({ $0.fault }) { throw .failed("the library faulted before: \(fault)") }
    guard let functions = library.functions[exercise.operation] else {
      throw .unsupported("the library exports no \(exercise.operation)")
    }
    guard description.dtypes.contains(exercise.dtype) else {
      throw .unsupported("the library does not declare \(exercise.dtype.rawValue)")
    }
    return functions
  }

  // MARK: Verification

  public func compute(_ exercise: Exercise) throws(EngineError) -> Answer {
    let functions = try functions(for: exercise)
    let asked: Asked
    do throws(ProblemError) { asked = try Asked(exercise) } catch {
      return try refusal(of: exercise, functions, because: error)
    }
    let tensors = try asked.tensors()
    let first = try run(asked, tensors, functions, .atEnd, .first)
    let second = try run(asked, tensors, functions, .atStart, .second)
    if description.deterministic, let path = first.difference(from: second) {
      try explain(path, first, second) { (placement, canary) throws(EngineError) in
        try run(asked, tensors, functions, placement, canary)
      }
    }
    return first.answer
  }

  /// What a library that validates makes of a problem that has no result: it gets the operands as they are and no tensor to
  /// write.
  private func refusal(
    of exercise: Exercise, _ functions: SharedLibrary.Functions, because problem: ProblemError
  ) throws(EngineError) -> Answer {
    guard library.declaration.validates == true else {
      throw .unsupported("\(problem.subject): the library does not declare \"validates\":true, and is not asked")
    }
    let asked = Asked(invalid: exercise)
    return try run(asked, asked.tensors(), functions, .atEnd, .first).answer
  }

  /// Tells what made two runs differ: the same again, and the same with another canary.
  /// - Throws: nothing where it is the placement alone, which may decide in which order a vectorised sum is taken.
  private func explain(
    _ path: String, _ first: Found, _ second: Found,
    _ run: (GuardedMemory.Placement, GuardedMemory.Canary) throws(EngineError) -> Found
  ) throws(EngineError) {
    for (found, placement, canary) in [
      (first, GuardedMemory.Placement.atEnd, GuardedMemory.Canary.first), (second, .atStart, .second),
    ] {
      if let path = try run(placement, canary).difference(from: found) {
        throw .failed("\(path) differs from call to call on the same operands (declare \"deterministic\":false)")
      }
      let other = canary == .first ? GuardedMemory.Canary.second : .first
      if let path = try run(placement, other).difference(from: found) {
        throw .failed(
          "\(path) depends on what lies beside the tensors: the library reads past one, within its alignment")
      }
    }
  }

  /// What one run left.
  private struct Found {
    var answer = Answer()
    /// By path, bit for bit.
    var bits: [String: [UInt8]] = [:]

    func difference(from other: Found) -> String? { bits.keys.sorted().first { bits[$0] != other.bits[$0] } }
  }

  private func run(
    _ asked: Asked, _ tensors: LibraryTensors, _ functions: SharedLibrary.Functions,
    _ placement: GuardedMemory.Placement, _ canary: GuardedMemory.Canary
  ) throws(EngineError) -> Found {
    LibraryWatch.begin()
    defer { LibraryWatch.end() }
    func memory(_ subject: Subject) throws(EngineError) -> GuardedMemory {
      let memory = try GuardedMemory(
        subject, placement: placement, alignment: library.declaration.alignment(of: subject.type.dtype), canary: canary)
      if let tensor = asked.exercise.tensor(subject) {
        memory.bytes.write(tensor)
        try memory.makeReadOnly()
      } else {
        memory.bytes.mark()
      }
      return memory
    }
    func memories(_ subjects: [Subject]) throws(EngineError) -> [GuardedMemory] {
      try subjects.map { (subject) throws(EngineError) in try memory(subject) }
    }
    let (operands, cotangents) = (try memories(tensors.operands), try memories(tensors.cotangents))
    let (outputs, gradients) = (try memories(tensors.outputs), try memories(tensors.gradients))
    let all = operands + cotangents + outputs + gradients
    defer { state.withLock { $0.last = all } }
    func arguments(_ memories: [GuardedMemory]) -> [CallFrame.Argument] {
      memories.map { ($0.subject, $0.bytes.pointer) }
    }
    do throws(LibraryCalls.Failure) {
      let known = all.map { memory in
        let isKnown = [.parameters, .buffers].contains(memory.subject.group)
        return (memory.subject, isKnown ? memory.bytes.pointer : nil) as CallFrame.Argument
      }
      let passes: Set<Pass> = gradients.isEmpty ? [.forward] : outputs.isEmpty ? [.backward] : [.forward, .backward]
      let calls = try LibraryCalls(functions, asked.header, passes: passes, arguments: known)
      func call(_ pass: Pass, _ arguments: [CallFrame.Argument]) throws(LibraryCalls.Failure) {
        let function: assay_function
        do throws(EngineError) { function = try calls.function(pass) } catch { throw .returned(error) }
        try calls.run(function, calls.frame(pass, arguments: arguments), pass)
      }
      if !outputs.isEmpty || asked.isInvalid { try call(.forward, arguments(operands + outputs)) }
      if !gradients.isEmpty { try call(.backward, arguments(operands + cotangents + gradients)) }
      // From here on a thread that still writes faults.
      do throws(EngineError) { for memory in outputs + gradients { try memory.makeReadOnly() } } catch {
        throw .returned(error)
      }
      try calls.release()
    } catch {
      switch error {
      case .returned(let error): throw error
      case .faulted(let fault, let function): throw faulted(fault, function, all, hasReturned: false)
      }
    }
    return try found(outputs + gradients, all, asked.exercise.operation)
  }

  /// Reads results, which nobody can write any more.
  private func found(
    _ results: [GuardedMemory], _ all: [GuardedMemory], _ operation: String
  ) throws(EngineError) -> Found {
    var (found, isUnfinished) = (Found(), false)
    for memory in results {
      if let offset = memory.overwritten() {
        let side = offset < 0 ? "\(-offset) bytes ahead of" : "\(offset - memory.bytes.count) bytes past the end of"
        throw .failed("\(operation) wrote \(side) \(memory.subject.path)")
      }
      let tensor = memory.bytes.tensor()
      found.answer.insert(tensor, memory.subject)
      found.bits[memory.subject.path] = memory.bytes.bits
      if !isUnfinished { isUnfinished = !UnwrittenMark.positions(in: tensor).isEmpty }
    }
    if let late = isUnfinished ? awaitLate() : LibraryWatch.late {
      throw faulted(late, operation, all, hasReturned: true)
    }
    return found
  }

  /// The fault of a thread that is still at work on what a call left unwritten, where one shows up soon.
  private func awaitLate() -> LibraryWatch.Fault? {
    guard Self.threadCount != threadsBefore || Self.threadCount == nil else { return LibraryWatch.late }
    let patience = state.withLock { state in
      let patience = min(0.5, state.patience)
      state.patience -= patience
      return patience
    }
    let deadline = ContinuousClock.now + .seconds(patience)
    while LibraryWatch.late == nil, ContinuousClock.now < deadline { Thread.sleep(forTimeInterval: 0.002) }
    return LibraryWatch.late
  }

  private func faulted(
    _ fault: LibraryWatch.Fault, _ function: String, _ memories: [GuardedMemory], hasReturned: Bool
  ) -> EngineError {
    let text = fault.text(in: function, memories, hasReturned: hasReturned)
    state.withLock { $0.fault = text }
    return .failed(text)
  }

  /// Threads of this process; `nil` where the system does not tell.
  private static var threadCount: Int? {
    (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/task"))?.count
  }

  // MARK: Timing

  public func prepare(_ exercise: Exercise, for timing: TimingRequest) throws(EngineError) -> any PreparedOperation {
    guard timing.layout == .nchw else {
      throw .unsupported("a library is given dense NCHW, and keeps no layout of its own between layers")
    }
    let functions = try functions(for: exercise)
    var timed = exercise
    timed.threads = timing.threads
    let asked: Asked
    do throws(ProblemError) { asked = try Asked(timed, timing.pass) } catch { throw EngineError(error) }
    return try LibraryOperation(asked, asked.tensors(), functions, library.declaration)
  }
}

extension LibraryEngine {
  /// An exercise with what its calls say.
  struct Asked {
    let exercise: Exercise
    let header: CallFrame.Header
    /// A problem that has no result, and so no tensors that hold one.
    let isInvalid: Bool
    private let outputTypes: [String: TensorType]
    private let differentiable: [String]

    init(_ exercise: Exercise) throws(ProblemError) {
      let operation = try OperationRegistry.operation(of: exercise)
      self.init(exercise, operation, isInvalid: false)
    }

    init(invalid exercise: Exercise) {
      var asked = exercise
      asked.passes = [.forward]
      asked.wanted = []
      asked.upstream = [:]
      self.init(asked, nil, isInvalid: true)
    }

    /// What one timed iteration computes: as many passes, and no results but theirs.
    init(_ exercise: Exercise, _ pass: TimingRequest.TimedPass) throws(ProblemError) {
      var timed = exercise
      switch pass {
      case .forward, .inference:
        timed.passes = [.forward]
        timed.upstream = [:]
      case .trainingStep: timed.passes = [.forward, .backward]
      case .backwardData, .backwardWeight:
        timed.passes = [.backward]
        timed.wanted = ["gradients/\(pass == .backwardData ? "x" : "weight")"]
      }
      guard let operation = try OperationRegistry.operation(of: timed) else {
        self.init(timed, nil, isInvalid: false)
        return
      }
      let gradients = operation.differentiableOperands.value ?? []
      if pass != .forward, pass != .inference {
        for path in timed.wanted where path.hasPrefix("gradients/") && !gradients.contains(String(path.dropFirst(10))) {
          throw ProblemError(
            .invalidArgument, "pass", expected: "a pass that gives gradients of \(gradients.joined(separator: ", "))",
            found: pass.rawValue)
        }
      }
      self.init(timed, operation, isInvalid: false)
    }

    private init(_ exercise: Exercise, _ operation: (any Operations.Operation)?, isInvalid: Bool) {
      var exercise = exercise
      exercise.singles = operation?.staysSingle ?? []
      self.exercise = exercise
      self.isInvalid = isInvalid
      outputTypes = operation?.problem.outputs ?? [:]
      differentiable = operation?.differentiableOperands.value ?? []
      // What the author left out, as the golden format has it.
      let complete = operation?.problem.attributes.values ?? [:]
      header = CallFrame.Header(
        operation: exercise.operation, text: operation?.problem.text ?? "",
        attributes: exercise.attributes.values.merging(complete) { _, canonical in canonical },
        dtype: exercise.dtype.abi, threads: exercise.threads)
    }

    func tensors() throws(EngineError) -> LibraryTensors {
      try LibraryTensors(exercise, outputTypes: outputTypes, differentiable: differentiable)
    }
  }
}
