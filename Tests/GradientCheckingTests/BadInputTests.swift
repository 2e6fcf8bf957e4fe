import Foundation
import GradientChecking
import Results
import Synchronization
import Tensors
import Testing

/// Whatever a caller gets wrong has a name, and is never a pass.
@Suite struct BadInputTests {
  private func square(_ operands: NamedTensors) -> NamedTensors {
    ["y": operands["x"]?.map { $0 * $0 } ?? Tensor(zeros: [0])]
  }
  private func gradient(_ operands: NamedTensors, _ upstream: NamedTensors) -> NamedTensors {
    guard let x = operands["x"], let dy = upstream["y"] else { return [:] }
    return ["x": Tensor(shape: x.shape, elements: zip(x.elements, dy.elements).map { 2 * $0 * $1 })]
  }
  private func point(_ values: [Double]) -> NamedTensors { ["x": Tensor(shape: [values.count], elements: values)] }

  private func expectError(
    _ record: GradientRecord, _ beginning: String, sourceLocation: SourceLocation = #_sourceLocation
  ) {
    #expect(record.verdict == .error, sourceLocation: sourceLocation)
    #expect(record.reason?.hasPrefix(beginning) == true, "\(record.reason ?? "")", sourceLocation: sourceLocation)
  }

  @Test func gradientOfAnotherShape() {
    let record = GradientCheck(at: point([1, 2]), forward: square) { _, _ in ["x": Tensor(zeros: [3])] }.run()
    expectError(record, "shape mismatch: gradient of x")
  }

  @Test func gradientMissing() {
    expectError(GradientCheck(at: point([1, 2]), forward: square) { _, _ in [:] }.run(), "wrong gradients")
  }

  @Test func oneGradientTooMany() {
    let record = GradientCheck(at: point([1, 2]), forward: square) { operands, upstream in
      gradient(operands, upstream).merging(["z": Tensor(zeros: [2])]) { first, _ in first }
    }.run()
    expectError(record, "wrong gradients")
  }

  @Test(arguments: [Double.nan, .infinity, -.infinity])
  func operandNotFinite(value: Double) {
    expectError(
      GradientCheck(at: point([1, value]), forward: square, backward: gradient).run(), "non-finite value: x[1]")
  }

  @Test func outputNotFinite() {
    let record = GradientCheck(at: point([1, -1]), forward: { ["y": $0["x"]?.map { log($0) } ?? Tensor(zeros: [0])] }) {
      gradient($0, $1)
    }.run()
    expectError(record, "non-finite value: y[1]")
  }

  @Test func gradientNotFinite() {
    let record = GradientCheck(at: point([1, 2]), forward: square) { _, _ in
      ["x": Tensor(shape: [2], elements: [.nan, 4])]
    }.run()
    #expect(record.verdict == .fail)
    #expect(record.tensors.first?.badElements.first?.index == [0])
  }

  @Test func forwardNotDeterministic() {
    let calls = Atomic<Int>(0)
    let record = GradientCheck(
      at: point([1, 2]),
      forward: { operands in
        let call = Double(calls.wrappingAdd(1, ordering: .relaxed).newValue)
        return ["y": operands["x"]?.map { $0 * $0 + call * 1e-12 } ?? Tensor(zeros: [0])]
      }, backward: gradient
    ).run()
    expectError(record, "not deterministic: forward")
  }

  @Test func outputsThatChangeTheirShape() {
    let calls = Atomic<Int>(0)
    let record = GradientCheck(
      at: point([1, 2]),
      forward: { _ in ["y": Tensor(zeros: [calls.wrappingAdd(1, ordering: .relaxed).newValue])] }, backward: gradient
    ).run()
    expectError(record, "unstable outputs")
  }

  @Test func closureThatThrows() {
    struct Broken: Error {}
    expectError(
      GradientCheck(at: point([1]), forward: { _ in throw Broken() }, backward: gradient).run(), "evaluation failed")
  }

  @Test func closureThatMutatesItsInput() {
    let record = GradientCheck(
      at: point([1, 2]),
      forward: { operands in
        guard let x = operands["x"] else { return [:] }
        x.elements.withUnsafeBufferPointer { buffer in
          UnsafeMutablePointer(mutating: buffer.baseAddress)?[0] = 3
        }
        return ["y": Tensor(shape: [2], elements: [1, 4])]
      }, backward: gradient
    ).run()
    expectError(record, "mutated input: x")
  }

  @Test func emptyTensor() {
    expectError(GradientCheck(at: point([]), forward: square, backward: gradient).run(), "empty tensor: x")
    expectError(GradientCheck(at: [:], forward: square, backward: gradient).run(), "empty tensor")
  }

  @Test func operandThatIsNotThere() {
    expectError(
      GradientCheck(at: point([1]), checking: ["weight"], forward: square, backward: gradient).run(), "wrong gradients")
  }

  @Test func backwardThatMutatesItsInput() {
    let record = GradientCheck(at: point([1, 2]), forward: square) { operands, upstream in
      let gradients = gradient(operands, upstream)
      operands["x"]?.elements.withUnsafeBufferPointer { buffer in
        UnsafeMutablePointer(mutating: buffer.baseAddress)?[1] += 0x1p-40
      }
      return gradients
    }.run()
    #expect(record.verdict == .error || record.verdict == .fail, "\(GradientReport(record).text)")
    #expect(GradientReport(record).text.contains("x"))
  }

  @Test func backwardThatThrows() {
    struct Broken: Error {}
    expectError(GradientCheck(at: point([1]), forward: square) { _, _ in throw Broken() }.run(), "evaluation failed")
  }

  @Test func aStepThatVanishesIsInconclusive() {
    // What moves the small elements is nothing beside the large one, and the other way round.
    let record = GradientCheck(
      at: point([0x1p1000] + Array(repeating: 0x1p-1000, count: 7)),
      forward: { operands in ["y": operands["x"]?.map { $0 * 0x1p-20 } ?? Tensor(zeros: [0])] },
      backward: { _, upstream in ["x": upstream["y"]?.map { $0 * 0x1p-20 } ?? Tensor(zeros: [0])] }
    ).run()
    #expect(record.verdict == .inconclusive)
    #expect(record.tensors.first?.badElements.first?.reason?.contains("vanishes beside the element") == true)
  }

  /// Every step of the operand's size underflows, and a step of 1 makes the function overflow.
  @Test func aStepThatUnderflowsIsInconclusive() throws {
    let record = GradientCheck(
      at: point([0x1p-1070]),
      forward: { operands in
        ["y": operands["x"]?.map { ($0 * 0x1p1000) * ($0 * 0x1p1000) } ?? Tensor(zeros: [0])]
      },
      backward: { operands, upstream in
        guard let x = operands["x"], let dy = upstream["y"] else { return [:] }
        let slopes = zip(x.elements, dy.elements).map { 2 * ($0 * 0x1p1000) * 0x1p1000 * $1 }
        return ["x": Tensor(shape: x.shape, elements: slopes)]
      }
    ).run()
    #expect(record.verdict == .inconclusive, "\(GradientReport(record).text)")
    let reason = try #require(record.tensors.first?.badElements.first?.reason)
    #expect(reason.contains("step"), "\(reason)")
  }
}
