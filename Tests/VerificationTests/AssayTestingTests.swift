import AssayTesting
import GoldenFiles
import TestSupport
import Testing

/// The library as another package's tests use it.
@Suite struct AssayTestingTests {
  @Sendable private static func relu(_ operands: OperandArrays) -> [Float] { operands["x"].map { max($0, 0) } }

  @Test func `a right closure passes`() throws {
    try expectMatchesReference("relu n2c3h4w5", forward: Self.relu)
    try expectMatchesReference("linear n3c4 k2") { operands in
      let (x, w, b) = (operands["x"], operands["weight"], operands["bias"])
      let (n, features, k) = (operands.shape("x")[0], operands.shape("x")[1], operands.shape("weight")[0])
      var y = [Float](repeating: 0, count: n * k)
      for i in 0..<n {
        for j in 0..<k {
          for c in 0..<features { y[i * k + j] += x[i * features + c] * w[j * features + c] }
          y[i * k + j] += b[j]
        }
      }
      return y
    }
  }

  @Test func `a wrong closure is told which element is wrong`() throws {
    let mismatch = #expect(throws: Mismatch.self) {
      try expectMatchesReference("relu n2c3h4w5") { operands in
        var y = Self.relu(operands)
        y[37] += 1
        return y
      }
    }
    #expect(mismatch?.description.contains("outputs/y[0, 1, 3, 2]") == true, "\(mismatch as Any)")
    #expect(mismatch?.description.contains("seed 1") == true)
    #expect(throws: Mismatch.self) { try expectMatchesReference("relu n2c3h4w5") { _ in [] } }
    #expect(throws: ProblemError.self) { try expectMatchesReference("nonsense", forward: Self.relu) }
  }

  @Test func `engines of one's own, with gradients`() throws {
    try expectMatchesReference(
      "conv2d n1c2h5w5 k3r3s3 stride1 pad1 bias", engine: ReferenceEngine(), dtypes: [.float32, .float64])
    #expect(throws: Mismatch.self) {
      try expectMatchesReference(
        "conv2d n1c2h5w5 k3r3s3 stride1 pad1 bias",
        engine: WrongEngine { _, answer in answer.gradients["weight"] = answer.gradients["weight"]?.edited { $0[0] = 0 }
        })
    }
  }

  @Test func `golden files`() throws {
    let path = Repository.fixtures.appending(path: "relu.h5").path
    try expectMatchesGolden(path, engine: ReferenceEngine())
    try expectMatchesGolden(path, filter: "relu/*") { try ReferenceEngine().compute($0) }
    #expect(throws: Mismatch.self) { try expectMatchesGolden(path, filter: "conv2d/*", engine: ReferenceEngine()) }
    #expect(throws: Mismatch.self) { try expectMatchesGolden(path) { _ in Answer() } }
  }
}
