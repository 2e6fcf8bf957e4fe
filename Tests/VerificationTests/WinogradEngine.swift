import Engines
import Operations
import Problems
import Tensors

/// Winograd's F(m×m, r×r) in float32 as somebody else has it: any points, constants rounded to float32, weights transformed in
/// float32, any groups, and tiles that begin where they like.
struct WinogradEngine: Engine {
  let tile: WinogradTile
  var description: EngineDescription
  /// How far ahead of the first output the first tile begins.
  var shift = 0
  /// What happens to each operand before it is used.
  var narrowing: @Sendable (Float) -> Float = { $0 }

  /// - Parameter declared: what it says of itself; nothing where it is `nil`.
  init(_ tile: WinogradTile, declared: WinogradTile?) {
    self.tile = tile
    description = EngineDescription(
      name: "foreign", version: "1", operations: [Conv2dProblem.operation], dtypes: [.float32], passes: [.forward],
      algorithms: declared.map { [Conv2dProblem.operation: OperationAlgorithm([.terms, .winograd($0)])] } ?? [:])
  }

  func prepare(_ exercise: Exercise, for timing: TimingRequest) throws(EngineError) -> any PreparedOperation {
    throw .unsupported("never timed")
  }

  func compute(_ exercise: Exercise) throws(EngineError) -> Answer {
    do throws(ProblemError) {
      guard let problem = try exercise.problem() as? Conv2dProblem else { return Answer() }
      let given = Given<Float>(exercise, problem.operands)
      var answer = Answer()
      answer.outputs["y"] = .float32(Tensor(shape: problem.outputShape, elements: forward(problem, given)))
      return answer
    } catch { throw EngineError(error) }
  }

  /// A matrix of constants in float32.
  private struct Matrix {
    let rows: [[Float]]

    init(_ matrix: [[Double]]) { rows = matrix.map { $0.map { Float($0) } } }

    /// self · middle · selfᵀ, term by term.
    func sandwich(_ middle: [[Float]]) -> [[Float]] {
      let half = rows.map { row in
        middle[0].indices.map { j in row.indices.reduce(Float(0)) { $0 + row[$1] * middle[$1][j] } }
      }
      return half.map { row in rows.map { column in row.indices.reduce(Float(0)) { $0 + row[$1] * column[$1] } } }
    }
  }

  private func forward(_ problem: Conv2dProblem, _ given: Given<Float>) -> [Float] {
    let matrices = tile.matrices
    let (output, filter, input) = (
      Matrix(matrices.outputTransform), Matrix(matrices.weightTransform), Matrix(matrices.inputTransform)
    )
    let x = given["x"].elements.map(narrowing)
    let weight = (given.operands["weight"]?.elements ?? []).map(narrowing)
    let bias = given.operands["bias"]?.elements
    let (size, extent, taps) = (problem.inputSize, problem.outputSize, tile.kernelSize)
    let (channels, count) = (problem.inputChannels / problem.groups, problem.outputChannels / problem.groups)
    let before = problem.paddingBefore
    var y = [Float](repeating: 0, count: problem.outputShape.count)
    let filters = (0..<problem.outputChannels).map { k in
      (0..<channels).map { c in
        filter.sandwich(
          (0..<taps).map { r in
            let first = ((k * channels + c) * taps + r) * taps
            return Array(weight[first..<first + taps])
          })
      }
    }
    func value(_ image: Int, _ channel: Int, _ row: Int, _ column: Int) -> Float {
      guard (0..<size.height).contains(row), (0..<size.width).contains(column) else { return 0 }
      return x[((image * problem.inputChannels + channel) * size.height + row) * size.width + column]
    }
    for image in 0..<problem.batch {
      for top in stride(from: -shift, to: extent.height, by: tile.outputTile) {
        for left in stride(from: -shift, to: extent.width, by: tile.outputTile) {
          let inputs = (0..<problem.inputChannels).map { channel in
            input.sandwich(
              (0..<tile.inputTile).map { i in
                (0..<tile.inputTile).map {
                  value(image, channel, top - before.height + i, left - before.width + $0)
                }
              })
          }
          for k in 0..<problem.outputChannels {
            let first = k / count * channels
            let sums = (0..<tile.inputTile).map { i in
              (0..<tile.inputTile).map { j in
                (0..<channels).reduce(Float(0)) { $0 + filters[k][$1][i][j] * inputs[first + $1][i][j] }
              }
            }
            let result = output.sandwich(sums)
            for i in 0..<tile.outputTile where (0..<extent.height).contains(top + i) {
              for j in 0..<tile.outputTile where (0..<extent.width).contains(left + j) {
                let place = ((image * problem.outputChannels + k) * extent.height + top + i) * extent.width + left + j
                y[place] = result[i][j] + (bias?[k] ?? 0)
              }
            }
          }
        }
      }
    }
    return y
  }
}

extension Float {
  /// Rounded to the 11 significant bits of TF32, ties to even.
  var tf32: Float {
    let bits = bitPattern
    let rounded = bits &+ 0xFFF &+ (bits >> 13 & 1)
    return Float(bitPattern: rounded & ~0x1FFF)
  }
}
