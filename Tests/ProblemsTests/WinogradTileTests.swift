import Problems
import Testing

/// Points that engines declare: which are taken, and what they make.
@Suite struct WinogradTileTests {
  @Test(arguments: WinogradPreset.allCases, [2, 4, 6]) func `the matrices of a preset filter`(
    preset: WinogradPreset, outputs: Int
  ) throws {
    let tile = try WinogradTile(outputTile: outputs, preset: preset)
    #expect(tile.points.count == outputs + 1)
    expectFiltering(tile)
  }

  @Test(arguments: [(2, 2), (3, 3), (2, 5), (4, 5), (1, 3), (6, 2)]) func `tiles of other shapes filter`(
    outputs: Int, taps: Int
  ) throws { expectFiltering(try WinogradTile(outputTile: outputs, kernelSize: taps, preset: .textbook)) }

  /// Σⱼ Aᵀ[i][j]·G[j][k]·Bᵀ[j][l] = 1 where l = i + k, else 0.
  private func expectFiltering(_ tile: WinogradTile) {
    let matrices = tile.matrices
    for i in 0..<tile.outputTile {
      for k in 0..<tile.kernelSize {
        for l in 0..<tile.inputTile {
          let sum = (0..<tile.inputTile).reduce(0) {
            $0 + matrices.outputTransform[i][$1] * matrices.weightTransform[$1][k] * matrices.inputTransform[$1][l]
          }
          #expect(abs(sum - (l == i + k ? 1 : 0)) < 1e-12, "\(tile): \(i) \(k) \(l)")
        }
      }
    }
  }

  @Test func `doubles and fractions make the same matrices`() throws {
    for outputs in [2, 4, 6] {
      let exact = try #require(WinogradMatrices.chosen(outputTile: outputs))
      let found = try WinogradTile(outputTile: outputs, preset: .assay).matrices
      func expectSame(_ exact: [[Rational]], _ found: [[Double]]) {
        for (exact, found) in zip(exact.joined(), found.joined()) { #expect(abs(exact.doubleValue - found) < 1e-13) }
      }
      expectSame(exact.outputTransform, found.outputTransform)
      expectSame(exact.weightTransform, found.weightTransform)
      expectSame(exact.inputTransform, found.inputTransform)
    }
  }

  /// By the formula in its comment, worked out apart from this program.
  @Test func `how much wider than a direct sum`() throws {
    func widening(_ outputs: Int, _ preset: WinogradPreset) throws -> Double {
      try WinogradTile(outputTile: outputs, preset: preset).widening
    }
    #expect(try widening(2, .assay) < 1)
    #expect(abs(try widening(4, .textbook) - 10.48) < 0.01)
    #expect(abs(try widening(4, .assay) - 2.73) < 0.01)
    #expect(abs(try widening(4, .ncnn) - 2.375) < 0.001)
    #expect(abs(try widening(6, .ncnn) - 15.42) < 0.01)
  }

  @Test func `points that cannot serve are refused`() {
    func refusal(_ outputs: Int, _ taps: Int, _ points: [Double]) -> WinogradTileError? {
      do throws(WinogradTileError) {
        _ = try WinogradTile(outputTile: outputs, kernelSize: taps, points: points)
        return nil
      } catch { return error }
    }
    #expect(refusal(4, 3, [0, 1, -1, 0.5, -2]) == nil)
    #expect(refusal(4, 3, [0, 1, -1, 0.5.squareRoot(), -2.0.squareRoot()]) == nil)
    #expect(refusal(4, 3, [0, 1, -1, 2]) == .wrongPointCount(tile: "4x3", expected: 5, found: 4))
    #expect(refusal(4, 3, [0, 1, -1, 2, 1]) == .equalPoints(tile: "4x3", 1))
    #expect(refusal(2, 3, [0, 1, 9]) == .pointOutOfRange(tile: "2x3", 9))
    #expect(refusal(2, 3, [0, 1, 0.1]) == .pointOutOfRange(tile: "2x3", 0.1))
    #expect(refusal(2, 3, [0, 1, .infinity]) == .pointOutOfRange(tile: "2x3", .infinity))
    #expect(refusal(2, 3, [0, 1, .nan])?.description.contains("found nan") == true)
    #expect(refusal(0, 3, [0]) == .impossibleSize(tile: "0x3"))
    #expect(refusal(40, 3, []) == .impossibleSize(tile: "40x3"))
    guard case .tooWide(tile: "6x3", let widening)? = refusal(6, 3, [0, 1, -1, 2, -2, 3, -3]) else {
      Issue.record("0, ±1, ±2, ±3 are taken")
      return
    }
    #expect(widening > 1000)
  }

  @Test(arguments: [
    ("direct", "direct"), ("winograd4", "winograd 4x3 (assay)"), ("winograd6:ncnn", "winograd 6x3 (ncnn)"),
    ("winograd2x5:textbook", "winograd 2x5 (textbook)"), ("winograd2:0,1,-1.0", "winograd 2x3 (0.0, 1.0, -1.0)"),
    ("strassen2", "strassen 2"),
  ])
  func `as a person names it`(text: String, meaning: String) throws {
    #expect(try SumAlgorithm(text: text).description == meaning)
  }

  @Test(arguments: [
    ("", "expected direct, winograd4"), ("fft", "found 'fft'"), ("strassen3", "at most 2"), ("strassen", "strassen1"),
    ("winograd", "found 'winograd'"), ("winograd4x", "found 'winograd4x'"),
    ("winograd4:fast", "expected points or one of"),
    ("winograd5", "the preset assay has no points for it"), ("winograd4:0,1,", "expected points or one of"),
    ("winograd4:0,1,2", "expected m + r − 2 = 5 finite points, found 3"),
  ])
  func `what names nothing is refused`(text: String, message: String) {
    let error = #expect(throws: SumAlgorithmError.self) { try SumAlgorithm(text: text) }
    #expect(error?.description.contains(message) == true, "\(String(describing: error))")
  }
}
