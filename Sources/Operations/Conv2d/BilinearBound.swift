import OracleLoopsPortable

/// Error bounds of Y = Lᵀ[Σ_c (F f_c Fᵀ) ∘ (B d_c Bᵀ)]L in float32, for one output tile: what Winograd's forward pass and both
/// its gradients are made of.
///
/// With f̂ = F f Fᵀ, v̂ = B d Bᵀ, u = 2⁻²⁴ and |·| elementwise:
/// - statistical: `λ·u·sqrt(L∘²ᵀ·V·L∘² + W) + u·|y|`, with M = Σ_c f̂∘v̂ and
///   `V = Σ_c [((|F||f||Fᵀ|)∘|v̂|)² + (|f̂|∘(|B||d||Bᵀ|))²] + max(C·S, (C + 1)·(S + 2M∘²)/6)`, `S = Σ_c (f̂∘v̂)²`. The last part is
///   the rounding of M. Of C terms t in an order that has nothing to do with their values the sum of k has the mean square
///   k·(C − k)/(C·(C − 1))·(Σt² − (Σt)²/C) + (k/C)²·(Σt)². Over all k these are the second figure of the max, which is that of terms
///   of one sign; the first is more where they are of either. W is the inverse transform's own rounding, with T = LᵀM. Its sums
///   have n terms, so few that the first figure stands for both (of n = 8 equal terms the second is 3.2 times as much, and its
///   root 1.8 of λ = 8): `W = n·(L∘²ᵀ·M∘²)·L∘² + n·T∘²·L∘²`.
/// - rigorous: `γ·|L|ᵀ(Σ_c |F||f||Fᵀ| ∘ |B||d||Bᵀ|)|L|` with γ = k·u/(1 − k·u), k = C + 2(p + 2) + 2(q + 2) + 2(n + 2): each of the
///   three transforms is two passes of sums of p, q and n products, and each entry of a matrix may itself be rounded. For
///   underflow a pass adds its number of terms times 2⁻¹⁵⁰ (half the smallest denormal), which the next one magnifies.
/// - constants that float32 does not hold add one rounding each to the statistical bound. With F° for F's entries of that
///   kind and 0 elsewhere, a transformed filter is off by another `|F°||f||Fᵀ| + |F||f||F°ᵀ|`, whose square V gets, times v̂²;
///   the same for B. Each of these four passes rounds alike for every c, so that errors of a common sign add up to u·|M|: V
///   gets M² for each pass that has such constants. W gets `(L°∘²ᵀ·M∘²)·L∘² + T∘²·L°∘²`.
/// The transforms may be evaluated in any order or factored form whose factors do not cancel (even and odd parts do not).
struct BilinearBound {
  /// Row-major doubles.
  struct Matrix {
    let rows: Int
    let columns: Int
    var elements: [Double]

    init(_ rows: Int, _ columns: Int, _ elements: [Double]) {
      self.rows = rows
      self.columns = columns
      self.elements = elements
    }

    init(_ rows: [[Double]]) {
      self.init(rows.count, rows.first?.count ?? 0, rows.flatMap { $0 })
    }

    /// The entries that float32 does not hold, 0 in place of the others. What is left of an entry by cancellation in double
    /// precision counts as held.
    var rounded: Matrix {
      let negligible = 0x1p-40 * (elements.map(abs).max() ?? 0)
      return map { abs(Double(Float($0)) - $0) > negligible ? $0 : 0 }
    }

    var isZero: Bool { elements.allSatisfy { $0 == 0 } }

    var transposed: Matrix {
      Matrix(columns, rows, (0..<rows * columns).map { elements[$0 % rows * columns + $0 / rows] })
    }

    func map(_ body: (Double) -> Double) -> Matrix { Matrix(rows, columns, elements.map(body)) }

    /// Σ|entries| of each row.
    var rowSums: [Double] {
      (0..<rows).map { row in elements[row * columns..<(row + 1) * columns].reduce(0) { $0 + abs($1) } }
    }
  }

  typealias Lane = SIMD8<Double>

  /// Eight filters' transformed tiles, one in each lane.
  struct Filters {
    /// f̂, |F||f||Fᵀ| and the variance of f̂ in units of u², which is (|F||f||Fᵀ|)² and the like of the rounded constants:
    /// `[point][c][part]`.
    fileprivate var parts: [Lane]
    /// Σ |F||f||Fᵀ| over c: `[point]`.
    fileprivate var magnitudeSums: [Lane]
    /// How many c there are.
    fileprivate let length: Int
  }

  /// The transformed tiles that filters meet: v̂ and so on, as in ``Filters``.
  struct Inputs {
    /// `[point][tile][c][part]`.
    fileprivate var parts: [Double]
    /// `[point][tile]`.
    fileprivate var magnitudeSums: [Double]
    let tiles: Int
    fileprivate let length: Int
  }

  /// Sums over c for one tile and eight filters; n·n values each.
  private struct Sums {
    /// Σ f̂∘v̂.
    var product: [Lane]
    /// V.
    var variance: [Lane]
    /// Σ |F||f||Fᵀ| ∘ |B||d||Bᵀ|.
    var magnitude: [Lane]
    /// What underflow of the transforms makes of the products, in units of 2⁻¹⁵⁰.
    var underflow: [Lane]

    init(points: Int) {
      product = Array(repeating: .zero, count: points)
      (variance, magnitude, underflow) = (product, product, product)
    }
  }

  /// Lᵀ (outputs × n).
  let output: Matrix
  /// F (n × p), applied to the operand that is called the filter.
  let filter: Matrix
  /// B (n × q).
  let input: Matrix
  private let outputSquared: Matrix
  private let outputMagnitude: Matrix
  private let filterMagnitude: Matrix
  private let inputMagnitude: Matrix
  private let outputRounded: Matrix
  private let filterRounded: Matrix
  private let inputRounded: Matrix
  /// How many of the passes of both operands' transforms have constants that are rounded.
  private let roundedPasses: Double
  private let loops: OracleLoops
  private let filterUnderflow: [Double]
  private let inputUnderflow: [Double]

  static let unitRoundoff = 0x1p-24

  /// - Parameters:
  ///   - roundsConstants: whether entries of the matrices may have been rounded to float32.
  ///   - loops: all of which give the same bits.
  init(output: Matrix, filter: Matrix, input: Matrix, roundsConstants: Bool, loops: OracleLoops) {
    self.loops = loops
    func rounded(_ matrix: Matrix) -> Matrix { roundsConstants ? matrix.rounded : matrix.map { _ in 0 } }
    outputRounded = rounded(output).map { $0 * $0 }
    filterRounded = rounded(filter).map(abs)
    inputRounded = rounded(input).map(abs)
    roundedPasses = (filterRounded.isZero ? 0 : 2) + (inputRounded.isZero ? 0 : 2)
    self.output = output
    self.filter = filter
    self.input = input
    outputSquared = output.map { $0 * $0 }
    outputMagnitude = output.map(abs)
    filterMagnitude = filter.map(abs)
    inputMagnitude = input.map(abs)
    filterUnderflow = Self.underflow(of: filter)
    inputUnderflow = Self.underflow(of: input)
  }

  /// Units of 2⁻¹⁵⁰ that two passes over a tile add to each of its n·n values: the first pass's, magnified by the second.
  private static func underflow(of matrix: Matrix) -> [Double] {
    let sums = matrix.rowSums
    return (0..<matrix.rows * matrix.rows).map { Double(matrix.columns) * (1 + sums[$0 % matrix.rows]) }
  }

  /// The tiles of eight filters, or of eight places of them, in the order of the sum that they take part in.
  /// - Parameter fill: writes the elements of tile c of each filter, row-major, into their lanes; all of them are zero.
  func filters(length: Int, _ fill: (_ c: Int, _ elements: inout [Lane]) -> Void) -> Filters {
    var transform = Transform(filter, filterMagnitude, filterRounded, loops)
    let points = transform.points
    var filters = Filters(
      parts: Array(repeating: .zero, count: points * length * Part.count),
      magnitudeSums: Array(repeating: .zero, count: points), length: length)
    for c in 0..<length {
      transform.run { fill(c, &$0) }
      transform.forEachPoint { point, value, magnitude, variance in
        let place = (point * length + c) * Part.count
        filters.parts[place] = value
        filters.parts[place + 1] = magnitude
        filters.parts[place + 2] = variance
        filters.magnitudeSums[point] += magnitude
      }
    }
    return filters
  }

  /// - Parameter fill: writes the elements of tile c of a sum, row-major, into a lane; all of them are zero.
  func inputs(
    tiles: Int, length: Int, _ fill: (_ tile: Int, _ c: Int, _ elements: inout [Lane], _ lane: Int) -> Void
  ) -> Inputs {
    var transform = Transform(input, inputMagnitude, inputRounded, loops)
    let points = transform.points
    var inputs = Inputs(
      parts: Array(repeating: 0, count: points * tiles * length * Part.count),
      magnitudeSums: Array(repeating: 0, count: points * tiles), tiles: tiles, length: length)
    for tile in 0..<tiles {
      for first in stride(from: 0, to: length, by: Lane.scalarCount) {
        let range = first..<min(first + Lane.scalarCount, length)
        transform.run { for c in range { fill(tile, c, &$0, c - first) } }
        transform.forEachPoint { point, value, magnitude, variance in
          for c in range {
            let place = ((point * tiles + tile) * length + c) * Part.count
            inputs.parts[place] = value[c - first]
            inputs.parts[place + 1] = magnitude[c - first]
            inputs.parts[place + 2] = variance[c - first]
            inputs.magnitudeSums[point * tiles + tile] += magnitude[c - first]
          }
        }
      }
    }
    return inputs
  }

  private enum Part {
    static let count = OracleLoopsPortable.transformedParts
  }

  /// The transform of eight tiles.
  private struct Transform {
    let points: Int
    private let (matrix, magnitudes, rounded): (Matrix, Matrix, Matrix)
    private let roundsConstants: Bool
    private let loops: OracleLoops
    private var elements: [Lane]
    private var half: [Lane]
    private var value: [Lane]
    private var magnitude: [Lane]
    private var first: [Lane]
    private var second: [Lane]

    init(_ matrix: Matrix, _ magnitudes: Matrix, _ rounded: Matrix, _ loops: OracleLoops) {
      (self.matrix, self.magnitudes, self.rounded, self.loops) = (matrix, magnitudes, rounded, loops)
      roundsConstants = !rounded.isZero
      points = matrix.rows * matrix.rows
      elements = Array(repeating: .zero, count: matrix.columns * matrix.columns)
      half = Array(repeating: .zero, count: matrix.rows * matrix.columns)
      value = Array(repeating: .zero, count: points)
      (magnitude, first, second) = (value, value, value)
    }

    mutating func run(_ fill: (inout [Lane]) -> Void) {
      for index in elements.indices { elements[index] = .zero }
      fill(&elements)
      loops.sandwich(matrix, elements, matrix, half: &half, to: &value)
      for index in elements.indices {
        for lane in 0..<Lane.scalarCount { elements[index][lane] = abs(elements[index][lane]) }
      }
      loops.sandwich(magnitudes, elements, magnitudes, half: &half, to: &magnitude)
      guard roundsConstants else { return }
      loops.sandwich(rounded, elements, magnitudes, half: &half, to: &first)
      loops.sandwich(magnitudes, elements, rounded, half: &half, to: &second)
    }

    /// The transformed values; their variances are in units of u².
    @inline(__always)
    func forEachPoint(_ body: (_ point: Int, _ value: Lane, _ magnitude: Lane, _ variance: Lane) -> Void) {
      let (value, magnitude, first, second) = (value.span, magnitude.span, first.span, second.span)
      for point in 0..<points {
        let constants = first[point] + second[point]
        body(point, value[point], magnitude[point], magnitude[point] * magnitude[point] + constants * constants)
      }
    }
  }

  /// Bounds of the outputs of each tile and each of eight filters.
  /// - Parameter take: is given a tile's, row-major.
  func bounds(
    _ filters: Filters, _ inputs: Inputs, lambda: Double,
    _ take: (_ tile: Int, _ statistical: [Lane], _ rigorous: [Lane]) -> Void
  ) {
    precondition(filters.length == inputs.length)
    let points = filterUnderflow.count
    let parts = OracleLoopsPortable.sumParts
    let (filterCount, inputCount) = (filters.length * Part.count, inputs.tiles * inputs.length * Part.count)
    var sums = [Lane](repeating: .zero, count: points * inputs.tiles * parts)
    do {
      var target = sums.mutableSpan
      for point in 0..<points {
        var ofPoint = target._mutatingExtracting(
          point * inputs.tiles * parts..<(point + 1) * inputs.tiles * parts)
        loops.sumPointProducts(
          filters.parts.span.extracting(point * filterCount..<(point + 1) * filterCount),
          inputs.parts.span.extracting(point * inputCount..<(point + 1) * inputCount), to: &ofPoint)
      }
    }
    var ofTile = Sums(points: points)
    var outputs = OutputTransform(self)
    let length = Double(filters.length)
    for tile in 0..<inputs.tiles {
      for point in 0..<points {
        let place = (point * inputs.tiles + tile) * parts
        let (product, squares) = (sums[place], sums[place + 2])
        let whole = product * product
        let (eitherSign, oneSign) = (squares * length, (squares + whole * 2) * ((length + 1) / 6))
        ofTile.product[point] = product
        ofTile.variance[point] =
          sums[place + 1] + eitherSign.replacing(with: oneSign, where: oneSign .> eitherSign) + whole * roundedPasses
        ofTile.magnitude[point] = sums[place + 3]
        let (ofFilter, ofInput) = (filterUnderflow[point], inputUnderflow[point])
        ofTile.underflow[point] =
          Lane(
            repeating: length * (1 + 0x1p-150 * ofFilter * ofInput)
              + ofFilter * inputs.magnitudeSums[point * inputs.tiles + tile])
          + filters.magnitudeSums[point] * ofInput
      }
      outputs.run(ofTile, length: filters.length, lambda: lambda)
      take(tile, outputs.statistical, outputs.rigorous)
    }
  }

  /// From the sums of a tile to its outputs.
  private struct OutputTransform {
    private let bound: BilinearBound
    private(set) var statistical: [Lane]
    private(set) var rigorous: [Lane]
    private var half: [Lane]
    private var squares: [Lane]
    private var value: [Lane]
    private var (variance, magnitude, underflow): ([Lane], [Lane], [Lane])
    private var (firstPass, secondPass): ([Lane], [Lane])
    private var (roundedFirst, roundedSecond): ([Lane], [Lane])

    init(_ bound: BilinearBound) {
      self.bound = bound
      let output = bound.output
      half = Array(repeating: .zero, count: output.rows * output.columns)
      squares = Array(repeating: .zero, count: output.columns * output.columns)
      value = Array(repeating: .zero, count: output.rows * output.rows)
      (statistical, rigorous) = (value, value)
      (variance, magnitude, underflow) = (value, value, value)
      (firstPass, secondPass) = (value, value)
      (roundedFirst, roundedSecond) = (value, value)
    }

    mutating func run(_ sums: Sums, length: Int, lambda: Double) {
      let (output, loops) = (bound.output, bound.loops)
      let points = Double(output.columns)
      let roundsConstants = !bound.outputRounded.isZero
      for point in squares.indices { squares[point] = sums.product[point] * sums.product[point] }
      let (squared, magnitudes) = (bound.outputSquared, bound.outputMagnitude)
      loops.sandwich(squared, sums.variance, squared, half: &half, to: &variance)
      loops.sandwich(squared, squares, squared, half: &half, to: &firstPass)
      if roundsConstants { loops.sandwich(bound.outputRounded, squares, squared, half: &half, to: &roundedFirst) }
      loops.sandwich(magnitudes, sums.magnitude, magnitudes, half: &half, to: &magnitude)
      loops.sandwich(magnitudes, sums.underflow, magnitudes, half: &half, to: &underflow)
      // Half of the value's is T = LᵀM, whose squares the second pass adds up: T∘²·L∘².
      loops.sandwich(output, sums.product, output, half: &half, to: &value)
      for index in half.indices { half[index] *= half[index] }
      loops.multiplyByTransposed(half, rows: output.rows, squared.elements, to: &secondPass)
      if roundsConstants {
        loops.multiplyByTransposed(half, rows: output.rows, bound.outputRounded.elements, to: &roundedSecond)
      }
      let unit = BilinearBound.unitRoundoff
      let roundings = Double(
        length + 2 * (bound.filter.columns + 2) + 2 * (bound.input.columns + 2) + 2 * (output.columns + 2))
      let gamma = roundings * unit / (1 - roundings * unit)
      let outputUnderflow = points * (1 + (magnitudes.rowSums.max() ?? 0))
      for i in value.indices {
        let spread = variance[i] + (firstPass[i] + secondPass[i]) * points + (roundedFirst[i] + roundedSecond[i])
        let lost = (underflow[i] + outputUnderflow) * 0x1p-150
        for lane in 0..<Lane.scalarCount {
          statistical[i][lane] = lambda * unit * spread[lane].squareRoot() + unit * abs(value[i][lane]) + lost[lane]
        }
        rigorous[i] = magnitude[i] * gamma + lost
      }
    }
  }
}

extension OracleLoops {
  /// left · middle · rightᵀ in each lane; `half` holds left · middle in the end.
  fileprivate func sandwich(
    _ left: BilinearBound.Matrix, _ middle: [Lane], _ right: BilinearBound.Matrix, half: inout [Lane],
    to result: inout [Lane]
  ) {
    multiplyFromLeft(left.elements, rows: left.rows, middle, to: &half)
    multiplyByTransposed(half, rows: left.rows, right.elements, to: &result)
  }
}
