import Engines
import Problems
import TestSupport
import Testing
import Tensors

/// Timed runs of a library: the same functions, on sets with buffers of their own.
@Suite struct LibraryTimingTests {
  private static let timing = TimingRequest(pass: .forward, layout: .nchw, threads: 1)

  private func operands(_ seed: UInt64) -> (LateOperands, AnyTensor) {
    let x = Tensor<Float>(splitMix64Uniform: CompiledLibrary.x.shape, seed: seed, low: -1, high: 1)
    return (LateOperands(inputs: ["x": .float32(x)]), .float32(x.map { max($0, 0) }))
  }

  @Test(arguments: ["NOTHING", "NEEDS_STATE"]) func eachSetKeepsItsOwnResults(define: String) throws {
    let engine = try CompiledLibrary(define).engine()
    let operation = try engine.prepare(CompiledLibrary.exercise, for: Self.timing)
    let sets = (0..<3).map { operands(UInt64($0)) }
    for (index, set) in sets.enumerated() { try operation.load(set.0, set: index) }
    let durations = try operation.time(TimedRun(sets: [2, 0], iterations: 5))
    #expect(durations.count == 5)
    for index in [0, 2] { #expect(try operation.collect(set: index).outputs["y"] == sets[index].1) }
    let untouched = try #require(try operation.collect(set: 1).outputs["y"])
    #expect(UnwrittenMark.positions(in: untouched).count == CompiledLibrary.x.count)
    let fresh = operands(9)
    try operation.load(fresh.0, set: 0)
    _ = try operation.time(TimedRun(sets: [0], iterations: 1, cold: true))
    #expect(try operation.collect(set: 0).outputs["y"] == fresh.1)
    #expect(operation.summary == (define == "NEEDS_STATE" ? "packed relu" : "relu of a library"))
    #expect(operation.workspaceBytes == (define == "NEEDS_STATE" ? 7 : 0))
  }

  @Test func aSetThatWasNotLoadedIsSaid() throws {
    let operation = try CompiledLibrary().engine().prepare(CompiledLibrary.exercise, for: Self.timing)
    #expect(throws: EngineError.self) { try operation.time(TimedRun(sets: [4], iterations: 1)) }
  }

  @Test(arguments: [
    ("NULL_POINTER", "relu ended by SIGSEGV"), ("EXITS=3", "exited with status 3"),
    ("REFUSES=1", "refused with code 1"),
  ])
  func whatEndsACallEndsTheSlice(define: String, message: String) throws {
    let operation = try CompiledLibrary(define).engine().prepare(CompiledLibrary.exercise, for: Self.timing)
    try operation.load(operands(1).0, set: 0)
    do throws(EngineError) {
      _ = try operation.time(TimedRun(sets: [0], iterations: 3))
      Issue.record("timed")
    } catch { #expect("\(error)".contains(message), "\(error)") }
  }

  /// A thread that stops while nothing of the library is called, but for the flushing of caches: the next call, which would wait
  /// for it, is not made.
  @Test func nothingIsCalledBehindAStoppedThread() throws {
    let operation = try CompiledLibrary("WAITS_FOR_ITS_THREAD").engine()
      .prepare(CompiledLibrary.exercise, for: Self.timing)
    try operation.load(operands(1).0, set: 0)
    do throws(EngineError) {
      _ = try operation.time(TimedRun(sets: [0], iterations: 3, cold: true))
      Issue.record("timed")
    } catch { #expect("\(error)".contains("relu ended by SIGSEGV at address 0x0, in no tensor"), "\(error)") }
  }
}
