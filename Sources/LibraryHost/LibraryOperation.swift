import CLibraryHost
import Convolution
import Engines
import OperatingSystem
import Problems
import Tensors

/// An operation of a library that is ready to be timed: parameters once, and for each set inputs and results of its own, in the
/// memory that the built-in engines use. The clock is this program's.
final class LibraryOperation: PreparedOperation {
  /// The tensors of one set, with the frames that hold their addresses.
  private final class Buffers {
    /// Inputs and cotangents.
    var late: [TimedMemory] = []
    var results: [TimedMemory] = []
    var frames: [(pass: Pass, function: assay_function, frame: CallFrame)] = []
  }

  private let asked: LibraryEngine.Asked
  private let tensors: LibraryTensors
  private let kept: [TimedMemory]
  private let calls: LibraryCalls
  private let passes: [(pass: Pass, function: assay_function)]
  private let alignment: (DType) -> Int
  private var sets: [Int: Buffers] = [:]
  private var flush = CacheFlush()

  /// - Throws: ``Problems/EngineError``, also of the library's own prepare.
  init(
    _ asked: LibraryEngine.Asked, _ tensors: LibraryTensors, _ functions: SharedLibrary.Functions,
    _ declaration: LibraryDeclaration
  ) throws(EngineError) {
    self.asked = asked
    self.tensors = tensors
    alignment = declaration.alignment
    var kept: [TimedMemory] = []
    for subject in tensors.operands where subject.group != .inputs {
      let memory = try TimedMemory(subject, alignment: declaration.alignment(of: subject.type.dtype))
      guard let tensor = asked.exercise.tensor(subject) else { continue }
      memory.bytes.write(tensor)
      kept.append(memory)
    }
    self.kept = kept
    LibraryWatch.begin()
    let known = kept.map { ($0.subject, $0.bytes.pointer) as CallFrame.Argument }
    let late =
      tensors.operands.filter { $0.group == .inputs } + tensors.cotangents + tensors.outputs + tensors.gradients
    calls = try Self.translated { () throws(LibraryCalls.Failure) in
      try LibraryCalls(
        functions, asked.header, passes: asked.exercise.passes, arguments: known + late.map { ($0, nil) })
    }
    var passes: [(Pass, assay_function)] = []
    if !tensors.outputs.isEmpty { passes.append((.forward, try calls.function(.forward))) }
    if !tensors.gradients.isEmpty { passes.append((.backward, try calls.function(.backward))) }
    self.passes = passes
  }

  deinit {
    // Frames and tensors outlive what the library keeps of them.
    try? calls.release()
  }

  var workspaceBytes: Int { calls.workspaceBytes }
  var summary: String { calls.summary ?? "\(asked.exercise.operation) of a library" }

  private static func translated<Result>(
    _ body: () throws(LibraryCalls.Failure) -> Result
  ) throws(EngineError) -> Result {
    do throws(LibraryCalls.Failure) { return try body() } catch {
      switch error {
      case .returned(let error): throw error
      case .faulted(let fault, let function): throw .failed(fault.text(in: function, [], hasReturned: false))
      }
    }
  }

  func load(_ operands: LateOperands, set: Int) throws(EngineError) {
    let exercise = asked.exercise.with(operands)
    let buffers: Buffers
    if let known = sets[set] { buffers = known } else { buffers = try made() }
    for memory in buffers.late {
      guard let tensor = exercise.tensor(memory.subject) else { throw missing(memory.subject, "none") }
      guard tensor.dtype == memory.subject.type.dtype, tensor.shape == memory.subject.type.shape else {
        throw missing(memory.subject, "\(tensor.dtype.rawValue) \(tensor.shape)")
      }
      memory.bytes.write(tensor)
    }
    for memory in buffers.results { try memory.mark() }
    sets[set] = buffers
  }

  private func missing(_ subject: Subject, _ found: String) -> EngineError {
    .failed("\(subject.path): expected \(subject.type.dtype.rawValue) \(subject.type.shape), found \(found)")
  }

  private func made() throws(EngineError) -> Buffers {
    func memories(_ subjects: [Subject]) throws(EngineError) -> [TimedMemory] {
      try subjects.map { (subject) throws(EngineError) in
        try TimedMemory(subject, alignment: alignment(subject.type.dtype))
      }
    }
    let buffers = Buffers()
    let inputs = try memories(tensors.operands.filter { $0.group == .inputs })
    let cotangents = try memories(tensors.cotangents)
    let (outputs, gradients) = (try memories(tensors.outputs), try memories(tensors.gradients))
    buffers.late = inputs + cotangents
    buffers.results = outputs + gradients
    buffers.frames = passes.map { pass, function in
      let tensors = inputs + kept + (pass == .forward ? outputs : cotangents + gradients)
      let frame = calls.frame(pass, arguments: tensors.map { ($0.subject, $0.bytes.pointer) })
      return (pass, function, frame)
    }
    return buffers
  }

  func time(_ run: TimedRun) throws(EngineError) -> [UInt64] {
    LibraryWatch.begin()
    var visited: [Buffers] = []
    for set in run.sets {
      guard let buffers = sets[set] else { throw notLoaded(set) }
      visited.append(buffers)
    }
    for set in Set(run.sets) { for memory in sets[set]?.results ?? [] { try memory.mark() } }
    var durations: [UInt64] = []
    durations.reserveCapacity(run.iterations)
    for iteration in 0..<run.iterations {
      let frames = visited[iteration % visited.count].frames
      if run.cold { flush.flush() }
      let start = ContinuousClock.now
      try Self.translated { () throws(LibraryCalls.Failure) in
        for (pass, function, frame) in frames { try calls.run(function, frame, pass) }
      }
      durations.append(UInt64((ContinuousClock.now - start).nanoseconds))
    }
    return durations
  }

  func collect(set: Int) throws(EngineError) -> Answer {
    guard let buffers = sets[set] else { throw notLoaded(set) }
    LibraryWatch.begin()
    for memory in buffers.results { try memory.makeReadOnly() }
    var answer = Answer()
    for memory in buffers.results { answer.insert(memory.bytes.tensor(), memory.subject) }
    if let late = LibraryWatch.late {
      let place = buffers.results.first { $0.contains(late.address) }?.subject.path ?? "memory"
      throw .failed("\(asked.exercise.operation) wrote \(place) after it had returned")
    }
    return answer
  }
}
