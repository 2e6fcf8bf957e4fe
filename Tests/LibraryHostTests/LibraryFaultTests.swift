import Engines
import Problems
import TestSupport
import Testing
import Tensors

/// What a library must not do, each found, named, and paid for by the case at hand alone.
@Suite struct LibraryFaultTests {
  @Test(arguments: [
    ("OVER_READ=1", "relu read 1 element past the end of inputs/x"),
    ("OVER_READ=5", "relu read 5 elements past the end of inputs/x"),
    ("OVER_READ=100000", "relu read 100000 elements past the end of inputs/x"),
    ("THREAD_OVER_READ", "relu read 1 element past the end of inputs/x"),
    ("UNDER_READ=1", "relu read 1 element ahead of the start of inputs/x"),
    ("UNDER_READ=3", "relu read 3 elements ahead of the start of inputs/x"),
    ("OVER_WRITE", "relu wrote 1 element past the end of outputs/y"),
    ("NEAR_WRITE", "relu wrote 4 bytes ahead of outputs/y"),
    ("MUTATES", "relu wrote element 3 of inputs/x, which is read-only"),
    ("NULL_POINTER", "relu ended by SIGSEGV at address 0x0, in no tensor"),
    ("DIVIDES", "relu ended by SIGFPE"),
    ("RECURSES", "relu ended by SIGSEGV at address"),
    ("LATE_WRITE", "relu wrote element 0 of outputs/y after it had returned"),
    ("ABORTS", "killed by signal 6 (SIGABRT)"),
    ("EXITS=0", "the engine exited with status 0"),
    ("EXITS=3", "the engine exited with status 3"),
    ("KILLED", "about to end"),
    ("UNKNOWN_CODE", "relu returned 77: it is Monday"),
    ("UNSTEADY", "outputs/y differs from call to call on the same operands"),
  ])
  func isNamed(define: String, message: String) throws {
    let engine = try CompiledLibrary(define).engine()
    for _ in 0..<2 {
      // The second time by a process that was started again.
      let outcome = CompiledLibrary.outcome(of: engine)
      #expect(outcome.contains(message), "\(outcome)")
    }
  }

  @Test(arguments: ["64", "256"]) func whatLetsTheAlignmentGapIntoAResultOverReads(alignment: String) throws {
    let declares = "DECLARES=\"{\\\"alignment\\\":\(alignment)}\""
    let outcome = CompiledLibrary.outcome(of: try CompiledLibrary("CANARY", declares).engine())
    #expect(outcome.contains("outputs/y depends on what lies beside the tensors"), "\(outcome)")
    #expect(CompiledLibrary.outcome(of: try CompiledLibrary("GAP_READ", declares).engine()) == "right")
  }

  @Test func withoutADeclaredAlignmentTheGapIsAGuard() throws {
    let outcome = CompiledLibrary.outcome(of: try CompiledLibrary("GAP_READ").engine())
    #expect(outcome.contains("relu read 1 element past the end of inputs/x"), "\(outcome)")
  }

  @Test func whoDeclaresThatItIsNotDeterministicMayDiffer() throws {
    let engine = try CompiledLibrary("UNSTEADY", #"DECLARES="{\"deterministic\":false}""#).engine()
    #expect(CompiledLibrary.outcome(of: engine) == "wrong")
    #expect(!engine.description.deterministic)
  }

  @Test(arguments: ["NOTHING", "BY_PLACE", "PRINTS", "NEEDS_STATE"])
  func whatIsAllowedIsNoFault(define: String) throws {
    let outcome = CompiledLibrary.outcome(of: try CompiledLibrary(define).engine())
    #expect(outcome == (define == "BY_PLACE" ? "wrong" : "right"), "\(outcome)")
  }

  @Test func anEmptyTensorAndAScalarHaveAPlace() throws {
    let engine = try CompiledLibrary().engine()
    for shape in [Shape(0, 3, 3, 3), Shape(1)] {
      let x = Tensor<Float>(shape: shape, repeating: 2)
      let exercise = Exercise(
        name: "/case", operation: "relu", inputs: ["x": .float32(x)], wanted: ["outputs/y"])
      #expect(try engine.compute(exercise).outputs["y"] == .float32(x))
    }
  }
}
