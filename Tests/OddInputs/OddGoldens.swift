import Engines
import Foundation
import GoldenFiles
import HDF5
import Operations
import Problems
import Tensors
import TestSupport
import Verification

/// Golden files with odd attributes and shapes, written with HDF5, opened with the loader, and verified where that is little
/// work.
struct OddGoldens: OddFile {
  static let name = "golden file"
  static let share = 15
  private let folder: TemporaryDirectory

  init() throws { folder = try TemporaryDirectory() }

  mutating func react(to random: inout OddRandom) throws -> Reaction {
    let path = folder.file("odd.h5").path
    do { try Self.write(path, &random) } catch is HDF5Error { return .inconclusive }
    do {
      let file = try GoldenReader(trusted: nil, probe: nil).open(path)
      try file.validate()
      for summary in file.cases {
        let golden = try file.load(summary)
        let problem = try? Problem.make(
          operation: golden.operation, attributes: golden.attributes, operands: golden.operands)
        guard let cost = problem?.cost, cost.work.value < 1 << 24, cost.bytes.value < 10_000_000 else { continue }
        let verifier = CaseVerifier(VerificationCase(file: path, oracle: .float64, golden: golden))
        for dtype in [DType.float32, .float64] { _ = verifier.verify(ReferenceEngine(), dtype: dtype) }
      }
      return .accepted
    } catch { return .badData }
  }

  static func write(_ path: String, _ random: inout OddRandom) throws {
    // A copy: what is thrown inside leaves the generator where it was.
    var source = random
    try HDF5File.create(path) { root in
      for (name, value) in [
        ("schema", HDF5AttributeValue.string("assay.golden")), ("schema_version", .integer(1)),
        ("case_count", .integer(1)),
        ("oracle_dtype", .string("float64")), ("generator", .string("odd")),
      ] { try root.setAttribute(name, source.chance(99) ? value : attribute(&source)) }
      try writeCase(to: root.createGroup("c"), &source)
    }
    random = source
  }

  private static func writeCase(to group: HDF5Group, _ random: inout OddRandom) throws {
    let operation = random.chance(95) ? random.pick(Problem.types.keys.sorted()) : random.word()
    try group.setAttribute("operation", .string(operation.filter { $0 != "\0" }))
    if random.chance(30) {
      try group.setAttribute("fill", .string(random.pick(["exact", "random", "adversarial", "odd"])))
    }
    if random.chance(15) {
      try group.setAttribute("expect_error", .string(random.pick(["shape_mismatch", "invalid_argument", "odd"])))
    }
    let names = [
      "stride", "padding", "dilation", "groups", "training", "momentum", "eps", "kernel_size", "ceil_mode",
      "output_size",
      "count_include_pad", "divisor_override", "mode", "scale_factor", "size", "align_corners", "reduction",
      "ignore_index", "label_smoothing", "base_width", "stages", "shortcut", "architecture", "num_classes", "lr",
      "dampening", "nesterov", "weight_decay", "betas", "amsgrad", "first_step", "optimizer",
    ]
    for _ in 0..<random.below(4) { try group.setAttribute(random.pick(names), attribute(&random)) }
    switch operation {
    case "adaptive_avg_pool2d": try group.setAttribute("output_size", .integer(random.integer()))
    case "max_pool2d", "avg_pool2d": try group.setAttribute("kernel_size", .integer(1 + random.below(4)))
    case "upsample2d": try group.setAttribute("size", .integer(random.integer()))
    case "sgd_step": try group.setAttribute("lr", .float(random.real()))
    default: break
    }
    let image = [1 + random.below(3), 1 + random.below(4), 1 + random.below(6), 1 + random.below(6)]
    let input: [Int] =
      switch operation {
      case "linear", "cross_entropy": Array(image.prefix(2))
      default: image
      }
    func tensor(_ path: String, _ shape: [Int], integers: Bool = false) throws {
      try write(path, shape, integers: integers, to: group, &random)
    }
    try tensor("inputs/x", input)
    switch operation {
    case "conv2d":
      try tensor("parameters/weight", [1 + random.below(4), image[1], 1 + random.below(3), 1 + random.below(3)])
    case "linear": try tensor("parameters/weight", [1 + random.below(5), image[1]])
    case "add": try tensor("inputs/other", image)
    case "cross_entropy": try tensor("inputs/target", [image[0]], integers: random.chance(90))
    case "sgd_step", "adam_step", "adamw_step":
      try tensor("parameters/p", image)
      try tensor("inputs/gradients", [random.below(5)] + image)
    default: break
    }
    try tensor(operation == "cross_entropy" ? "outputs/loss" : "outputs/y", operation == "cross_entropy" ? [] : input)
    if random.chance(30) { try tensor("upstream/y", input) }
    if random.chance(30) { try tensor("gradients/x", input) }
  }

  private static func write(
    _ path: String, _ usual: [Int], integers: Bool, to group: HDF5Group, _ random: inout OddRandom
  ) throws {
    var shape = usual
    if random.chance(8) { shape = (0..<random.below(6)).map { _ in random.integer() } }
    let parts = path.split(separator: "/").map(String.init)
    let parent: HDF5Group
    if case .group(let found)? = try group.memberIfPresent(parts[0]) {
      parent = found
    } else {
      parent = try group.createGroup(parts[0])
    }
    let small = shape.allSatisfy { (0...16).contains($0) } && shape.reduce(1, *) <= 1 << 16
    if !small || random.chance(5) {
      let dataset = try parent.createNullDataset(parts[1])
      for (name, value) in [
        ("procedural", HDF5AttributeValue.string("splitmix64-uniform")), ("shape", .integers(shape)),
        ("seed", .integer(1)),
        ("low", .float(-1)), ("high", .float(1)),
      ] { try dataset.setAttribute(name, random.chance(97) ? value : attribute(&random)) }
      return
    }
    let options = HDF5DatasetOptions(
      chunk: shape.isEmpty || shape.contains(0) || random.chance(70) ? nil : shape.map { 1 + random.below($0) },
      deflateLevel: random.chance(20) ? 6 : nil, fletcher32: random.chance(20))
    let count = shape.reduce(1, *)
    let dataset: HDF5Dataset
    if integers {
      dataset = try parent.createDataset(
        parts[1], shape: shape, values: (0..<count).map { _ in random.integer() }, options: options)
    } else if random.chance(90) {
      let values = (0..<count).map { _ in Float(random.chance(90) ? Double(random.below(64)) / 16 - 2 : random.real()) }
      dataset = try parent.createDataset(parts[1], shape: shape, values: values, options: options)
    } else {
      dataset = try parent.createDataset(
        parts[1], shape: shape, values: (0..<count).map { _ in random.real() }, options: options)
    }
    if random.chance(5) { try dataset.setAttribute(random.pick(["atol", "rtol", "max_ulp"]), attribute(&random)) }
  }

  private static func attribute(_ random: inout OddRandom) -> HDF5AttributeValue {
    switch random.below(9) {
    case 0: .integers((0..<random.below(4)).map { _ in random.integer() })
    case 1: .float(random.real())
    case 2: .floats((0..<random.below(4)).map { _ in random.real() })
    case 3: .string(random.word().filter { $0 != "\0" })
    case 4: .strings((0..<random.below(4)).map { _ in random.word().filter { $0 != "\0" } })
    case 5: .boolean(random.chance(50))
    case 6: .unsigned(random.bits())
    default: .integer(random.integer())
    }
  }
}
