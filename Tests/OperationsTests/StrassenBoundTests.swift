import Operations
import Problems
import Tensors
import Testing

/// Strassen's algorithm and Winograd's variant of it in float32, against the bound that covers both.
@Suite struct StrassenBoundTests {
  /// Row-major.
  private struct Matrix {
    let rows: Int
    let columns: Int
    var elements: [Float]

    init(_ rows: Int, _ columns: Int, _ elements: [Float]) {
      (self.rows, self.columns, self.elements) = (rows, columns, elements)
    }

    subscript(row: Int, column: Int) -> Float {
      get { row < rows && column < columns ? elements[row * columns + column] : 0 }
      set { if row < rows, column < columns { elements[row * columns + column] = newValue } }
    }

    func block(_ index: Int) -> Matrix {
      let (height, width) = ((rows + 1) / 2, (columns + 1) / 2)
      var block = Matrix(height, width, Array(repeating: 0, count: height * width))
      for i in 0..<height { for j in 0..<width { block[i, j] = self[index / 2 * height + i, index % 2 * width + j] } }
      return block
    }

    static func + (a: Matrix, b: Matrix) -> Matrix { Matrix(a.rows, a.columns, zip(a.elements, b.elements).map(+)) }
    static func - (a: Matrix, b: Matrix) -> Matrix { Matrix(a.rows, a.columns, zip(a.elements, b.elements).map(-)) }

    /// Term by term, in order.
    static func * (a: Matrix, b: Matrix) -> Matrix {
      var product = Matrix(a.rows, b.columns, Array(repeating: 0, count: a.rows * b.columns))
      for i in 0..<a.rows {
        for k in 0..<a.columns {
          let factor = a.elements[i * a.columns + k]
          for j in 0..<b.columns { product.elements[i * b.columns + j] += factor * b.elements[k * b.columns + j] }
        }
      }
      return product
    }

    func multiplied(by other: Matrix, levels: Int, byVariant: Bool) -> Matrix {
      guard levels > 0 else { return self * other }
      func times(_ a: Matrix, _ b: Matrix) -> Matrix { a.multiplied(by: b, levels: levels - 1, byVariant: byVariant) }
      let (a, b) = ((0..<4).map(block), (0..<4).map(other.block))
      let results: [Matrix]
      if byVariant {
        let s1 = a[2] + a[3]
        let (s2, s3) = (s1 - a[0], a[0] - a[2])
        let t1 = b[1] - b[0]
        let (t2, t3) = (b[3] - t1, b[3] - b[1])
        let (p1, p2) = (times(a[0], b[0]), times(a[1], b[2]))
        let u2 = p1 + times(s2, t2)
        let (p5, u3) = (times(s1, t1), u2 + times(s3, t3))
        results = [p1 + p2, u2 + p5 + times(a[1] - s2, b[3]), u3 - times(a[3], t2 - b[2]), u3 + p5]
      } else {
        let (p1, p2) = (times(a[0] + a[3], b[0] + b[3]), times(a[2] + a[3], b[0]))
        let (p3, p4) = (times(a[0], b[1] - b[3]), times(a[3], b[2] - b[0]))
        let (p5, p6) = (times(a[0] + a[1], b[3]), times(a[2] - a[0], b[0] + b[1]))
        let p7 = times(a[1] - a[3], b[2] + b[3])
        results = [p1 + p4 - p5 + p7, p3 + p5, p2 + p4, p1 - p2 + p3 + p6]
      }
      var product = Matrix(rows, other.columns, Array(repeating: 0, count: rows * other.columns))
      let (height, width) = ((rows + 1) / 2, (other.columns + 1) / 2)
      for (index, block) in results.enumerated() {
        for i in 0..<height {
          for j in 0..<width { product[index / 2 * height + i, index % 2 * width + j] = block[i, j] }
        }
      }
      return product
    }
  }

  /// y = x·Wᵀ with odd extents, and what is known of it.
  private struct Product {
    let x: Matrix
    let weight: Matrix
    let exact: [Double]
    let model: any BoundModel

    init(_ levels: Int, low: Float, seed: UInt64 = 3) throws {
      let problem = try LinearProblem(batch: 259, inputFeatures: 301, outputFeatures: 258, hasBias: false)
      var generator = SplitMix64(seed: seed)
      func draw(_ rows: Int, _ columns: Int, _ range: ClosedRange<Float>) -> Matrix {
        Matrix(rows, columns, (0..<rows * columns).map { _ in Float.random(in: range, using: &generator) })
      }
      x = draw(259, 301, low...1)
      weight = draw(258, 301, -1...1)
      let operands = [
        "x": Tensor(shape: [259, 301], elements: x.elements.map(Double.init)),
        "weight": Tensor(shape: [258, 301], elements: weight.elements.map(Double.init)),
      ]
      let given = Given(operands: operands, integers: [:], upstream: [:])
      exact = try #require(Linear(problem).compute(given).outputs["y"]).elements
      model = try #require(
        Linear(problem).bounds(of: given, values: nil, algorithms: levels == 0 ? [] : [.strassen(levels: levels)]))
    }

    var transposed: Matrix {
      var result = Matrix(301, 258, Array(repeating: 0, count: 301 * 258))
      for i in 0..<258 { for j in 0..<301 { result[j, i] = weight[i, j] } }
      return result
    }

    /// Largest error/bound, and how many elements are beyond it.
    func compare(_ found: Matrix) throws -> (worst: Double, beyond: Int, rigorous: Double) {
      let bounds = try #require(model.bounds(of: "outputs/y", in: .float32))
      let errors = zip(found.elements, exact).map { abs(Double($0) - $1) }
      let ratios = zip(errors, bounds.tightest).map { $0 / $1 }
      return (
        ratios.max() ?? 0, ratios.count { $0 > 1 }, zip(errors, bounds.rigorous).map { $0 / $1 }.max() ?? 0
      )
    }
  }

  @Test(arguments: [1, 2], [true, false]) func `both algorithms stay within the bound`(
    levels: Int, byVariant: Bool
  ) throws {
    // Signed inputs, and inputs with a mean.
    for low in [Float(-1), 0] {
      let product = try Product(levels, low: low)
      let found = try product.compare(
        product.x.multiplied(by: product.transposed, levels: levels, byVariant: byVariant))
      #expect(found.worst < 0.8 && found.worst > 0.05 && found.rigorous < 1, "\(found)")
      print("Strassen \(levels), variant \(byVariant), inputs from \(low): \(found.worst) of the bound")
    }
  }

  @Test(arguments: [1, 2]) func `TF32 does not hide in it`(levels: Int) throws {
    let product = try Product(levels, low: -1)
    func tf32(_ matrix: Matrix) -> Matrix {
      Matrix(
        matrix.rows, matrix.columns,
        matrix.elements.map { Float(bitPattern: ($0.bitPattern &+ 0xFFF &+ ($0.bitPattern >> 13 & 1)) & ~0x1FFF) })
    }
    let found = try product.compare(tf32(product.x) * tf32(product.transposed))
    #expect(found.beyond > 1000, "\(found)")
    print("TF32 under Strassen \(levels): \(found.worst), \(found.beyond) of \(product.exact.count) beyond")
  }

  @Test func `an extent below 256 is multiplied term by term`() throws {
    let problem = try LinearProblem(batch: 255, inputFeatures: 300, outputFeatures: 300, hasBias: false)
    let given = Given<Double>(
      operands: [
        "x": Tensor(shape: [255, 300], repeating: 1), "weight": Tensor(shape: [300, 300], repeating: 1),
      ], integers: [:], upstream: [:])
    func bounds(_ algorithms: Set<SumAlgorithm>) throws -> ElementBounds {
      let model = try #require(Linear(problem).bounds(of: given, values: nil, algorithms: algorithms))
      #expect(model.widening(of: "outputs/y") == nil)
      return try #require(model.bounds(of: "outputs/y", in: .float32))
    }
    #expect(try bounds([.strassen(levels: 2)]).tightest == bounds([]).tightest)
  }
}
