import Problems
import Tensors

extension ConvTranspose2d {
  public static let perturbations: Applicable<[Perturbation]> = .some([
    .operand("flipped kernel", "weight") { Perturbation.flipped($0) },
    .operand("shifted window") { Perturbation.rolled($0) },
    .operand("dropped term", "weight") { Perturbation.lastTapDropped($0) },
    .operand("dropped bias", "bias") { Perturbation.zeroed($0) },
  ])

  /// Mistakes that people make in transposed convolutions.
  public static let mutants: Applicable<[Mutant]> = .some(
    (geometry + channels + precision + backward + infinities).map(\.ofTransposed)
      + Mutant.hiddenByRandomValues(of: name, called: "transposed convolution", .convolution))

  private static func asking(_ name: String, _ change: @escaping @Sendable (inout Exercise) -> Void) -> Mutant {
    .asking(name, .convolution, [Self.name], change)
  }

  private static func answering(
    _ name: String, _ change: @escaping @Sendable (inout Answer, Exercise) -> Void
  ) -> Mutant { .answering(name, .convolution, [Self.name], change) }

  private static func stateless(_ name: String, _ defect: @escaping Mutant.Defect) -> Mutant {
    .stateless(name, .convolution, [Self.name], defect)
  }

  private static func flipped(_ weight: Tensor<Double>) -> Tensor<Double> { Perturbation.flipped(weight) ?? weight }

  private static func groups(of exercise: Exercise) -> Int {
    (try? exercise.attributes.integer("groups", default: 1)) ?? 1
  }

  /// y moved down and right; zeros come in.
  private static func shifting(
    _ name: String, by shift: @escaping @Sendable (Exercise) -> Pair
  ) -> Mutant {
    answering(name) { answer, exercise in
      let by = shift(exercise)
      answer.outputs.edit("y") { y in y = y.gathered { [$0[0], $0[1], $0[2] - by.height, $0[3] - by.width] } }
    }
  }

  private static let geometry: [Mutant] = [
    stateless("kernel flipped") { (exercise, correct) throws(EngineError) in
      var changed = exercise
      changed.parameters.edit("weight") { $0 = flipped($0) }
      var answer = try correct(changed)
      answer.gradients.edit("weight") { $0 = flipped($0) }
      return answer
    },
    stateless("strides of height and width swapped") { (exercise, correct) throws(EngineError) in
      let stride = exercise.pair("stride", default: 1)
      var changed = exercise
      changed.attributes["stride"] = .integers([stride.width, stride.height])
      changed.attributes["output_padding"] = .integer(0)
      guard stride.height != stride.width, let own = try? exercise.problem()?.outputs["y"]?.shape,
        let shape = try? changed.problem()?.outputs["y"]?.shape
      else { return try correct(exercise) }
      // y and its cotangent keep their sizes: what is beyond them is lost.
      changed.upstream.edit("y") { dy in dy = dy.gathered(shape) { $0 } }
      var answer = try correct(changed)
      answer.outputs.edit("y") { y in y = y.gathered(own) { $0 } }
      return answer
    },
    shifting("output padding in front") { $0.pair("output_padding", default: 0) },
    answering("rows of the output padding left at zero") { answer, exercise in
      let extra = exercise.pair("output_padding", default: 0)
      answer.outputs.edit("y") { y in
        let inner = Pair(y.shape[2] - extra.height, y.shape[3] - extra.width)
        y = y.indexed { $0[2] < inner.height && $0[3] < inner.width ? $1 : 0 }
      }
    },
    // h·stride + r·dilation + padding.
    shifting("padding added rather than removed") { exercise in
      let padding = exercise.pair("padding", default: 0)
      return Pair(2 * padding.height, 2 * padding.width)
    },
    stateless("dilation ignored") { (exercise, correct) throws(EngineError) in
      let dilation = exercise.pair("dilation", default: 1)
      guard let shape = exercise.parameters["weight"]?.shape, shape.rank == 4 else { return try correct(exercise) }
      // A kernel without dilation that covers as much, with the taps side by side at its beginning.
      let spread = Shape(
        shape[0], shape[1], dilation.height * (shape[2] - 1) + 1, dilation.width * (shape[3] - 1) + 1)
      var changed = exercise
      changed.attributes["dilation"] = .integer(1)
      changed.parameters.edit("weight") { weight in weight = weight.gathered(spread) { $0 } }
      var answer = try correct(changed)
      answer.gradients.edit("weight") { gradient in gradient = gradient.gathered(shape) { $0 } }
      return answer
    },
    stateless("overlapping products overwritten") { (exercise, correct) throws(EngineError) in
      var answer = try correct(exercise)
      guard let taps = exercise.parameters["weight"]?.shape.dimensions.suffix(2).reduce(1, *) else { return answer }
      var overwritten = answer.outputs["y"]?.doubles.elements ?? []
      for tap in 0..<taps {
        // What one tap gives, and where: the tap alone, and ones at the tap on an image of ones.
        var part = exercise
        part.passes = [.forward]
        part.parameters.edit("weight") { weight in
          for i in weight.elements.indices where i % taps != tap { weight.elements[i] = 0 }
        }
        var reach = part
        reach.inputs.edit("x") { $0 = $0.map { _ in 1 } }
        reach.parameters.edit("bias") { $0 = $0.map { _ in 0 } }
        reach.parameters.edit("weight") { weight in
          for i in weight.elements.indices where i % taps == tap { weight.elements[i] = 1 }
        }
        let (given, reached) = (try correct(part).outputs["y"]?.doubles, try correct(reach).outputs["y"]?.doubles)
        guard let given, let reached else { return answer }
        for i in overwritten.indices where reached.elements[i] != 0 { overwritten[i] = given.elements[i] }
      }
      answer.outputs.edit("y") { y in y = Tensor(shape: y.shape, elements: overwritten) }
      return answer
    },
    answering("last row of the output skipped") { answer, _ in
      answer.outputs.edit("y") { y in y = y.indexed { $0[2] == y.shape[2] - 1 ? 0 : $1 } }
    },
    asking("one tap dropped") { exercise in
      exercise.parameters.edit("weight") { weight in
        weight = weight.indexed { $0[2] == 0 && $0[3] == weight.shape[3] - 1 ? 0 : $1 }
      }
    },
  ]

  private static let channels: [Mutant] = [
    // A convolution's layout: the same memory read as (out, in).
    stateless("weight taken as (out, in)") { (exercise, correct) throws(EngineError) in
      var changed = exercise
      changed.parameters.edit("weight") { $0 = misread($0, rows: $0.shape[1]) }
      var answer = try correct(changed)
      answer.gradients.edit("weight") { $0 = misread($0, rows: $0.shape[0]) }
      return answer
    },
    asking("every group reads group 0") { exercise in
      let groups = groups(of: exercise)
      exercise.inputs.edit("x") { x in
        let each = x.shape[1] / groups
        x = x.gathered { [$0[0], $0[1] % each, $0[2], $0[3]] }
      }
    },
    answering("output channels in groups interleaved") { answer, exercise in
      let groups = groups(of: exercise)
      answer.outputs.edit("y") { y in
        let each = y.shape[1] / groups
        y = y.gathered { [$0[0], $0[1] % groups * each + $0[1] / groups, $0[2], $0[3]] }
      }
    },
    asking("bias dropped") { $0.parameters.edit("bias") { $0 = $0.map { _ in 0 } } },
    asking("bias by input channel") { exercise in
      guard let channels = exercise.inputs["x"]?.shape[1] else { return }
      exercise.parameters.edit("bias") { bias in bias = bias.gathered { [$0[0] % channels] } }
    },
    stateless("bias added once for each tap") { (exercise, correct) throws(EngineError) in
      var changed = exercise
      let taps = Double(exercise.parameters["weight"]?.shape.dimensions.suffix(2).reduce(1, *) ?? 1)
      changed.parameters.edit("bias") { $0 = $0.map { taps * $0 } }
      return try correct(changed)
    },
    asking("channel tail dropped") { exercise in
      guard let channels = exercise.inputs["x"]?.shape[1], channels > 4 else { return }
      exercise.inputs.edit("x") { x in x = x.indexed { $0[1] >= channels / 4 * 4 ? 0 : $1 } }
    },
  ]

  /// Filters in memory under the other reading of the first two axes: what a missing transposition does.
  /// - Parameter rows: the first extent of that reading.
  private static func misread(_ weight: Tensor<Double>, rows: Int) -> Tensor<Double> {
    let taps = weight.shape.dimensions.suffix(2).reduce(1, *)
    let filters = weight.count / max(taps, 1)
    return Tensor(
      shape: weight.shape,
      elements: weight.elements.indices.map { element in
        let (filter, tap) = element.quotientAndRemainder(dividingBy: taps)
        return weight.elements[(filter % rows * (filters / rows) + filter / rows) * taps + tap]
      })
  }

  private static func quantised(_ name: String, bits: Int) -> Mutant {
    asking(name) { exercise in
      exercise.inputs.edit("x") { $0 = $0.rounded(toBits: bits) }
      exercise.parameters.edit("weight") { $0 = $0.rounded(toBits: bits) }
    }
  }

  private static let precision: [Mutant] = [
    quantised("inputs rounded to bf16", bits: 8),
    quantised("inputs rounded to TF32", bits: 11),
    answering("one element half a percent off") { answer, _ in
      answer.outputs.edit("y") { y in if y.count > 0 { y.elements[y.count / 2] *= 1.005 } }
    },
  ]

  private static let backward: [Mutant] = [
    stateless("dx with the kernel flipped") { (exercise, correct) throws(EngineError) in
      var answer = try correct(exercise)
      var part = exercise
      part.parameters.edit("weight") { $0 = flipped($0) }
      answer.gradients["x"] = try correct(part).gradients["x"]
      return answer
    },
    answering("dx one row off") { answer, _ in
      answer.gradients.edit("x") { dx in dx = dx.gathered { [$0[0], $0[1], $0[2] - 1, $0[3]] } }
    },
    answering("dW transposed between input and output channels") { answer, _ in
      answer.gradients.edit("weight") { $0 = misread($0, rows: $0.shape[0]) }
    },
    answering("dW flipped") { answer, _ in answer.gradients.edit("weight") { $0 = flipped($0) } },
    stateless("dW of the last image alone") { (exercise, correct) throws(EngineError) in
      var answer = try correct(exercise)
      var part = exercise
      part.upstream.edit("y") { dy in dy = dy.indexed { $0[0] == dy.shape[0] - 1 ? $1 : 0 } }
      answer.gradients["weight"] = try correct(part).gradients["weight"]
      return answer
    },
    answering("db averaged over the batch") { answer, exercise in
      let batch = Double(exercise.inputs["x"]?.shape[0] ?? 1)
      answer.gradients.edit("bias") { $0 = $0.map { $0 / batch } }
    },
    stateless("db without the rows of the output padding") { (exercise, correct) throws(EngineError) in
      var answer = try correct(exercise)
      let extra = exercise.pair("output_padding", default: 0)
      var part = exercise
      part.upstream.edit("y") { dy in
        let rows = dy.shape[2] - extra.height
        dy = dy.indexed { $0[2] < rows ? $1 : 0 }
      }
      answer.gradients["bias"] = try correct(part).gradients["bias"]
      return answer
    },
  ]

  /// Products with zeros: those that the definition has and an implementation leaves out, and the other way round. Counts show
  /// where they are: the operation on ones and zeros says how many infinite or NaN weights an element met.
  private static let infinities: [Mutant] = [
    stateless("zeros around dy not multiplied by infinite weights") { (exercise, correct) throws(EngineError) in
      var answer = try correct(exercise)
      guard let (finite, counting) = separated(exercise) else { return answer }
      let (rest, counts) = (try correct(finite).gradients["x"]?.doubles, try correct(counting).gradients["x"]?.doubles)
      guard let rest, let counts else { return answer }
      answer.gradients.edit("x") { dx in
        for i in dx.elements.indices where counts.elements[i] == 0 { dx.elements[i] = rest.elements[i] }
      }
      return answer
    },
    stateless("zeros between the strides multiplied by infinite weights") { (exercise, correct) throws(EngineError) in
      var answer = try correct(exercise)
      guard let (_, counting) = separated(exercise) else { return answer }
      guard let counts = try correct(counting).outputs["y"]?.doubles else { return answer }
      let most = counts.elements.max() ?? 0
      answer.outputs.edit("y") { y in
        for i in y.elements.indices where counts.elements[i] < most { y.elements[i] = .nan }
      }
      return answer
    },
  ]

  /// The exercise without its infinite and NaN weights, and one in which these are 1 and all other weights 0, on ones.
  private static func separated(_ exercise: Exercise) -> (finite: Exercise, counting: Exercise)? {
    guard exercise.parameters["weight"]?.doubles.elements.contains(where: { !$0.isFinite }) == true else { return nil }
    var (finite, counting) = (exercise, exercise)
    finite.parameters.edit("weight") { $0 = $0.map { $0.isFinite ? $0 : 0 } }
    counting.parameters.edit("weight") { $0 = $0.map { $0.isFinite ? 0 : 1 } }
    counting.parameters.edit("bias") { $0 = $0.map { _ in 0 } }
    counting.inputs.edit("x") { $0 = $0.map { _ in 1 } }
    counting.upstream.edit("y") { $0 = $0.map { _ in 1 } }
    return (finite, counting)
  }
}

extension Mutant {
  /// Named after its operation: a convolution has many of the same mistakes.
  fileprivate var ofTransposed: Mutant {
    Mutant("\(name) (transposed convolution)", family, operations, of: base, make: make)
  }
}
