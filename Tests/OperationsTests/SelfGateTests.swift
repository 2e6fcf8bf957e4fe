import Foundation
import Operations
import Problems
import Tensors
import Testing

/// SiLU and both forms of GELU: x times a gate.
@Suite struct SelfGateTests {
  static let texts = ["silu", "gelu", "gelu approximatetanh"]

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
    (
      -95.0, [-5.2450281631771060951e-40, 0, 0],
      [-5.1898173404068207678e-40, 0, 0]
    ),
    (
      -40.0, [-1.6993417021166355909e-16, 0, 0],
      [-1.6568581595637196939e-16, 0, 0]
    ),
    (
      -20.0, [-4.1223072363804071629e-8, -5.5072482372124673902e-88, -3.3754509563109673197e-261],
      [-3.9161918660646783292e-8, -1.1014360483133464042e-86, -2.9424328724945028643e-259]
    ),
    (
      -13.0, [-2.9384215872746467987e-5, -7.9523137194148435870e-38, -1.0511517767632532554e-76],
      [-2.7123825156985781514e-5, -1.0337304440113356150e-36, -3.9623941864616549531e-75]
    ),
    (
      -9.0, [-1.1105511838760855677e-3, -1.0157295653584565830e-18, -1.3364595947348725500e-28],
      [-9.8701957189740844073e-4, -9.1389373739066392510e-18, -2.5157352850674251543e-27]
    ),
    (
      -5.5, [-2.2385757437428700288e-2, -1.0444259356238245661e-7, -5.9276402638802620260e-9],
      [-1.8224506605887592169e-2, -5.7334723987399248035e-7, -4.6765528108074152630e-8]
    ),
    (
      -3.0, [-1.4227761953270034264e-1, -4.0496940948902835800e-3, -3.6373920817730188378e-3],
      [-8.8104106015169617069e-2, -1.1945647204183927000e-2, -1.1584166630969726204e-2]
    ),
    (
      -1.25, [-2.7837517353163606625e-1, -1.3206221708356907211e-1, -1.3228579703028539818e-1],
      [6.3191550846875812409e-3, -1.2266158306942212355e-1, -1.2249263224964863312e-1]
    ),
    (
      -0.75, [-2.4061597561845527013e-1, -1.6997051428265114950e-1, -1.7003944483437969582e-1],
      [1.5740005550324650473e-1, 7.7427826076489562831e-4, 1.0617438625857023423e-3]
    ),
    (
      -0.0009765625, [-4.8804283143984624198e-4, -4.8790078905392525292e-4, -4.8790078905422456480e-4],
      [4.9951171882761020345e-1, 4.9922081610628686646e-1, 4.9922081610751284751e-1]
    ),
    (
      0x1p-20, [4.7683738557680044321e-7, 4.7683752103901533826e-7, 4.7683752103901533826e-7],
      [5.0000047683715820305e-1, 5.0000076092201309454e-1, 5.0000076092201309454e-1]
    ),
    (
      0.5, [3.1122966560092728232e-1, 3.4573123063700655182e-1, 3.4571400982514392204e-1],
      [7.3996118730265180917e-1, 8.6749512465616284253e-1, 8.6736990353464231156e-1]
    ),
    (
      1.0, [7.3105857863000487925e-1, 8.4134474606854294859e-1, 8.4119199060827670478e-1],
      [9.2767051187148673179e-1, 1.0833154705876862984, 1.0829640838457825551]
    ),
    (
      2.5, [2.3103545499468911220, 2.4844758366855596621, 2.4849157339100014179],
      [1.0994011113415268411, 1.0376110859081452082, 1.0379515762126661826]
    ),
    (
      6.0, [5.9851642610601913540, 5.9999999940804741298, 5.9999999999156035330],
      [1.0123264325915255126, 1.0000000354687094539, 1.0000000007709973931]
    ),
    (
      12.0, [1.1999926269904773423e1, 1.2000000000000000000e1, 1.2000000000000000000e1],
      [1.0000675854676137834, 1.0000000000000000000, 1.0000000000000000000]
    ),
  ]

  /// What a power of e or erfc may lose by a rounding of its argument, in units: they are exact to a few units themselves.
  private static func units(_ text: String, _ x: Double) -> Double {
    switch text {
    case "silu": 8
    case "gelu": 16 + 4 * x * x
    // 2s, off by a relative 7u.
    default: 16 + 16 * abs(0.8 * x * (1 + 0.044715 * x * x))
    }
  }

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

  @Test func `the form of gelu is one of two`() throws {
    let shape = Shape(3)
    #expect(GELUProblem(inputShape: shape).attributes["approximate"] == .string("none"))
    let operands = GELUProblem(inputShape: shape).operands
    #expect(throws: ProblemError.self) {
      try GELUProblem(attributes: Attributes(["approximate": .string("erf")]), operands: operands)
    }
    #expect(throws: ProblemError.self) { try Problem.parse("gelu n2c3 approximateerf") }
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

  private static let root = Float((2 / Double.pi).squareRoot())
  private static let half = Float(0.5.squareRoot())
  private static let density = Float(1 / (2 * Double.pi).squareRoot())

  static let usual: [Arrangement] = [
    Arrangement(text: "silu", name: "x/(1 + e⁻ˣ), whose power overflows", value: { $0 / (1 + exp(-$0)) }) { x in
      let gate = 1 / (1 + exp(-x))
      return gate * (1 + x * (1 - gate))
    },
    Arrangement(text: "silu", name: "by tanh, which cancels", value: { 0.5 * $0 * (1 + tanh(0.5 * $0)) }) { x in
      let gate = 0.5 * (1 + tanh(0.5 * x))
      return gate + x * gate * (1 - gate)
    },
    Arrangement(text: "gelu", name: "by erf, which cancels", value: { 0.5 * $0 * (1 + erf($0 * half)) }) { x in
      0.5 * (1 + erf(x * half)) + x * density * exp(-0.5 * x * x)
    },
    Arrangement(text: "gelu", name: "by erf, the sum last", value: { $0 * 0.5 + $0 * 0.5 * erf($0 * half) }) { x in
      0.5 * (1 + (erf(x * half) + 2 * x * density * exp(-0.5 * x * x)))
    },
    Arrangement(text: "gelu", name: "by erfc", value: { 0.5 * $0 * erfc(-$0 * half) }),
    Arrangement(
      text: "gelu approximatetanh", name: "by tanh, which cancels",
      value: { 0.5 * $0 * (1 + tanh(root * ($0 + 0.044715 * $0 * $0 * $0))) }
    ) { x in
      let tanh = tanh(root * (x + 0.044715 * x * x * x))
      return 0.5 * (1 + tanh) + 0.5 * x * (1 - tanh * tanh) * (root * (1 + 3 * 0.044715 * x * x))
    },
    Arrangement(
      text: "gelu approximatetanh", name: "by a power of e that overflows",
      value: { $0 / (1 + exp(-2 * root * $0 * (1 + 0.044715 * $0 * $0))) }),
  ]

  static let wrong: [Arrangement] = [
    Arrangement(text: "silu", name: "quick gelu", value: { $0 / (1 + exp(-1.702 * $0)) }),
    Arrangement(text: "silu", name: "the gate alone", value: { $0 / (1 + exp(-$0)) }) { 1 / (1 + exp(-$0)) },
    Arrangement(text: "gelu", name: "quick gelu", value: { $0 / (1 + exp(-1.702 * $0)) }),
    Arrangement(
      text: "gelu", name: "the tanh form", value: { 0.5 * $0 * (1 + tanh(root * ($0 + 0.044715 * $0 * $0 * $0))) }),
    Arrangement(
      text: "gelu", name: "saturated beyond ±4", value: { abs($0) > 4 ? max($0, 0) : 0.5 * $0 * erfc(-$0 * half) }),
    Arrangement(text: "gelu approximatetanh", name: "the erf form", value: { 0.5 * $0 * erfc(-$0 * half) }),
    Arrangement(
      text: "gelu approximatetanh", name: "√(2/π) as 0.798",
      value: { 0.5 * $0 * (1 + tanh(0.798 * ($0 + 0.044715 * $0 * $0 * $0))) }),
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
  @Test func `cancellation of 1 + erf is allowed for, but not in a tail where it has its limit`() throws {
    func bound(_ text: String, _ x: Double) throws -> Double {
      let given = Given(operands: ["x": Tensor<Double>(shape: [1], elements: [x])])
      let definition = try Self.problem(text, count: 1).definition
      let model = try #require(definition.bounds(of: given, values: nil, algorithms: []))
      #expect(model.bounds(of: "outputs/y", in: .float32)?.statistical == nil)
      return try #require(model.bounds(of: "outputs/y", in: .float32)?.rigorous.first)
    }
    // 3·(8 + 2·3·φ(3) + 2Φ(−3))·u
    #expect(abs(try bound("gelu", -3) / (3 * (8 + 2 * 3 * 0.004_431_848 + 2 * 0.001_349_898) * 0x1p-24) - 1) < 1e-6)
    // Φ(−10) = 7.62e-24: no more than the result itself.
    #expect(try bound("gelu", -10) < 7.7e-23)
    // 3·(4 + 2σ(−3))·u
    #expect(abs(try bound("silu", -3) / (3 * (4 + 2 * 0.047_425_873) * 0x1p-24) - 1) < 1e-6)
    #expect(try bound("silu", -40) < 1.7e-16)
    #expect(try bound("gelu approximatetanh", 1e30) <= 2 * 1e30 * 0x1p-24)
  }
}
