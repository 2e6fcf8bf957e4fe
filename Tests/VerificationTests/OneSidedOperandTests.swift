import Engines
import GoldenFiles
import Operations
import Problems
import StrategyEngines
import Tensors
import Testing
import Verification

/// Operands of one sign: partial sums grow to the end, and what is rounded once leaves the same error in many results.
@Suite struct OneSidedOperandTests {
  private static let item = Result {
    let problem = try Problem.parse("conv2d n2c256h14w14 k48r3s3 stride1 pad1")
    var exercise = RandomExercise(problem: problem, roles: problem.definition.roles, fill: .random, seed: 3).exercise
    exercise.inputs = exercise.inputs.mapValues(positive)
    exercise.parameters = exercise.parameters.mapValues(positive)
    exercise.upstream = exercise.upstream.mapValues(positive)
    let answer = try ReferenceEngine().compute(exercise.converted(to: .float64))
    var golden = GoldenCase(exercise, fill: .random)
    golden.outputs = answer.outputs.mapValues { ExpectedTensor($0) }
    golden.gradients = answer.gradients.mapValues { ExpectedTensor($0) }
    return VerificationCase(file: "one sign", oracle: .float64, golden: golden)
  }

  private static func positive(_ tensor: AnyTensor) -> AnyTensor { .float32(tensor.doubles.map { abs(Float($0)) }) }

  @Test(arguments: ["reference", "direct", "im2col", "winograd2", "winograd4", "winograd6"])
  func `honest engines pass`(name: String) throws {
    let engine = try #require(BuiltInEngines.all.first { $0.description.name == name })
    let result = CaseVerifier(try Self.item.get()).verify(engine, dtype: .float32)
    #expect(result.status == .pass, "\(result.message)")
    #expect(result.tensors.count == 3)
  }

  @Test func `sums in double precision pass in any order`() throws {
    let (rows, terms, columns) = (48, 4608, 32)
    let problem = try Problem.parse("linear n\(rows)c\(terms) k\(columns) nobias")
    var exercise = RandomExercise(problem: problem, roles: problem.definition.roles, fill: .random, seed: 4).exercise
    func leaning(_ tensor: AnyTensor) -> AnyTensor { .float32(tensor.doubles.map { Float($0) + 0.15 }) }
    exercise.inputs = exercise.inputs.mapValues(leaning)
    exercise.parameters = exercise.parameters.mapValues(leaning)
    exercise.upstream = [:]
    let x = try #require(exercise.inputs["x"]).doubles.elements
    let weight = try #require(exercise.parameters["weight"]).doubles.elements
    /// By halves, where the reference adds term by term.
    func sum(_ row: Int, _ column: Int, _ range: Range<Int>) -> Double {
      let first = range.lowerBound
      guard range.count > 1 else { return x[row * terms + first] * weight[column * terms + first] }
      let middle = (range.lowerBound + range.upperBound) / 2
      return sum(row, column, range.lowerBound..<middle) + sum(row, column, middle..<range.upperBound)
    }
    let y = (0..<rows).flatMap { row in (0..<columns).map { sum(row, $0, 0..<terms) } }
    var golden = GoldenCase(exercise, fill: .random)
    golden.outputs["y"] = ExpectedTensor(.float64(Tensor(shape: Shape(rows, columns), elements: y)))
    let item = VerificationCase(file: "by halves", oracle: .float64, golden: golden)
    let result = CaseVerifier(item).verify(ReferenceEngine(), dtype: .float64)
    #expect(result.status == .pass, "\(result.message)")
    #expect(result.tensors.map(\.path) == ["outputs/y"])
  }
}
