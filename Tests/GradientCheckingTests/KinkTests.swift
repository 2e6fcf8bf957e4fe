import GradientChecking
import Results
import Tensors
import Testing

@Suite struct KinkTests {
  private func relu(slopeAtZero: Double, at values: [Double]) -> GradientRecord {
    GradientCheck(
      "relu", at: ["x": Tensor(shape: [values.count], elements: values)],
      forward: { operands in ["y": operands["x"]?.map { max($0, 0) } ?? Tensor(zeros: [0])] },
      backward: { operands, upstream in
        guard let x = operands["x"], let dy = upstream["y"] else { return [:] }
        let gradient = zip(x.elements, dy.elements).map { $0 > 0 ? $1 : $0 < 0 ? 0 : slopeAtZero * $1 }
        return ["x": Tensor(shape: x.shape, elements: gradient)]
      }
    ).run()
  }

  @Test(arguments: [0.0, 0.5, 1.0])
  func anySubgradientIsAcceptedOfABlackBox(slope: Double) throws {
    let record = relu(slopeAtZero: slope, at: [1, 0, -1, 0.5])
    #expect(record.verdict == .pass)
    #expect(try #require(record.tensors.first).kinkCount == 1)
  }

  @Test(arguments: [-0.25, 1.25])
  func whatLiesOutsideTheOneSidedDerivativesFails(slope: Double) throws {
    let record = relu(slopeAtZero: slope, at: [1, 0, -1, 0.5])
    #expect(record.verdict == .fail)
    #expect(try #require(record.tensors.first).badElements.map(\.index) == [[1]])
  }

  @Test(arguments: [0x1p-8, -0x1p-8, 0x1p-12, -0x1p-12])
  func aKinkNearbyIsSteppedUnder(distance: Double) throws {
    let record = relu(slopeAtZero: 0, at: [1, distance, -1])
    #expect(record.verdict == .pass)
    #expect(try #require(record.tensors.first).kinkCount == 0)
  }

  @Test func aJumpIsInconclusiveAndSaysSo() throws {
    let record = GradientCheck(
      at: ["x": Tensor(shape: [2], elements: [0, 1])],
      forward: { operands in ["y": operands["x"]?.map { $0 >= 0 ? 1 : 0 } ?? Tensor(zeros: [0])] },
      backward: { _, _ in ["x": Tensor(zeros: [2])] }
    ).run()
    #expect(record.verdict == .inconclusive)
    #expect(record.tensors.first?.badElements.first?.reason?.contains("jumps") == true)
  }
}
