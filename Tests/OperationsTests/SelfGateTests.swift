import Foundation
import Operations
import Problems
import Tensors
import Testing

/// SiLU: x times a gate.
@Suite struct SelfGateTests {
  static let texts = ["silu"]

  /// The problem of one of these for a vector.
  private static func problem(_ text: String, count: Int) throws -> any OperationProblem {
    let words = text.split(separator: " ")
    return try Problem.parse(([words[0], "shape\(count)"] + words.dropFirst()).joined(separator: " "))
  }

  private static func results<Scalar: RealScalar>(
    _ text: String, _ x: [Scalar], dy: [Scalar]? = nil
  ) throws -> (y: [Scalar], dx: [Scalar]) {
    let shape = Shape(x.count)
    let given = Given(
      operands: ["x": Tensor(shape: shape, elements: x)],
      upstream: ["y": dy.map { Tensor(shape: shape, elements: $0) } ?? Tensor(shape: shape, repeating: 1)])
    let found = try problem(text, count: x.count).definition.compute(given)
    return (try #require(found.outputs["y"]).elements, try #require(found.gradients["x"]).elements)
  }

  // MARK: Values

  /// y and dy/dx by the order of ``texts``, to 20 digits: mpmath 1.3.0 with 60 digits, each derivative checked by a central
  /// difference of step 10⁻²⁰. A zero is less than the least double.
  private static let table: [(x: Double, y: [Double], slope: [Double])] = [
    (-95.0, [-5.2450281631771060951e-40], [-5.1898173404068207678e-40]),
    (-40.0, [-1.6993417021166355909e-16], [-1.6568581595637196939e-16]),
    (-20.0, [-4.1223072363804071629e-8], [-3.9161918660646783292e-8]),
    (-13.0, [-2.9384215872746467987e-5], [-2.7123825156985781514e-5]),
    (-9.0, [-1.1105511838760855677e-3], [-9.8701957189740844073e-4]),
    (-5.5, [-2.2385757437428700288e-2], [-1.8224506605887592169e-2]),
    (-3.0, [-1.4227761953270034264e-1], [-8.8104106015169617069e-2]),
    (-1.25, [-2.7837517353163606625e-1], [6.3191550846875812409e-3]),
    (-0.75, [-2.4061597561845527013e-1], [1.5740005550324650473e-1]),
    (-0.0009765625, [-4.8804283143984624198e-4], [4.9951171882761020345e-1]),
    (0x1p-20, [4.7683738557680044321e-7], [5.0000047683715820305e-1]),
    (0.5, [3.1122966560092728232e-1], [7.3996118730265180917e-1]),
    (1.0, [7.3105857863000487925e-1], [9.2767051187148673179e-1]),
    (2.5, [2.3103545499468911220], [1.0994011113415268411]),
    (6.0, [5.9851642610601913540], [1.0123264325915255126]),
    (12.0, [1.1999926269904773423e1], [1.0000675854676137834]),
  ]

  /// What a power of e and the roundings after it may lose, in units.
  private static func units(_ text: String, _ x: Double) -> Double { 8 }

  @Test(arguments: texts) func `values are accurate in both tails, and so are derivatives`(_ text: String) throws {
    func check<Scalar: RealScalar>(_ type: Scalar.Type, underflow: Double) throws {
      let column = try #require(Self.texts.firstIndex(of: text))
      let (y, slope) = try Self.results(text, Self.table.map { Scalar($0.x) })
      for (i, row) in Self.table.enumerated() {
        let relative = Self.units(text, row.x) * Scalar.unitRoundoff
        let lost = (3 + abs(row.x)) * underflow
        #expect(abs(y[i].doubleValue - row.y[column]) <= relative * abs(row.y[column]) + lost, "\(type) \(row.x)")
        // Φ and xΦ′, which cancel at the minimum.
        let (gate, product) = (row.y[column] / row.x, row.slope[column] - row.y[column] / row.x)
        let magnitude = abs(gate) + abs(product)
        #expect(abs(slope[i].doubleValue - row.slope[column]) <= relative * magnitude + lost, "\(type) \(row.x)")
      }
    }
    try check(Float.self, underflow: Double(Float.leastNonzeroMagnitude))
    try check(Double.self, underflow: .leastNonzeroMagnitude)
  }

  @Test(arguments: texts) func `zeros keep their sign, and infinities are as in PyTorch`(_ text: String) throws {
    func check<Scalar: RealScalar & BinaryFloatingPoint>(_ type: Scalar.Type) throws {
      let (y, slope) = try Self.results(text, [0, -0.0, .nan, .infinity, -.infinity] as [Scalar])
      #expect(y[0] == 0 && y[0].sign == .plus && y[1] == 0 && y[1].sign == .minus)
      #expect(slope[0] == 0.5 && slope[1] == 0.5)
      #expect(y[2].isNaN && slope[2].isNaN)
      #expect(y[3] == .infinity && slope[3].isNaN)
      #expect(y[4].isNaN && slope[4].isNaN)
    }
    try check(Float.self)
    try check(Double.self)
  }

  @Test(arguments: texts) func `nothing overflows on the way`(_ text: String) throws {
    let x: [Float] = [1e13, 5e18, 1e20, .greatestFiniteMagnitude]
    let (positive, negative) = (try Self.results(text, x), try Self.results(text, x.map { -$0 }))
    #expect(positive.y == x)
    #expect(positive.dx.allSatisfy { $0 == 1 })
    #expect(negative.y.allSatisfy { $0 == 0 && $0.sign == .minus })
    #expect(negative.dx.allSatisfy { $0 == 0 })
  }

  @Test(arguments: texts) func `the backward pass is the derivative of the forward pass`(_ text: String) throws {
    let x = random([257], seed: 1).map { 6 * $0 }
    let dy = random([257], seed: 2)
    let definition = try Self.problem(text, count: 257).definition
    let hand = try Self.results(text, x.elements, dy: dy.elements).dx
    let dual = try dualGradients(of: [x], cotangent: dy) {
      try #require(try definition.compute(Given(operands: ["x": $0[0]])).outputs["y"])
    }
    #expect(difference(Tensor(shape: [257], elements: hand), dual[0]) < allowedDifference)
  }

  // MARK: Bounds

  /// One way to compute an operation in float32.
  struct Arrangement: Sendable, CustomTestStringConvertible {
    let text: String
    let name: String
    let value: @Sendable (Float) -> Float
    /// `nil` where the way to the value alone is of interest.
    var slope: (@Sendable (Float) -> Float)?
    var testDescription: String { "\(text): \(name)" }
  }

  static let usual: [Arrangement] = [
    Arrangement(text: "silu", name: "x/(1 + e⁻ˣ), whose power overflows", value: { $0 / (1 + exp(-$0)) }) { x in
      let gate = 1 / (1 + exp(-x))
      return gate * (1 + x * (1 - gate))
    },
    Arrangement(text: "silu", name: "by tanh, which cancels", value: { 0.5 * $0 * (1 + tanh(0.5 * $0)) }) { x in
      let gate = 0.5 * (1 + tanh(0.5 * x))
      return gate + x * gate * (1 - gate)
    },
  ]

  static let wrong: [Arrangement] = [
    Arrangement(text: "silu", name: "quick gelu", value: { $0 / (1 + exp(-1.702 * $0)) }),
    Arrangement(text: "silu", name: "the gate alone", value: { $0 / (1 + exp(-$0)) }) { 1 / (1 + exp(-$0)) },
  ]

  /// 8,000 values: dense where activations lie and functions saturate, and every power of two, denormal ones among them.
  private static let grid: [Float] =
    (-4000..<4000).map { Float($0) * 0x1.01p-8 }
    + (-149...60).flatMap { [Float(scalbn(1.37, $0)), -Float(scalbn(1.37, $0))] }
    + (-880 ... -160).map { Float($0) / 8 }

  /// The largest |found − true|/bound over the grid, of values and slopes.
  private static func worst(_ arrangement: Arrangement) throws -> Double {
    let x = grid.map { Double($0) }
    let (y, slope) = try results(arrangement.text, x)
    let given = Given(
      operands: ["x": Tensor(shape: Shape(x.count), elements: x)],
      upstream: ["y": Tensor(shape: Shape(x.count), repeating: 1)])
    let definition = try problem(arrangement.text, count: x.count).definition
    let model = try #require(definition.bounds(of: given, values: nil, algorithms: []))
    func worst(_ path: String, _ expected: [Double], _ found: (Float) -> Float) throws -> Double {
      let bounds = try #require(model.bounds(of: path, in: .float32)).rigorous
      #expect(bounds.allSatisfy { $0.isFinite && $0 >= 0 })
      return grid.indices.reduce(0) { worst, i in
        let ratio = abs(Double(found(grid[i])) - expected[i]) / bounds[i]
        return ratio.isNaN ? .infinity : max(worst, ratio)
      }
    }
    return max(
      try worst("outputs/y", y, arrangement.value),
      try arrangement.slope.map { try worst("gradients/x", slope, $0) } ?? 0)
  }

  @Test(arguments: usual) func `a usual arrangement stays within the bounds`(_ arrangement: Arrangement) throws {
    #expect(try Self.worst(arrangement) <= 1)
  }

  @Test(arguments: wrong) func `another function does not`(_ arrangement: Arrangement) throws {
    #expect(try Self.worst(arrangement) > 10)
  }

  /// The bound in figures, at a point that can be followed by hand.
  @Test func `cancellation of 1 + tanh is allowed for, but not in a tail where it has its limit`() throws {
    func bound(_ text: String, _ x: Double) throws -> Double {
      let given = Given(operands: ["x": Tensor<Double>(shape: [1], elements: [x])])
      let definition = try Self.problem(text, count: 1).definition
      let model = try #require(definition.bounds(of: given, values: nil, algorithms: []))
      #expect(model.bounds(of: "outputs/y", in: .float32)?.statistical == nil)
      return try #require(model.bounds(of: "outputs/y", in: .float32)?.rigorous.first)
    }
    // 3·(4 + 2σ(−3))·u
    #expect(abs(try bound("silu", -3) / (3 * (4 + 2 * 0.047_425_873) * 0x1p-24) - 1) < 1e-6)
    // No more than the result itself.
    #expect(try bound("silu", -40) < 1.7e-16)
    #expect(try bound("silu", 1e30) <= 2 * 1e30 * 0x1p-24)
  }
}
