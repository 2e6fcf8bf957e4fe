import Operations
import Problems

/// Texts of problems, as `--operation` and suites take them: parsed, held against the limits, written again.
struct OddProblems: OddInput {
  static let name = "problem text"
  static let share = 34

  init() {}

  mutating func describe(_ random: inout OddRandom) -> String { Self.text(&random) }

  mutating func react(to random: inout OddRandom) throws -> Reaction {
    let text = Self.text(&random)
    do {
      let problem = try Problem.parse(text)
      try CaseLimits.standard.require(problem)
      guard try Problem.parse(problem.text).text == problem.text else { throw Unstable(text: text) }
      return .accepted
    } catch is ProblemError { return .usage }
  }

  struct Unstable: Error { let text: String }

  /// Right in most of its words, so that what is odd is reached.
  static func text(_ random: inout OddRandom) -> String {
    let operation = random.chance(97) ? random.pick(Problem.types.keys.sorted()) : random.word()
    var words = [operation]
    func extents(_ keys: String, _ random: inout OddRandom) -> String {
      keys.map { "\($0)\(random.chance(80) ? 1 + random.below(9) : random.integer())" }.joined()
    }
    switch operation {
    case "linear", "cross_entropy": words.append(extents("nc", &random))
    case "relu", "identity", "dropout", "softmax", "add", "flatten", "log_softmax", "sgd_step", "adam_step",
      "adamw_step":
      words.append(
        random.chance(50)
          ? extents("nchw", &random)
          : "shape" + (0..<random.below(10)).map { _ in "\(random.integer())" }.joined(separator: "x"))
    case "resnet", "training_run":
      words.append(random.chance(70) ? "n\(random.below(4))c3h32w32" : extents("nchw", &random))
    default: words.append(extents("nchw", &random))
    }
    switch operation {
    case "conv2d": words.append(extents("krs", &random))
    case "linear", "basic_block", "bottleneck": words.append(extents("k", &random))
    case "sgd_step", "adam_step", "adamw_step": words.append(extents("t", &random))
    case "training_run": words.append(extents("tb", &random))
    default: break
    }
    let keys = [
      "stride", "pad", "dilation", "groups", "kernel", "output", "scale", "size", "divisor", "ignore", "smoothing",
      "eps",
      "momentum", "lr", "decay", "betas", "from", "width", "classes", "reduction", "mode", "optimizer", "arch",
    ]
    let flags = [
      "bias", "training", "aligned", "ceil", "excludepad", "amsgrad", "nesterov", "target", "projection", "moments",
    ]
    for _ in 0..<random.below(4) {
      switch random.below(6) {
      case 0: words.append(random.pick(flags))
      case 1: words.append(random.pick(keys) + "\(random.integer())x\(random.integer())")
      case 2: words.append(random.pick(keys) + "\(random.real())")
      case 3: words.append(random.pick(keys) + random.word())
      case 4: words.append("stages" + (0..<1 + random.below(4)).map { _ in stage(&random) }.joined(separator: ";"))
      default: words.append(random.pick(keys) + "\(random.integer())")
      }
    }
    if ["resnet", "training_run"].contains(operation), random.chance(90) {
      words.append(
        "arch" + random.pick(["resnet18", "simple_resnet", "cifar_resnet8", "resnet152", "cifar_resnet19994"]))
      words.append("classes\(random.chance(80) ? 10 : random.integer())")
      if operation == "training_run" { words.append(contentsOf: ["optimizersgd", "lr0.1"]) }
    }
    if operation == "adaptive_avg_pool2d" { words.append("output\(random.integer())") }
    if operation == "max_pool2d" || operation == "avg_pool2d" { words.append("kernel\(random.integer())") }
    if operation == "upsample2d" {
      words.append(random.chance(50) ? "scale\(random.real())" : "size\(random.integer())")
    }
    if random.chance(3) { words.shuffle(using: &random) }
    return words.joined(separator: " ")
  }

  static func stage(_ random: inout OddRandom) -> String {
    switch random.below(5) {
    case 0: "bn"
    case 1: "relu"
    case 2: "upsample,size=\(random.integer())x\(random.integer())"
    default: "conv,k=\(random.integer()),out=\(random.integer()),stride=\(random.integer()),pad=\(random.integer())"
    }
  }
}

extension OddRandom: RandomNumberGenerator {
  mutating func next() -> UInt64 { bits() }
}
