import Foundation
import GradientChecking
import Results
import Tensors
import Testing

/// A smooth function that is nothing like a layer: y_i = exp(x_i)·Σ x², by closures alone.
private enum Sample {
  static let point: NamedTensors = ["x": Tensor(shape: [2, 3], elements: [0.5, -1.25, 0.75, 2, -0.5, 1.5])]

  static let forward: CheckedFunction.Forward = { operands in
    guard let x = operands["x"] else { return [:] }
    let squares = x.elements.reduce(0) { $0 + $1 * $1 }
    return ["y": x.map { exp($0) * squares }]
  }

  static func gradient(_ x: Tensor<Double>, _ dy: Tensor<Double>) -> Tensor<Double> {
    let squares = x.elements.reduce(0) { $0 + $1 * $1 }
    let inner = zip(x.elements, dy.elements).reduce(0) { $0 + exp($1.0) * $1.1 }
    return Tensor(
      shape: x.shape,
      elements: zip(x.elements, dy.elements).map { exp($0) * squares * $1 + 2 * $0 * inner })
  }

  static let backward: CheckedFunction.Backward = { operands, upstream in
    guard let x = operands["x"], let dy = upstream["y"] else { return [:] }
    return ["x": gradient(x, dy)]
  }
}

@Suite struct BlackBoxTests {
  @Test func correctClosuresPassWithAFineResolution() throws {
    let check = GradientCheck("sample", at: Sample.point, forward: Sample.forward, backward: Sample.backward)
    try check.requirePass()
    let record = check.run()
    #expect((record.tensors.first?.worstResolution ?? 1) < 1e-9)
    #expect(record.cost.torchForward == 12)
  }

  @Test(arguments: [1e-7, 1e-3, 1.0])
  func oneWrongElementIsNamed(defect: Double) throws {
    let check = GradientCheck("sample", at: Sample.point, forward: Sample.forward) { operands, upstream in
      try Sample.backward(operands, upstream).mapValues { gradient in
        var wrong = gradient
        wrong.elements[4] *= 1 + defect
        return wrong
      }
    }
    let record = check.run()
    #expect(record.verdict == .fail)
    let tensor = try #require(record.tensors.first)
    #expect(tensor.failedCount == 1)
    #expect(tensor.badElements.first?.index == [1, 1])
    #expect(throws: GradientCheckFailure.self) { try check.requirePass() }
  }

  @Test func aLargeTensorIsCheckedByProjectionsAndItsWrongElementFound() throws {
    let count = 5000
    let point: NamedTensors = [
      "x": Tensor(shape: [count], elements: (0..<count).map { sin(Double($0)) })
    ]
    let forward: CheckedFunction.Forward = { operands in
      guard let x = operands["x"]?.elements else { return [:] }
      return ["y": Tensor(shape: [2], elements: [x.reduce(0) { $0 + exp($1) }, x.reduce(0) { $0 + $1 * $1 * $1 }])]
    }
    func backward(wrong: Int?) -> CheckedFunction.Backward {
      { operands, upstream in
        guard let x = operands["x"], let dy = upstream["y"]?.elements else { return [:] }
        var gradient = x.map { exp($0) * dy[0] + 3 * $0 * $0 * dy[1] }
        if let wrong { gradient.elements[wrong] += 0.01 }
        return ["x": gradient]
      }
    }
    var options = GradientCheck.Options()
    options.workLimit = 1_000_000
    try GradientCheck(at: point, options: options, forward: forward, backward: backward(wrong: nil)).requirePass()
    let record = GradientCheck(at: point, options: options, forward: forward, backward: backward(wrong: 3217)).run()
    #expect(record.tensors.first?.method == .projection)
    #expect(record.tensors.first?.badElements.map(\.index) == [[3217]])
  }

  @Test func theSameSeedGivesTheSameRecordOnAnyNumberOfThreads() throws {
    var one = GradientCheck.Options()
    one.threads = 1
    var four = GradientCheck.Options()
    four.threads = 4
    func json(_ options: GradientCheck.Options) throws -> Data {
      var record = GradientCheck(
        at: Sample.point, options: options, forward: Sample.forward, backward: Sample.backward
      ).run()
      record.seconds = 0
      let encoder = JSONEncoder()
      encoder.outputFormatting = .sortedKeys
      return try encoder.encode(record)
    }
    #expect(try json(one) == json(four))
  }

  @Test func aFloatBackwardIsJudgedAsOne() throws {
    let backward: CheckedFunction.Backward = { operands, upstream in
      guard let x = operands["x"]?.map({ Float($0) }), let dy = upstream["y"]?.map({ Float($0) }) else { return [:] }
      let squares = x.elements.reduce(0) { $0 + $1 * $1 }
      let inner = zip(x.elements, dy.elements).reduce(0) { $0 + Foundation.exp($1.0) * $1.1 }
      let gradient = zip(x.elements, dy.elements).map { Foundation.exp($0) * squares * $1 + 2 * $0 * inner }
      return ["x": Tensor(shape: x.shape, elements: gradient.map { Double($0) })]
    }
    let asFloat = GradientCheck(at: Sample.point, precision: .float32, forward: Sample.forward, backward: backward)
    #expect(asFloat.run().verdict == .pass)
    let asDouble = GradientCheck(at: Sample.point, forward: Sample.forward, backward: backward)
    #expect(asDouble.run().verdict == .fail)
  }

  @Test func anAccumulatingBackwardBreaksItsContract() {
    final class Accumulator: @unchecked Sendable {
      var sum = [Double](repeating: 0, count: 6)
    }
    let accumulator = Accumulator()
    let record = GradientCheck(at: Sample.point, forward: Sample.forward) { operands, upstream in
      try Sample.backward(operands, upstream).mapValues { gradient in
        for i in accumulator.sum.indices { accumulator.sum[i] += gradient.elements[i] }
        return Tensor(shape: gradient.shape, elements: accumulator.sum)
      }
    }.run()
    #expect(record.contracts.contains { $0.verdict == .fail && $0.name.contains("twice") })
  }
}
