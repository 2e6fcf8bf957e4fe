import AssayTesting
import Testing

/// The kernels under test, which would be imported.
private func relu(_ x: [Float]) -> [Float] { x.map { max($0, 0) } }

@Suite struct MyKernelsTests {
  @Test func `every element is within its bound`() throws {
    try expectMatchesReference("relu n2c3h4w5") { operands in relu(operands["x"]) }
  }

  @Test func `a wrong element is named`() throws {
    let mismatch = #expect(throws: Mismatch.self) {
      try expectMatchesReference("relu n2c3h4w5") { operands in
        var y = relu(operands["x"])
        y[37] += 1
        return y
      }
    }
    #expect(mismatch?.description.contains("outputs/y[0, 1, 3, 2]") == true)
  }

  @Test func `the gradient of a function of my own`() throws {
    let x = Tensor<Double>(shape: [2, 3], elements: [0.5, -1.25, 0.75, 2, -0.5, 1.5])
    try GradientCheck(
      "cube", at: ["x": x],
      forward: { operands in
        guard let x = operands["x"] else { return [:] }
        return ["y": x.map { $0 * $0 * $0 }]
      },
      backward: { operands, upstream in
        guard let x = operands["x"], let dy = upstream["y"] else { return [:] }
        let terms = zip(x.elements, dy.elements)
        return ["x": Tensor(shape: x.shape, elements: terms.map { 3 * $0 * $0 * $1 })]
      }
    ).requirePass()
  }
}
