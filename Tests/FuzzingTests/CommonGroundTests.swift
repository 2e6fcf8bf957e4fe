import Fuzzing
import Operations
import Problems
import Testing

/// What failing problems have in common is named, and nothing that they merely share.
@Suite struct CommonGroundTests {
  private func traits(_ text: String) throws -> ProblemTraits {
    let problem = try Problem.parse(text)
    let choices = zip(["N", "C", "H", "W"], problem.operands.all["x"]?.shape.dimensions ?? []).map { name, value in
      ProblemChoices.Choice(name: name, value: value, domain: .size(.side))
    }
    return ProblemTraits(
      DrawnProblem(problem: problem, choices: choices), DataRecipe(kind: .exact, seed: 1), dtype: "float32")
  }

  @Test(
    arguments: [
      (
        ["relu n1c2h3w15", "relu n2c1h9w31", "relu n5c4h2w47"],
        ["relu n1c2h3w16", "relu n2c15h15w14", "relu n9c2h31w7"], "W mod 16 = 15"
      ),
      (["relu n1c70h3w5", "relu n2c65h9w3"], ["relu n1c64h3w16", "relu n9c2h31w70"], "C > 64"),
      (
        ["relu n1c70h3w5", "relu n1c7h1w3", "relu n1c9h8w31"],
        ["relu n2c64h3w16", "relu n9c2h31w70", "relu n3c7h8w3"], "N < 2"
      ),
    ])
  func `one condition`(failing: [String], passing: [String], expected: String) throws {
    let ground = try #require(CommonGround(failing: failing.map(traits), passing: passing.map(traits)))
    #expect(ground.description == "fails only where \(expected)")
  }

  @Test func `two conditions, neither of which is enough`() throws {
    let failing = ["relu n1c80h3w15", "relu n2c99h9w31", "relu n5c70h2w47"]
    let passing = ["relu n1c80h3w16", "relu n2c99h9w30", "relu n5c2h2w47", "relu n3c64h5w15", "relu n3c71h5w14"]
    let ground = try #require(CommonGround(failing: failing.map(traits), passing: passing.map(traits)))
    #expect(ground.conditions.count == 2 && ground.exceptions == 0, "\(ground)")
    #expect(ground.description.contains("W mod 16 = 15") && ground.description.contains("C > 64"), "\(ground)")
  }

  @Test func `problems that nothing tells apart`() throws {
    let one = try traits("relu n1c2h3w4")
    let ground = try #require(CommonGround(failing: [one], passing: [one]))
    #expect(ground.conditions.isEmpty)
    #expect(CommonGround(failing: [], passing: [one]) == nil && CommonGround(failing: [one], passing: []) == nil)
  }
}
