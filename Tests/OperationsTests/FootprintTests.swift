import Operations
import Problems
import Tensors
import Testing

@Suite struct FootprintTests {
  /// Of operations that say which outputs an element reaches.
  static let cases = OperationRegistry.gradientCases.filter {
    (try? Problem.parse($0.text))?.definition.footprints.isEmpty == false
  }

  /// One element at a time is changed, and what changes is held against what the footprint says.
  @Test(arguments: cases)
  func everyResponseIsInsideTheFootprintAndColoursDoNotMeet(_ gradientCase: GradientCase) throws {
    let problem = try Problem.parse(gradientCase.text)
    let definition = problem.definition
    let draw = OperandDraw(
      problem.operands, roles: definition.roles, seed: 3, range: OperandDraw.Range(-2, 2))
    func outputs(_ operands: [String: Tensor<Double>]) throws -> [Double] {
      let found = try definition.compute(Given(operands: operands, integers: draw.integers))
      return found.outputs.values.flatMap(\.elements)
    }
    let base = try outputs(draw.operands)
    for (name, footprint) in definition.footprints {
      guard let tensor = draw.operands[name] else { continue }
      var taken = [Set<Int>](repeating: [], count: footprint.colourCount)
      for element in 0..<tensor.count {
        var reach: Set<Int> = []
        footprint.forEachOutput(element) { reach.insert($0) }
        #expect(reach.allSatisfy(base.indices.contains))
        #expect(taken[footprint.colour(element)].isDisjoint(with: reach), "\(name) \(element)")
        taken[footprint.colour(element)].formUnion(reach)
        guard element % 7 == 0 else { continue }
        var changed = draw.operands
        changed[name]?.elements[element] += 0.75
        let found = try outputs(changed)
        let responding = base.indices.filter { found[$0] != base[$0] }
        #expect(responding.allSatisfy(reach.contains), "\(name) \(element)")
      }
    }
  }

  @Test func aConvolutionOfRealSizeTakesFewColours() throws {
    let footprints = try Problem.parse("conv2d n8c64h56w56 k64r3s3 stride1 pad1").definition.footprints
    #expect(footprints["x"]?.colourCount == 576)
    #expect(footprints["weight"]?.colourCount == 576)
  }
}
