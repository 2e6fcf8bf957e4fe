import Engines
import Foundation
import GradientChecking
import Operations
import Problems
import Results
import RunAnalysis
import TestSupport
import Tensors
import Testing
import Verification

/// The worked examples of METHODOLOGY.md against the code: a figure on the page that the bound models do not give fails,
/// and so does an example that is not computed here.
@Suite struct MethodologyExampleTests {
  @Test(arguments: WorkedExample.all) func `the page says what the code computes`(_ example: WorkedExample) throws {
    let written = try #require(DocumentedExample.all()[example.name], "METHODOLOGY.md has no example \(example.name)")
    let computed = try example.compute()
    #expect(Set(written.keys) == Set(computed.keys))
    for (label, text) in written {
      let value = try #require(computed[label])
      #expect(text == DocumentedExample.text(value), "\(example.name), \(label): METHODOLOGY.md says \(text)")
    }
  }

  @Test func `every example of the page is computed`() throws {
    #expect(try Set(DocumentedExample.all().keys) == Set(WorkedExample.all.map(\.name)))
  }
}

/// The blocks of METHODOLOGY.md that are fenced as `example NAME`. A line with a figure has its label, two spaces or more,
/// where it comes from, and `= 1.23e-4`.
private enum DocumentedExample {
  /// Figures as they are written, by example and label.
  static func all() throws -> [String: [String: String]] {
    let page = try String(contentsOf: Repository.root.appending(path: "METHODOLOGY.md"), encoding: .utf8)
    return page.matches(of: /```example ([a-z-]+)\n((?s:.*?))```/).reduce(into: [:]) { examples, block in
      for line in block.2.split(separator: "\n") {
        guard let figure = line.firstMatch(of: /^ *(\S+(?: \S+)*)  .*= ([0-9]\.[0-9]{2}e-?[0-9]+)$/) else { continue }
        examples[String(block.1), default: [:]][String(figure.1)] = String(figure.2)
      }
    }
  }

  /// Three significant digits.
  static func text(_ value: Double) -> String {
    String(format: "%.2e", value).replacing(/e([+-])0*([0-9]+)/) { "e\($0.1 == "-" ? "-" : "")\($0.2)" }
  }
}

/// An example of the page and its figures, by label.
struct WorkedExample: Sendable, CustomStringConvertible {
  let name: String
  let compute: @Sendable () throws -> [String: Double]
  var description: String { name }

  private static let shownKernels = [
    "one accumulator", "pairs", "three terms of bfloat16", "two terms of TF32", "two terms of bfloat16", "sums cut off",
  ]

  static let all: [WorkedExample] = [
    WorkedExample(name: "convolution") {
      var signs = try Subject("conv2d n1c64h3w3 k1r3s3 stride1 pad0")
      signs.fill(\.parameters, "weight") { _ in 1 }
      signs.fill(\.inputs, "x") { $0 < 300 ? 1 : -1 }
      let either = try signs.bound("outputs/y")
      let double = try signs.bound("outputs/y", in: .float64)
      signs.fill(\.inputs, "x") { _ in 1 }
      let common = try signs.bound("outputs/y")
      return [
        "statistical": either.statistical, "rigorous": either.rigorous, "statistical, float64": double.statistical,
        "statistical, all +1": common.statistical, "rigorous, all +1": common.rigorous,
      ]
    },
    WorkedExample(name: "weight-gradient") {
      var signs = try Subject("conv2d n8c1h56w56 k1r1s1 stride1 pad0 bias")
      signs.fill(\.inputs, "x") { _ in 1 }
      signs.fill(\.upstream, "y") { $0 < 12_623 ? 1 : -1 }
      let bound = try signs.bound("gradients/weight")
      return ["statistical": bound.statistical, "rigorous": bound.rigorous]
    },
    WorkedExample(name: "linear") {
      var row = try Subject("linear n1c512 k1")
      row.fill(\.inputs, "x") { _ in 1 }
      row.fill(\.parameters, "weight") { $0 % 2 == 0 ? 0x1p-5 : -0x1p-5 }
      row.fill(\.parameters, "bias") { _ in 0.25 }
      let bound = try row.bound("outputs/y")
      return ["statistical": bound.statistical, "rigorous": bound.rigorous]
    },
    WorkedExample(name: "transposed-convolution") {
      var signs = try Subject("conv_transpose2d n1c32h4w4 k1r4s4 stride2 pad1")
      signs.fill(\.parameters, "weight") { _ in 1 }
      signs.fill(\.inputs, "x") { $0 < 17 * 16 ? 1 : -1 }
      let inside = try signs.bound("outputs/y", at: 27)
      return ["statistical": inside.statistical, "rigorous": inside.rigorous]
    },
    WorkedExample(name: "winograd") {
      let tile = try Subject("conv2d n1c64h6w6 k1r3s3 stride1 pad0")
      var figures: [String: Double] = [:]
      for algorithm in ["direct", "winograd2", "winograd4", "winograd6"] {
        let bounds = try tile.bounds("outputs/y", algorithms: [SumAlgorithm(named: algorithm)])
        figures["\(algorithm), statistical"] = bounds.statistical?.max()
        figures["\(algorithm), rigorous"] = bounds.rigorous.max()
      }
      return figures
    },
    WorkedExample(name: "widening") {
      func widening(_ outputs: Int, _ points: [Double]) throws -> Double {
        try WinogradTile(outputTile: outputs, kernelSize: 3, points: points).widening
      }
      func widening(_ outputs: Int, _ preset: WinogradPreset) throws -> Double {
        try WinogradTile(outputTile: outputs, preset: preset).widening
      }
      var refused: WinogradTileError?
      do throws(WinogradTileError) {
        _ = try WinogradTile(outputTile: 6, kernelSize: 3, points: [0, 1, -1, 2, -2, 3, -3])
      } catch { refused = error }
      guard case .tooWide(_, let tooWide)? = refused else { return [:] }
      return [
        "0, ±5/8, ±3/2 (assay)": try widening(4, .assay), "0, ±√2/2, ±√2 (ncnn)": try widening(4, .ncnn),
        "0, 1, −1, ½, −2": try widening(4, [0, 1, -1, 0.5, -2]), "0, ±1, ±2 (textbook)": try widening(4, .textbook),
        "0, ±1, ±2, ±½ (assay, ncnn, textbook)": try widening(6, .ncnn), "0, ±1, ±2, ±3, which is refused": tooWide,
      ]
    },
    WorkedExample(name: "tolerance") {
      let problem = try Problem.parse("conv2d n1c512h14w14 k512r3s3 stride1 pad1")
      var figures: [String: Double] = [:]
      for (label, algorithm, dtype) in [
        ("float32", "direct", DType.float32), ("float16", "direct", .float16), ("F(4×4)", "winograd4", .float32),
        ("F(4×4), textbook", "winograd4:textbook", .float32),
      ] {
        let found = try BoundFigures(
          .init(problem, algorithms: [SumAlgorithm(text: algorithm)], dtype: dtype))
        let tensor = try #require(found.tensors.first)
        figures["\(label), median bound"] = tensor.bound.median
        figures["\(label), median bound / rms of y"] = tensor.bound.median / tensor.rootMeanSquare
        figures["\(label), largest rigorous bound"] = tensor.rigorous.maximum
        figures["\(label), atol"] = tensor.tolerance.absolute
      }
      return figures
    },
    WorkedExample(name: "distribution") {
      var figures: [String: Double] = [:]
      for terms in [9, 4_608] {
        for kernel in Kernel.honest + Kernel.dishonest where Self.shownKernels.contains(kernel.testDescription) {
          let result = try kernel.result(terms: terms)
          let label = "K = \(terms), \(kernel.testDescription)"
          figures["\(label), error / bound"] = result.worstRatio
          figures["\(label), mean z²"] = try #require(result.distribution).meanSquare
        }
      }
      return figures
    },
    WorkedExample(name: "limit") {
      let layer = try Layer("conv2d n1c64h56w56 k64r3s3 stride1 pad1")
      return try layer.figures(["direct", "winograd2", "winograd4", "winograd6"])
    },
    WorkedExample(name: "limit-weights") {
      let layer = try Layer("conv2d n1c512h7w7 k512r3s3 stride1 pad1")
      let impossible = ConvolutionFloor.impossibleNanoseconds(layer.workload, in: layer.section)
      return try layer.figures(["winograd2", "winograd4"]).merging(["impossible": #require(impossible)]) { $1 }
    },
    WorkedExample(name: "pooling") {
      var window = try Subject("avg_pool2d n1c1h3w3 kernel3")
      window.fill(\.inputs, "x") { Double($0 + 1) }
      let small = try window.bound("outputs/y")
      var plane = try Subject("adaptive_avg_pool2d n1c1h7w7 output1")
      plane.fill(\.inputs, "x") { _ in 1 }
      let global = try plane.bound("outputs/y")
      return [
        "3×3, statistical": small.statistical, "3×3, rigorous": small.rigorous,
        "7×7, statistical": global.statistical, "7×7, rigorous": global.rigorous,
      ]
    },
    WorkedExample(name: "addition") {
      var sum = try Subject("add n1c1")
      sum.fill(\.inputs, "x") { _ in 1.5 }
      sum.fill(\.inputs, "other") { _ in 2.25 }
      return ["rigorous": try sum.bound("outputs/y").rigorous]
    },
    WorkedExample(name: "scaled-addition") {
      var sum = try Subject("scaled_add n1c1 alpha0.1")
      sum.fill(\.inputs, "x") { _ in 1.5 }
      sum.fill(\.inputs, "other") { _ in 2.5 }
      sum.fill(\.upstream, "y") { _ in 1 }
      return [
        "rigorous": try sum.bound("outputs/y").rigorous,
        "gradient of other": try sum.bound("gradients/other").rigorous,
      ]
    },
    WorkedExample(name: "upsampling") {
      var image = try Subject("upsample2d n1c1h2w2 modebilinear scale2")
      image.fill(\.inputs, "x") { Double($0 + 1) }
      return ["rigorous": try image.bound("outputs/y", at: 5).rigorous]
    },
    WorkedExample(name: "batch-norm") { try slices(of: "batch_norm2d n8c1h14w14 training") { _ in 1 } },
    WorkedExample(name: "group-norm") { try slices(of: "group_norm n1c2h14w14 groups1") { $0 == 0 ? 1 : 2 } },
    WorkedExample(name: "layer-norm") { try slices(of: "layer_norm n16c768 dims1") { _ in 1 } },
    WorkedExample(name: "silu") {
      var element = try Subject("silu n1c1")
      element.fill(\.upstream, "y") { _ in 1 }
      var figures: [String: Double] = [:]
      for (label, path, x) in [
        ("y at −3", "outputs/y", -3.0), ("y at −40", "outputs/y", -40), ("dx at 8", "gradients/x", 8),
      ] {
        element.fill(\.inputs, "x") { _ in x }
        figures["\(label), rigorous"] = try element.bound(path).rigorous
      }
      return figures
    },
    WorkedExample(name: "gelu") {
      var figures: [String: Double] = [:]
      for (form, label, path, x) in [
        ("none", "y at −3", "outputs/y", -3.0), ("none", "dx at −3", "gradients/x", -3),
        ("none", "y at −8", "outputs/y", -8), ("tanh", "y at −3", "outputs/y", -3),
        ("tanh", "dx at −3", "gradients/x", -3),
      ] {
        var element = try Subject("gelu n1c1 approximate\(form)")
        element.fill(\.inputs, "x") { _ in x }
        element.fill(\.upstream, "y") { _ in 1 }
        figures["\(form), \(label), rigorous"] = try element.bound(path).rigorous
      }
      return figures
    },
    WorkedExample(name: "softmax") {
      let logits = [2.0, 1, 0]
      var figures: [String: Double] = [:]
      for operation in ["softmax", "log_softmax"] {
        var row = try Subject("\(operation) n1c3")
        row.fill(\.inputs, "x") { logits[$0] }
        let bound = try row.bound("outputs/y")
        row.fill(\.inputs, "x") { logits[$0] + 10_000 }
        let shifted = try row.bound("outputs/y")
        figures["\(operation), rigorous"] = bound.rigorous
        figures["\(operation), statistical"] = bound.statistical
        figures["\(operation), logits + 10⁴"] = shifted.rigorous
      }
      return figures
    },
    WorkedExample(name: "cross-entropy") {
      let logits = [2.0, 1, 0]
      var row = try Subject("cross_entropy n1c3")
      row.fill(\.inputs, "x") { logits[$0] }
      row.fill(\.inputs, "target") { _ in 0 }
      row.fill(\.upstream, "loss") { _ in 1 }
      return [
        "loss, rigorous": try row.bound("outputs/loss").rigorous,
        "dx of the target, rigorous": try row.bound("gradients/x").rigorous,
        "dx of another class, rigorous": try row.bound("gradients/x", at: 1).rigorous,
      ]
    },
    WorkedExample(name: "optimisers") {
      var figures: [String: Double] = [:]
      for (label, text) in [("SGD", "sgd_step shape1 t1 lr0.1 momentum0.9"), ("Adam", "adam_step shape1 t1 lr0.001")] {
        var step = try Subject(text)
        step.fill(\.parameters, "p") { _ in 1 }
        step.fill(\.inputs, "gradients") { _ in 0.5 }
        figures["\(label), p after one step"] = try step.bound("outputs/trajectory").rigorous
      }
      return figures
    },
    WorkedExample(name: "block") {
      let block = try Subject("basic_block n2c8h8w8 k8 training")
      let answer = try ReferenceEngine().compute(block.exercise)
      let y = try #require(answer["outputs/y"]).doubles.elements
      func share(_ rounding: Rounding) throws -> Double {
        try rootMeanSquare(block.bounds("outputs/y", in: rounding).tightest) / rootMeanSquare(y)
      }
      return ["float32": try share(.float32), "float64": try share(.float64)]
    },
    WorkedExample(name: "differences") {
      let check = GradientCheck(
        at: ["x": Tensor(shape: [1], elements: [1])],
        options: {
          var options = GradientCheck.Options()
          options.cotangent = ["y": Tensor(shape: [1], elements: [1])]
          return options
        }(),
        forward: { point in ["y": Tensor(shape: [1], elements: [1 / (point["x"]?.elements[0] ?? .nan)])] },
        backward: { point, upstream in
          let (x, v) = (point["x"]?.elements[0] ?? .nan, upstream["y"]?.elements[0] ?? .nan)
          return ["x": Tensor(shape: [1], elements: [-v / (x * x)])]
        })
      let record = check.run()
      let element = try #require(record.tensors.first?.worstElement, "\(record)")
      return ["h": element.step, "truncation": element.truncation, "error": abs(element.numeric + 1)]
    },
  ]
}

/// The figures of a normalisation whose values are 1 and −1 in turn, and 100 more, with β = 0.
private func slices(of text: String, weight: (_ element: Int) -> Double) throws -> [String: Double] {
  var figures: [String: Double] = [:]
  for mean in [0.0, 100] {
    var slice = try Subject(text)
    slice.fill(\.inputs, "x") { mean + ($0 % 2 == 0 ? 1 : -1) }
    slice.fill(\.parameters, "weight", weight)
    slice.fill(\.parameters, "bias") { _ in 0 }
    slice.fill(\.upstream, "y") { $0 % 4 < 2 ? 1 : -1 }
    for (label, path) in [("y", "outputs/y"), ("dx", "gradients/x"), ("dγ", "gradients/weight")] {
      let bound = try slice.bound(path)
      figures["μ = \(Int(mean)), \(label), statistical"] = bound.statistical
      figures["μ = \(Int(mean)), \(label), rigorous"] = bound.rigorous
    }
  }
  return figures
}

private func rootMeanSquare(_ values: [Double]) -> Double {
  (values.reduce(0) { $0 + $1 * $1 } / Double(values.count)).squareRoot()
}

/// A problem with operands that a reader can add up, and what the bound models say of it.
private struct Subject {
  let problem: any OperationProblem
  private(set) var exercise: Exercise

  /// Operands are random (seed 1) until they are filled.
  init(_ text: String) throws {
    problem = try Problem.parse(text)
    exercise = RandomExercise(problem: problem, roles: problem.definition.roles, fill: .random, seed: 1).exercise
  }

  mutating func fill(
    _ group: WritableKeyPath<Exercise, [String: AnyTensor]>, _ name: String, _ value: (_ element: Int) -> Double
  ) {
    guard let tensor = exercise[keyPath: group][name] else { return }
    let elements = (0..<tensor.shape.count).map(value)
    exercise[keyPath: group][name] =
      tensor.dtype == .int64
      ? .int64(Tensor(shape: tensor.shape, elements: elements.map { Int64($0) }))
      : .float64(Tensor(shape: tensor.shape, elements: elements))
  }

  func bounds(
    _ path: String, in rounding: Rounding = .float32, algorithms: Set<SumAlgorithm> = []
  ) throws -> ElementBounds {
    var asked = exercise
    asked.wanted = [path]
    let model = try #require(
      problem.definition.bounds(of: problem.definition.given(asked), values: nil, algorithms: algorithms))
    return try #require(model.bounds(of: path, in: rounding))
  }

  func bound(
    _ path: String, at element: Int = 0, in rounding: Rounding = .float32
  ) throws -> (statistical: Double, rigorous: Double) {
    let bounds = try bounds(path, in: rounding)
    return (bounds.statistical?[element] ?? .infinity, bounds.rigorous[element])
  }
}

/// A convolution that is timed on the machine of the page's examples of limits.
private struct Layer {
  let workload: BenchmarkWorkload
  let section: BenchmarkSection
  private let work: ConvolutionWork

  init(_ problem: String) throws {
    workload = BenchmarkWorkload(
      name: problem, operation: "conv2d", problem: problem, batch: 1, pass: "forward", layout: "nchw", threads: 1,
      flops: 1, compulsoryBytes: 1)
    var section = SampleBenchmark.section()
    section.machine.l1DataBytes = 32 << 10
    section.machine.l2Bytes = 512 << 10
    section.machine.l3Bytes = 32 << 20
    section.ceilings = [
      CeilingRecord(
        threads: 1, peakGigaflops: 104, l2GigabytesPerSecond: 94, l3GigabytesPerSecond: 68,
        memoryGigabytesPerSecond: 20, frozenConvolutionNanoseconds: 1)
    ]
    self.section = section
    work = try #require(ConvolutionWork(workload))
  }

  /// Flops and bytes of these algorithms, and the limit of all.
  func figures(_ algorithms: [String]) throws -> [String: Double] {
    var figures = ["limit, nanoseconds": try #require(ConvolutionFloor(workload, in: section)).nanoseconds]
    for cost in work.costs where algorithms.contains(cost.algorithm) {
      figures["\(cost.algorithm), flops"] = cost.flops
      figures["\(cost.algorithm), bytes"] = 4 * work.moved(weights: cost.weights)
    }
    return figures
  }
}
