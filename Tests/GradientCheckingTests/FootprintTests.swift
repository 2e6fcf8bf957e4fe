import GradientChecking
import Operations
import Problems
import Tensors
import Testing

@Suite struct FootprintTests {
  /// One element at a time is changed, and what changes is held against what the footprint says.
  @Test(arguments: OperationRegistry.gradientCases)
  func everyResponseIsInsideTheFootprintAndColoursDoNotMeet(_ gradientCase: GradientCase) throws {
    let problem = try Problem.parse(gradientCase.text)
    let draw = OperandDraw(problem.operands, roles: problem.definition.roles, seed: 3, range: .init(-2, 2))
    let (operands, function) = (draw.operands, OperationFunction(problem, integers: draw.integers))
    func outputs(_ operands: NamedTensors) throws -> [Double] {
      try function.forward(operands).sorted { $0.key < $1.key }.flatMap(\.value.elements)
    }
    let base = try outputs(operands)
    for (name, footprint) in problem.definition.footprints {
      guard let tensor = operands[name] else { continue }
      var taken = [Set<Int>](repeating: [], count: footprint.colourCount)
      for element in 0..<tensor.count {
        var reach: Set<Int> = []
        footprint.forEachOutput(element) { reach.insert($0) }
        #expect(reach.allSatisfy(base.indices.contains))
        #expect(taken[footprint.colour(element)].isDisjoint(with: reach), "\(name) \(element)")
        taken[footprint.colour(element)].formUnion(reach)
        guard element % 7 == 0 else { continue }
        var changed = operands
        changed[name]?.elements[element] += 0.75
        let found = try outputs(changed)
        let responding = base.indices.filter { found[$0] != base[$0] }
        #expect(responding.allSatisfy(reach.contains), "\(name) \(element)")
      }
    }
  }

  @Test func aConvolutionOfRealSizeTakesFewColours() throws {
    let problem = try Problem.parse("conv2d n8c64h56w56 k64r3s3 stride1 pad1")
    let footprints = problem.definition.footprints
    #expect(footprints["x"]?.colourCount == 576)
    #expect(footprints["weight"]?.colourCount == 576)
  }

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
