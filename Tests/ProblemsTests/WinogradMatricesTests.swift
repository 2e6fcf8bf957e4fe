import Problems
import Testing

@Suite("Winograd matrices")
struct WinogradMatricesTests {
  @Test(
    "The chosen matrices fulfil the identity exactly and are exact in float32", arguments: [2, 4, 6])
  func chosen(tile: Int) throws {
    let matrices = try #require(WinogradMatrices.chosen(outputTile: tile))
    #expect(matrices.satisfiesIdentity)
    #expect(matrices.hasExactRuntimeTransforms)
    #expect(matrices.outputTransform.count == tile)
    #expect(matrices.inputTransform.count == tile + 2)
    #expect(matrices.weightTransform.count == tile + 2)
    #expect(try WinogradMatrices(outputTile: tile, points: matrices.points) == matrices)
  }

  @Test("Points that cannot serve are refused")
  func refusals() {
    #expect(throws: WinogradMatricesError.equalPoints(.one)) {
      try WinogradMatrices(outputTile: 2, points: [.zero, .one, Rational(2, 2)])
    }
    #expect(throws: WinogradMatricesError.wrongPointCount(expected: 3, found: 2)) {
      try WinogradMatrices(outputTile: 2, points: [.zero, .one])
    }
    #expect(throws: WinogradMatricesError.impossibleSize(outputTile: 0, kernelSize: 3)) {
      try WinogradMatrices(outputTile: 0, points: [])
    }
    let huge = [Rational(Int.max), Rational(Int.max - 1), Rational(1, Int.max), .undefined]
    for point in huge {
      #expect(throws: WinogradMatricesError.self) {
        try WinogradMatrices(outputTile: 4, points: [.zero, .one, Rational(-1), Rational(2), point])
      }
    }
  }

  @Test("A wrong sign in any entry of any matrix is no Winograd algorithm", arguments: [2, 4, 6])
  func identityRejects(tile: Int) throws {
    let matrices = try #require(WinogradMatrices.chosen(outputTile: tile))
    let right = [matrices.outputTransform, matrices.weightTransform, matrices.inputTransform]
    for which in 0..<3 {
      for (i, row) in right[which].enumerated() {
        for (j, entry) in row.enumerated() where entry != .zero {
          var wrong = right
          wrong[which][i][j] = -entry
          #expect(!WinogradMatrices.isFiltering(output: wrong[0], weight: wrong[1], input: wrong[2]))
        }
      }
    }
  }

  @Test("Fractions are reduced, and what does not fit is undefined")
  func rational() {
    #expect(Rational(6, -4) == Rational(-3, 2))
    #expect((Rational(1, 3) + Rational(1, 6)).description == "1/2")
    #expect((Rational(1) / Rational(0)).isDefined == false)
    #expect(Rational.undefined != Rational.undefined)
    let big = Rational(Int.max) * Rational(Int.max)
    #expect(!(big * big).isDefined)
    #expect(!(big + Rational(1, 3) * Rational(1, Int.max)).isDefined)
    #expect(Rational(1, 3).isExactFloat == false)
    #expect(Rational(225, 256).isExactFloat)
  }
}
