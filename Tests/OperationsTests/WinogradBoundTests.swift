import Operations
import Problems
import Tensors
import Testing

/// The bound of Winograd's algorithm against its formula, written down as it stands in METHODOLOGY, element by element.
@Suite struct WinogradBoundTests {
  private typealias Matrix = [[Double]]

  @Test(arguments: [
    "conv2d n2c5h7w6 k11r3s3 stride1 pad1", "conv2d n1c9h9w9 k3r3s3 stride1 pad0",
    "conv2d n1c8h6w5 k20r3s3 stride1 pad1 groups2", "conv2d n1c4h5w5 k4r3s3 stride1 pad1 groups4",
  ])
  func `every output has the formula's bound`(text: String) throws {
    let problem = try #require(try Problem.parse(text) as? Conv2dProblem)
    var random = SplitMix64(seed: 5)
    func values(_ count: Int) -> [Double] { (0..<count).map { _ in Double.random(in: -1...2, using: &random) } }
    let (x, weight) = (values(problem.inputShape.count), values(problem.weightShape.count))
    let applying = try tiles.filter { $0.applies(to: problem) }
    #expect(!applying.isEmpty)
    for tile in applying {
      for loops in OracleLoops.available {
        var bound = try #require(WinogradBound(problem: problem, tile: tile))
        bound.loops = loops
        let found = bound.forward(input: x, weight: weight)
        let (statistical, rigorous) = formula(problem, tile, x, weight)
        for i in statistical.indices {
          // The formula adds its terms in another order.
          #expect(abs(found.statistical[i] - statistical[i]) <= 1e-10 * statistical[i], "\(tile) \(loops) \(i)")
          #expect(abs(found.rigorous[i] - rigorous[i]) <= 1e-10 * rigorous[i], "\(tile) \(loops) \(i)")
        }
      }
    }
  }

  @Test func `every compilation of the loops gives the same bits`() throws {
    let problem = try #require(
      try Problem.parse("conv2d n2c18h8w8 k24r3s3 stride1 pad1") as? Conv2dProblem)
    var random = SplitMix64(seed: 6)
    func values(_ count: Int) -> [Double] { (0..<count).map { _ in Double.random(in: -1...1, using: &random) } }
    let (x, weight) = (values(problem.inputShape.count), values(problem.weightShape.count))
    let dOutput = values(problem.outputShape.count)
    for tile in try tiles {
      var bound = try #require(WinogradBound(problem: problem, tile: tile))
      let all = OracleLoops.available.map { loops in
        bound.loops = loops
        return [
          bound.forward(input: x, weight: weight), bound.backwardData(dOutput: dOutput, weight: weight),
          bound.backwardWeights(input: x, dOutput: dOutput),
        ].flatMap { $0.statistical + $0.rigorous }
      }
      #expect(all[0].allSatisfy { $0 > 0 && $0.isFinite })
      for other in all { #expect(other == all[0]) }
    }
  }

  private var tiles: [WinogradTile] {
    get throws {
      [
        try WinogradTile(outputTile: 2, preset: .assay), try WinogradTile(outputTile: 4, preset: .assay),
        try WinogradTile(outputTile: 6, preset: .assay), try WinogradTile(outputTile: 4, preset: .lavin),
      ]
    }
  }

  /// Each element's widest bound over the places that its tile may have.
  private func formula(
    _ problem: Conv2dProblem, _ tile: WinogradTile, _ x: [Double], _ weight: [Double]
  ) -> (statistical: [Double], rigorous: [Double]) {
    let (m, taps) = (tile.outputTile, tile.kernelSize)
    let (height, width) = (problem.outputSize.height, problem.outputSize.width)
    var statistical = [Double](repeating: 0, count: problem.outputShape.count)
    var rigorous = statistical
    let shifts = tile.isOurs ? [(0, 0)] : (0..<m).flatMap { row in (0..<m).map { (row, $0) } }
    let channels = problem.inputChannels / problem.groups
    for image in 0..<problem.batch {
      for k in 0..<problem.outputChannels {
        let group = k / (problem.outputChannels / problem.groups)
        for (down, across) in shifts {
          for top in stride(from: -down, to: height, by: m) {
            for left in stride(from: -across, to: width, by: m) {
              let (filters, inputs) = (0..<channels).reduce(into: ([Matrix](), [Matrix]())) { all, c in
                all.0.append(
                  (0..<taps).map { r in (0..<taps).map { weight[((k * channels + c) * taps + r) * taps + $0] } })
                all.1.append(
                  (0..<m + taps - 1).map { r in
                    (0..<m + taps - 1).map { s in
                      let row = top + r - problem.paddingBefore.height
                      let column = left + s - problem.paddingBefore.width
                      guard (0..<problem.inputSize.height).contains(row),
                        (0..<problem.inputSize.width).contains(column)
                      else { return 0 }
                      let plane = image * problem.inputChannels + group * channels + c
                      return x[(plane * problem.inputSize.height + row) * problem.inputSize.width + column]
                    }
                  })
              }
              let bounds = formula(tile, filters, inputs)
              for i in max(0, -top)..<min(m, height - top) {
                for j in max(0, -left)..<min(m, width - left) {
                  let element = ((image * problem.outputChannels + k) * height + top + i) * width + left + j
                  statistical[element] = max(statistical[element], bounds.statistical[i][j])
                  rigorous[element] = max(rigorous[element], bounds.rigorous[i][j])
                }
              }
            }
          }
        }
      }
    }
    return (statistical, rigorous)
  }

  /// The bounds of one tile.
  private func formula(
    _ tile: WinogradTile, _ filters: [Matrix], _ inputs: [Matrix]
  ) -> (statistical: Matrix, rigorous: Matrix) {
    let (lT, f, b) = (tile.matrices.outputTransform, tile.matrices.weightTransform, tile.matrices.inputTransform)
    func isRounded(_ entry: Double, in matrix: Matrix) -> Bool {
      !tile.isOurs && abs(Double(Float(entry)) - entry) > 0x1p-40 * matrix.joined().map(abs).reduce(0, max)
    }
    func rounded(_ matrix: Matrix) -> Matrix { matrix.map { $0.map { isRounded($0, in: matrix) ? abs($0) : 0 } } }
    func any(_ matrix: Matrix) -> Double { matrix.joined().contains { $0 != 0 } ? 1 : 0 }
    let n = f.count
    let zero = Matrix(repeating: Array(repeating: 0, count: n), count: n)
    var (product, squares, variance, magnitude, lost) = (zero, zero, zero, zero, zero)
    let (lossOfF, lossOfB) = (loss(f), loss(b))
    for (filter, input) in zip(filters, inputs) {
      let (fHat, vHat) = (times(f, filter, f), times(b, input, b))
      let (fMagnitude, vMagnitude) = (
        times(magnitudes(f), magnitudes(filter), magnitudes(f)), times(magnitudes(b), magnitudes(input), magnitudes(b))
      )
      let fConstants = plus(
        times(rounded(f), magnitudes(filter), magnitudes(f)), times(magnitudes(f), magnitudes(filter), rounded(f)))
      let vConstants = plus(
        times(rounded(b), magnitudes(input), magnitudes(b)), times(magnitudes(b), magnitudes(input), rounded(b)))
      for i in 0..<n {
        for j in 0..<n {
          product[i][j] += fHat[i][j] * vHat[i][j]
          squares[i][j] += fHat[i][j] * fHat[i][j] * vHat[i][j] * vHat[i][j]
          variance[i][j] +=
            (fMagnitude[i][j] * fMagnitude[i][j] + fConstants[i][j] * fConstants[i][j]) * vHat[i][j] * vHat[i][j]
            + (vMagnitude[i][j] * vMagnitude[i][j] + vConstants[i][j] * vConstants[i][j]) * fHat[i][j] * fHat[i][j]
          magnitude[i][j] += fMagnitude[i][j] * vMagnitude[i][j]
          lost[i][j] +=
            1 + 0x1p-150 * lossOfF[i][j] * lossOfB[i][j] + lossOfF[i][j] * vMagnitude[i][j]
            + fMagnitude[i][j] * lossOfB[i][j]
        }
      }
    }
    let c = Double(filters.count)
    let passes = 2 * any(rounded(f)) + 2 * any(rounded(b))
    for i in 0..<n {
      for j in 0..<n {
        let whole = product[i][j] * product[i][j]
        variance[i][j] += max(c * squares[i][j], (c + 1) * (squares[i][j] + 2 * whole) / 6) + passes * whole
      }
    }
    let l2 = squared(lT)
    let t2 = squared(multiply(lT, product))
    let lRounded = squared(rounded(lT))
    let points = Double(n)
    let value = times(lT, product, lT)
    let spread = plus(
      times(l2, variance, l2), scaled(points, plus(times(l2, squared(product), l2), multiply(t2, transposed(l2)))),
      times(lRounded, squared(product), l2), multiply(t2, transposed(lRounded)))
    let u = 0x1p-24
    let k = c + 2 * Double(tile.kernelSize + 2) + 2 * Double(n + 2) + 2 * Double(n + 2)
    let magnitudeOfOutput = times(magnitudes(lT), magnitude, magnitudes(lT))
    let lostOfOutput = times(magnitudes(lT), lost, magnitudes(lT))
    let last = points * (1 + (lT.map { $0.map(abs).reduce(0, +) }.max() ?? 0))
    let underflow = lostOfOutput.map { $0.map { 0x1p-150 * ($0 + last) } }
    return (
      value.indices.map { i in
        value.indices.map { 8 * u * spread[i][$0].squareRoot() + u * abs(value[i][$0]) + underflow[i][$0] }
      },
      value.indices.map { i in
        value.indices.map { k * u / (1 - k * u) * magnitudeOfOutput[i][$0] + underflow[i][$0] }
      }
    )
  }

  /// What two passes lose by underflow, in units of 2⁻¹⁵⁰: one for each term, and in the second the first one's, magnified.
  private func loss(_ matrix: Matrix) -> Matrix {
    matrix.indices.map { _ in
      matrix.map { Double(matrix[0].count) * (1 + $0.map(abs).reduce(0, +)) }
    }
  }

  private func multiply(_ a: Matrix, _ b: Matrix) -> Matrix {
    a.map { row in b[0].indices.map { j in b.indices.reduce(0) { $0 + row[$1] * b[$1][j] } } }
  }
  private func transposed(_ a: Matrix) -> Matrix { a[0].indices.map { j in a.map { $0[j] } } }
  private func times(_ a: Matrix, _ middle: Matrix, _ b: Matrix) -> Matrix {
    multiply(multiply(a, middle), transposed(b))
  }
  private func magnitudes(_ a: Matrix) -> Matrix { a.map { $0.map(abs) } }
  private func squared(_ a: Matrix) -> Matrix { a.map { $0.map { $0 * $0 } } }
  private func scaled(_ factor: Double, _ a: Matrix) -> Matrix { a.map { $0.map { factor * $0 } } }
  private func plus(_ all: Matrix...) -> Matrix {
    all[0].indices.map { i in all[0][i].indices.map { j in all.reduce(0) { $0 + $1[i][j] } } }
  }
}
