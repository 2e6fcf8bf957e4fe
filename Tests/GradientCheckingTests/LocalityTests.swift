import GradientChecking
import Problems
import Tensors
import Testing

@Suite struct LocalityTests {
  @Test func aResponseOutsideTheFootprintIsALocalityFailure() throws {
    let x = Tensor<Double>(shape: [4], elements: [1, 2, 3, 4])
    let function = CheckedFunction(
      name: "leak", at: ["x": x],
      // All four at once hide it, since each output then belongs to some element.
      footprints: ["x": Footprint(colourCount: 4, colour: { $0 }) { element, body in body(element) }],
      forward: { operands in
        // Output 0 also depends on element 3.
        [
          "y": operands["x"].map { x in
            Tensor(
              shape: [4],
              elements: x.elements.indices.map {
                x.elements[$0] * x.elements[$0] + ($0 == 0 ? x.elements[3] : 0)
              })
          } ?? Tensor(zeros: [4])
        ]
      },
      backward: { operands, upstream in
        guard let x = operands["x"], let dy = upstream["y"] else { return [:] }
        var gradient = zip(x.elements, dy.elements).map { 2 * $0 * $1 }
        gradient[3] += dy.elements[0]
        return ["x": Tensor(shape: [4], elements: gradient)]
      })
    let record = GradientCheck(function).run()
    #expect(record.tensors.first?.reason?.hasPrefix("LOCALITY") == true)
    #expect(record.verdict.rawValue == "FAIL")
  }
}
