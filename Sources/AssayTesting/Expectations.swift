// What a test that imports this module works with.
@_exported import Engines
import Foundation
import GoldenFiles
@_exported import GradientChecking
@_exported import Operations
@_exported import Problems
import Results
@_exported import Tensors
import Verification

/// A kernel's answer is wrong. The description names the tensor, the worst element with what was got, expected and allowed,
/// which elements are wrong, and how to repeat it; Swift Testing and XCTest print it when a test throws it.
public struct Mismatch: Error, Sendable, CustomStringConvertible {
  public let description: String
}

/// The operands of a problem by name, row-major in float32.
public struct OperandArrays: Sendable {
  private let exercise: Exercise

  init(_ exercise: Exercise) { self.exercise = exercise }

  /// `x`, `weight`, `bias`, `running_mean`, …; empty when the problem has none of that name.
  public subscript(name: String) -> [Float] { tensor(name)?.doubles.elements.map { Float($0) } ?? [] }

  /// Class indices and other integers.
  public func integers(_ name: String) -> [Int] { tensor(name)?.integers?.elements.map { Int($0) } ?? [] }

  public func shape(_ name: String) -> [Int] { tensor(name)?.shape.dimensions ?? [] }

  private func tensor(_ name: String) -> AnyTensor? {
    exercise.inputs[name] ?? exercise.parameters[name] ?? exercise.buffers[name]
  }
}

/// Checks a forward pass with one output against the reference, element by element with an error bound for each.
///
///     @Test func convolution() throws {
///       try expectMatchesReference("conv2d n2c3h9w8 k4r3s3 stride1 pad1 bias") { operands in
///         myConvolution(operands["x"], operands["weight"], bias: operands["bias"])
///       }
///     }
///
/// The body is called with random operands, and with small integers where the operation is exact on them: the first finds
/// lost precision, the second wrong indexing.
/// - Parameters:
///   - problem: its text form, `conv2d n2c3h9w8 k4r3s3 stride1 pad1`; attributes as `assay golden list` shows them.
///   - seed: of the operands; another one, other operands.
///   - forward: returns the output's elements, row-major.
/// - Throws: ``Mismatch``; `ProblemError` for a text that is not a problem; what `forward` throws, as a ``Mismatch``.
public func expectMatchesReference(
  _ problem: String, seed: UInt64 = 1, forward: @escaping @Sendable (OperandArrays) throws -> [Float]
) throws {
  let parsed = try Problem.parse(problem)
  guard let (name, type) = parsed.outputs.filter({ $0.value.dtype != .int64 }).min(by: { $0.key < $1.key }) else {
    return
  }
  let engine = ClosureEngine(dtypes: [.float32], passes: [.forward], usesThreads: false) { exercise in
    let elements = try forward(OperandArrays(exercise))
    guard elements.count == type.shape.count else {
      throw Mismatch(description: "\(elements.count) elements, expected \(type.shape.count) (\(type.shape))")
    }
    return Answer(outputs: [name: .float32(Tensor(shape: type.shape, elements: elements))])
  }
  try expectMatchesReference(parsed, engine, [.float32], seed, only: ["outputs/\(name)"])
}

/// Checks an engine, any type of your own that conforms to `Engine`, against the reference: outputs, gradients and buffers.
/// - Parameters:
///   - problem: its text form, such as `conv2d n2c3h9w8 k4r3s3 stride1 pad1 bias`.
///   - engine: what is checked.
///   - dtypes: the precisions that it is asked in.
///   - seed: of the random operands.
/// - Throws: ``Mismatch``; `ProblemError` for a text that is not a problem.
public func expectMatchesReference(
  _ problem: String, engine: any Engine, dtypes: [DType] = [.float32], seed: UInt64 = 1
) throws {
  try expectMatchesReference(try Problem.parse(problem), engine, dtypes, seed, only: nil)
}

/// Checks an engine against a golden file, whoever made it.
/// - Parameters:
///   - path: an HDF5 file in the golden format. It is parsed in this process: it should be one of your own.
///   - filter: a glob over case names; `*` crosses slashes.
///   - engine: what is checked.
///   - dtypes: the precisions that it is asked in.
/// - Throws: ``Mismatch``, also when no case matches; `GoldenFileError` for a file that cannot be read.
public func expectMatchesGolden(
  _ path: String, filter: String = "*", engine: any Engine, dtypes: [DType] = [.float32]
) throws {
  let file = try GoldenReader(trusted: nil, probe: nil).open(path)
  let cases = file.cases.filter { NamePattern(filter).matches($0.name) }
  guard !cases.isEmpty else { throw Mismatch(description: "\(path): no case matches '\(filter)'") }
  for summary in cases {
    let golden = try file.load(summary)
    try require(VerificationCase(file: path, oracle: file.header.oracleDType, golden: golden), engine, dtypes, "")
  }
}

/// The same for a closure that computes whatever the cases ask for.
public func expectMatchesGolden(
  _ path: String, filter: String = "*", dtypes: [DType] = [.float32],
  compute: @escaping @Sendable (Exercise) throws -> Answer
) throws {
  try expectMatchesGolden(
    path, filter: filter, engine: ClosureEngine(dtypes: Set(dtypes), passes: [.forward, .backward], body: compute),
    dtypes: dtypes)
}

private func expectMatchesReference(
  _ problem: any OperationProblem, _ engine: any Engine, _ dtypes: [DType], _ seed: UInt64, only: Set<String>?
) throws {
  for fill in fills(of: problem, seed: seed) {
    let random = RandomExercise(problem: problem, roles: problem.definition.roles, fill: fill, seed: seed)
    var golden = try random.goldenCase(oracle: ReferenceEngine(), fill: fill)
    if let only {
      golden.outputs = golden.outputs.filter { only.contains("outputs/\($0.key)") }
      golden.gradients = [:]
      golden.buffersAfter = [:]
    }
    let item = VerificationCase(file: "the reference", oracle: .float64, golden: golden)
    try require(item, engine, dtypes, "\(fill.rawValue) operands, seed \(seed)")
  }
}

/// Integers are of use where the operation gives the same result in any order, and in any precision: what is made of layers
/// multiplies them until they are exact no more.
private func fills(of problem: any OperationProblem, seed: UInt64) -> [Fill] {
  let definition = problem.definition
  guard definition.layers.value == nil else { return [.random] }
  let exercise = RandomExercise(problem: problem, roles: definition.roles, fill: .exact, seed: seed).exercise
  guard let model = definition.bounds(of: definition.given(exercise), values: nil, algorithms: []),
    let single = try? ReferenceEngine().compute(exercise),
    let double = try? ReferenceEngine().compute(exercise.converted(to: .float64))
  else { return [.random] }
  let isExact = single.paths.allSatisfy { model.isExact($0) && single[$0]?.doubles == double[$0]?.doubles }
  return isExact ? [.exact, .random] : [.random]
}

private func require(_ item: VerificationCase, _ engine: any Engine, _ dtypes: [DType], _ note: String) throws {
  let verifier = CaseVerifier(item)
  for dtype in dtypes {
    let result = verifier.verify(engine, dtype: dtype)
    guard ![.pass, .refused].contains(result.status) else { continue }
    var lines = ["\(result.status.rawValue) \(result.name) (\(dtype.rawValue)): \(result.message)"]
    for tensor in result.tensors where !tensor.passes {
      guard tensor.problem.isEmpty, let worst = tensor.worst else {
        lines.append("\(tensor.path): \(tensor.problem)")
        continue
      }
      lines.append(
        "\(tensor.path)\(worst.figure.map { " (\($0))" } ?? "\(worst.index)"): got \(worst.got), expected \(worst.expected), "
          + "bound \(worst.bound), error/bound \(tensor.worstRatio); \(tensor.pattern)")
    }
    if !note.isEmpty { lines.append(note) }
    throw Mismatch(description: lines.joined(separator: "\n"))
  }
}
