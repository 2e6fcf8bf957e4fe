import Problems
import Operations
import Testing

/// The coordinate map, against what PyTorch 2.15 reads (`torch.nn.functional.interpolate` of 0, 1, 2, …).
@Suite struct UpsamplingAxisTests {
  struct Row {
    var inputs: Int
    var target: Upsample2dProblem.Target
    var nearest: [Int]
    var bilinear: [Double]
  }

  private static func factor(_ value: Double) -> Upsample2dProblem.Target { .scaleFactor(height: value, width: 1) }

  static let rows = [
    // Kept: copied.
    Row(inputs: 3, target: factor(1.2), nearest: [0, 1, 2], bilinear: [0, 1, 2]),
    // Doubled by another factor than 2: nearest follows no formula, bilinear does.
    Row(
      inputs: 4, target: factor(2.1), nearest: [0, 0, 1, 1, 2, 2, 3, 3],
      bilinear: [0, 0.21428572, 0.69047618, 1.1666666, 1.6428572, 2.1190476, 2.5952382, 3]),
    Row(
      inputs: 5, target: factor(1.3), nearest: [0, 0, 1, 2, 3, 3],
      bilinear: [0, 0.65384615, 1.4230770, 2.1923077, 2.9615386, 3.7307694]),
    Row(
      inputs: 7, target: factor(0.6), nearest: [0, 1, 3, 5],
      bilinear: [0.33333331, 2, 3.6666665, 5.333333]),
    Row(
      inputs: 3, target: .size(Pair(8, 1)), nearest: [0, 0, 0, 1, 1, 1, 2, 2],
      bilinear: [0, 0.0625, 0.4375, 0.8125, 1.1875, 1.5625, 1.9375, 2]),
  ]

  private static func axis(
    _ inputs: Int, _ target: Upsample2dProblem.Target, _ mode: Upsample2dProblem.Mode, alignCorners: Bool = false
  ) throws -> UpsamplingAxis {
    UpsamplingAxis.both(
      of: try Upsample2dProblem(inputShape: [1, 1, inputs, 1], mode: mode, target: target, alignCorners: alignCorners)
    ).rows
  }

  @Test(arguments: rows.indices) func sources(row: Int) throws {
    let row = Self.rows[row]
    #expect(try Self.axis(row.inputs, row.target, .nearest).sources.map(\.index) == row.nearest)
    let bilinear = try Self.axis(row.inputs, row.target, .bilinear).sources
    for (source, expected) in zip(bilinear, row.bilinear) {
      let found = Double(source.index) + source.fraction * Double(source.next - source.index)
      // PyTorch's float32 coordinates, printed to eight digits.
      #expect(abs(found - expected) < 1e-6)
    }
    #expect(bilinear.count == row.bilinear.count)
  }

  @Test func `a kept axis has weights of one and zero`() throws {
    for mode in Upsample2dProblem.Mode.allCases {
      for inputs in 1...20 {
        let axis = try Self.axis(inputs, Self.factor(1 + 0.9 / Double(inputs)), mode)
        #expect(axis.isKept)
        #expect(axis.sources.map(\.index) == Array(0..<inputs))
        #expect(axis.sources.allSatisfy { $0.fraction == 0 })
      }
    }
  }

  /// ⌊41·(2/82)⌋ is 1, but not with a step of 24 bits.
  @Test func `the step of nearest neighbour is in single precision`() throws {
    let axis = try Self.axis(2, .size(Pair(82, 1)), .nearest)
    #expect(axis.sources.map(\.index) == (0..<82).map { $0 <= 41 ? 0 : 1 })
  }
}
