import Operations
import Problems
import Tensors
import Testing

/// Operands that show what random values hide: what each pattern promises of its values.
@Suite struct OperandPatternTests {
  private static let shape = Shape(3, 8, 5, 7)

  private static func draws(_ shape: Shape = shape, seed: UInt64 = 5) -> Tensor<Double> {
    Tensor<Float>(splitMix64Uniform: shape, seed: seed, low: -1, high: 1).map { Double($0) }
  }

  @Test(arguments: OperandPattern.allCases, OperandPattern.Part.allCases)
  func `values are float32, and the draw's bounds are no exception`(
    pattern: OperandPattern, part: OperandPattern.Part
  ) {
    var draws = Self.draws()
    draws.elements.replaceSubrange(0..<5, with: [-1, 1, 0, 0x1p-23, 1 - 0x1p-23])
    let values = pattern.values(draws, of: part, terms: 500)
    #expect(values.shape == draws.shape)
    #expect(values.elements.allSatisfy { $0.isFinite && Double(Float($0)) == $0 })
    #expect(Set(values.elements).count > values.count / 3, "values differ")
  }

  @Test func `half of the values are zero, the rest near 1 with either sign`() {
    let values = OperandPattern.zerosMixedIn.values(Self.draws(), of: .input, terms: 9).elements
    let zeros = values.count { $0 == 0 }
    // Half of 840, four standard deviations of √210 either way.
    #expect(abs(zeros - values.count / 2) < 60)
    let rest = values.filter { $0 != 0 }
    #expect(rest.allSatisfy { (0.5...1).contains(abs($0)) } && rest.contains { $0 < 0 } && rest.contains { $0 > 0 })
  }

  @Test func `exponents are spread evenly, with either sign`() {
    let values = OperandPattern.wideRange.values(Self.draws(Shape(29_000)), of: .parameter, terms: 9).elements
    for exponent in -14...14 {
      // A thousand of each, five standard deviations either way.
      #expect((840...1160).contains(values.count { $0.exponent == exponent }), "\(exponent)")
    }
    #expect(values.allSatisfy { abs($0) < 0x1p15 } && values.contains { $0 < 0 })
  }

  /// Both orders of a weight's axes, and a cotangent: which elements are not small.
  @Test func `each sum begins with its large term`() {
    func large(_ shape: Shape, _ part: OperandPattern.Part) -> [[Int]] {
      let values = OperandPattern.smallOntoLarge.values(Self.draws(shape), of: part, terms: 9)
      #expect(values.elements.allSatisfy { $0 > 0 && $0 < 2 })
      return values.elements.indices.filter { values.elements[$0] >= 1 }.map { shape.index(ofOffset: $0) }
    }
    #expect(large(Shape(2, 3, 2, 2), .parameter) == [[0, 0, 0, 0], [0, 1, 0, 0], [0, 2, 0, 0], [1, 0, 0, 0]])
    #expect(large(Shape(3, 2), .parameter) == [[0, 0], [0, 1], [1, 0], [2, 0]])
    #expect(large(Shape(2, 2, 2, 2), .cotangent) == [[0, 0, 0, 0], [0, 1, 0, 0]])
    #expect(large(Shape(2, 3), .cotangent) == [[0, 0], [0, 1], [0, 2]])
    #expect(large(Shape(4), .parameter).count == 4)
    #expect(large(Self.shape, .input).count == Self.shape.count)
  }

  /// F(6×6), the largest tile that is built in, over our points and those of other libraries.
  private static let tiles = WinogradPreset.allCases.compactMap { try? WinogradTile(outputTile: 6, preset: $0) }

  /// No sum of magnitudes between operands and results overflows.
  @Test(arguments: tiles, [1, 9, 500, 4608, 100_000])
  func `intermediate results of Winograd's algorithm stay finite`(tile: WinogradTile, terms: Int) {
    func sum(_ values: some Sequence<Double>) -> Double { values.reduce(0) { $0 + abs($1) } }
    func columns(_ matrix: [[Double]]) -> [[Double]] { matrix[0].indices.map { j in matrix.map { $0[j] } } }
    /// The largest that a transform makes of what two others made of ones.
    func growth(_ last: [[Double]], _ first: [[Double]], _ second: [[Double]]) -> Double {
      last.map { row in sum(row.indices.map { row[$0] * sum(first[$0]) * sum(second[$0]) }) }.max() ?? .infinity
    }
    let matrices = tile.matrices
    let forward = growth(matrices.outputTransform, matrices.weightTransform, matrices.inputTransform)
    let gradient = growth(
      columns(matrices.weightTransform), columns(matrices.outputTransform), matrices.inputTransform)
    let largest = OperandPattern.largestValue(terms: terms)
    let products = Double(terms) * largest * largest
    #expect(products <= 0x1p116 && products > 0x1p113)
    for (growth, share) in [(forward, 9.0), (gradient, 36)] {
      #expect(products / share * growth * growth < Double(Float.greatestFiniteMagnitude))
    }
  }

  @Test func `the longest sum is that of the pass with the fewest results`() throws {
    for (text, terms) in [
      ("conv2d n2c3h8w9 k4r3s3 stride1 pad1", 144), ("conv2d n1c64h5w6 k4r3s3 stride1 pad1", 576),
      ("linear n3c520 k5", 520), ("linear n64c10 k2", 64), ("relu n1c1h2w3", 1),
      ("conv2d n0c3h8w9 k4r3s3 stride1 pad1", 1),
    ] {
      #expect(try Problem.parse(text).longestSum == terms, "\(text)")
    }
  }
}
