import Fuzzing
import Operations
import Problems
import Testing

@Suite struct DataRecipeTests {
  @Test(arguments: OperandKind.allCases)
  func `its text gives it again`(kind: OperandKind) throws {
    var recipe = DataRecipe(kind: kind, seed: 123)
    recipe.constants = ["x": .ones, "upstream/y": .zeros]
    #expect(DataRecipe(recipe.description) == recipe)
    #expect(recipe.description == "\(kind.rawValue)@123,upstream/y=zeros,x=ones")
  }

  @Test(arguments: ["", "random", "random@", "random@x", "odd@1", "random@1,x", "random@1,x=twos"])
  func `anything else is none`(text: String) { #expect(DataRecipe(text) == nil) }

  @Test func `tensors of one value, and bounds that hold of them`() throws {
    let problem = try Problem.parse("linear n3c5 k2")
    var recipe = DataRecipe(kind: .random, seed: 7)
    #expect(recipe.fill(of: problem) == .random)
    recipe.constants = ["weight": .ones, "upstream/y": .zeros]
    #expect(recipe.fill(of: problem) == .adversarial)
    let exercise = recipe.exercise(of: problem)
    #expect(exercise.parameters["weight"]?.doubles.elements == Array(repeating: 1, count: 10))
    #expect(exercise.upstream["y"]?.doubles.elements == Array(repeating: 0, count: 6))
    #expect(Set(exercise.inputs["x"]?.doubles.elements ?? []).count == 15)
    recipe.kind = .exact
    #expect(recipe.fill(of: problem) == .exact, "integers stay exact")
    #expect(recipe.fill(of: try Problem.parse("softmax n2c3")) == .adversarial, "exponentials are not")
    recipe.constants = ["*": .ones]
    let ones = recipe.exercise(of: problem)
    #expect(ones.inputs["x"]?.doubles.elements == Array(repeating: 1, count: 15))
    #expect(ones.upstream["y"]?.doubles.elements == Array(repeating: 1, count: 6))
  }

  @Test func `special values are there`() throws {
    let exercise = DataRecipe(kind: .nonfinite, seed: 1).exercise(of: try Problem.parse("relu shape100"))
    let x = try #require(exercise.inputs["x"]?.doubles.elements)
    #expect(x.contains { !$0.isFinite } && x.contains(where: \.isFinite))
  }
}
