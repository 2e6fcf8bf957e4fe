import Problems
import Tensors

extension Conv2d {
  public static let perturbations: Applicable<[Perturbation]> = .some([
    .operand("flipped kernel", "weight") { Perturbation.flipped($0) },
    .operand("shifted window") { Perturbation.rolled($0) },
    .operand("dropped term", "weight") { Perturbation.lastTapDropped($0) },
    .operand("dropped bias", "bias") { Perturbation.zeroed($0) },
  ])

  /// Mistakes that people make in convolutions.
  public static let mutants: Applicable<[Mutant]> = .some(
    indexing + precision + accuracy + sixteenBits + backward + padding + winograd
      + Mutant.hiddenByRandomValues(of: name, called: "convolution", .convolution))

  private static func asking(_ name: String, _ change: @escaping @Sendable (inout Exercise) -> Void) -> Mutant {
    .asking(name, .convolution, [Self.name], change)
  }

  private static func answering(
    _ name: String, _ change: @escaping @Sendable (inout Answer, Exercise) -> Void
  ) -> Mutant {
    .answering(name, .convolution, [Self.name], change)
  }

  private static func stateless(_ name: String, _ defect: @escaping Mutant.Defect) -> Mutant {
    .stateless(name, .convolution, [Self.name], defect)
  }

  /// A kernel whose taps stand elsewhere: the weight is laid into a larger kernel of dilation 1 at the places given.
  private static func taps(
    _ name: String, _ place: @escaping @Sendable (_ tap: Int, _ dilation: Int) -> Int
  ) -> Mutant {
    stateless(name) { (exercise, correct) throws(EngineError) in
      let dilation = exercise.pair("dilation", default: 1)
      guard let shape = exercise.parameters["weight"]?.shape, shape.rank == 4 else { return try correct(exercise) }
      let spread = Shape(
        shape[0], shape[1], dilation.height * (shape[2] - 1) + 1, dilation.width * (shape[3] - 1) + 1)
      var changed = exercise
      changed.attributes["dilation"] = .integer(1)
      changed.parameters.edit("weight") { weight in
        let source = weight
        weight = Tensor(zeros: spread)
        for offset in 0..<source.count {
          let index = source.shape.index(ofOffset: offset)
          let row = min(place(index[2], dilation.height), spread[2] - 1)
          let column = min(place(index[3], dilation.width), spread[3] - 1)
          weight.elements[((index[0] * spread[1] + index[1]) * spread[2] + row) * spread[3] + column] +=
            source.elements[offset]
        }
      }
      var answer = try correct(changed)
      answer.gradients.edit("weight") { gradient in
        gradient = gradient.gathered(shape) { index in
          [index[0], index[1], place(index[2], dilation.height), place(index[3], dilation.width)]
        }
      }
      return answer
    }
  }

  private static func flipped(_ weight: Tensor<Double>) -> Tensor<Double> {
    guard weight.shape.rank == 4 else { return weight }
    return weight.gathered { [$0[0], $0[1], weight.shape[2] - 1 - $0[2], weight.shape[3] - 1 - $0[3]] }
  }

  private static func swapped(_ exercise: inout Exercise, _ name: String) {
    let pair = exercise.pair(name, default: 0)
    if pair.height != pair.width { exercise.attributes[name] = .integers([pair.width, pair.height]) }
  }

  private static let indexing: [Mutant] = [
    stateless("kernel flipped") { (exercise, correct) throws(EngineError) in
      var changed = exercise
      changed.parameters.edit("weight") { $0 = flipped($0) }
      var answer = try correct(changed)
      answer.gradients.edit("weight") { $0 = flipped($0) }
      return answer
    },
    asking("stride of height and width swapped") { swapped(&$0, "stride") },
    asking("padding of height and width swapped") { exercise in
      if case .string = exercise.attributes["padding"] { return }
      swapped(&exercise, "padding")
    },
    taps("dilation ignored") { tap, _ in tap },
    taps("dilation one too small") { tap, dilation in tap * max(dilation - 1, 1) },
    asking("every group reads group 0") { exercise in
      guard let groups = try? exercise.attributes.integer("groups", default: 1), groups > 1 else { return }
      exercise.inputs.edit("x") { x in
        let channels = x.shape[1] / groups
        x = x.gathered { [$0[0], $0[1] % channels, $0[2], $0[3]] }
      }
    },
    asking("bias dropped") { $0.parameters.edit("bias") { $0 = $0.map { _ in 0 } } },
    asking("bias by input channel") { exercise in
      guard let channels = exercise.inputs["x"]?.shape.dimensions.dropFirst().first, channels > 0 else { return }
      exercise.parameters.edit("bias") { bias in bias = bias.gathered { [$0[0] % channels] } }
    },
    stateless("border clamped instead of zero") { (exercise, correct) throws(EngineError) in
      guard exercise.attributes["padding"] != nil, case let padding = exercise.pair("padding", default: 0),
        padding.height + padding.width > 0, let shape = exercise.inputs["x"]?.shape, shape.count > 0
      else { return try correct(exercise) }
      var changed = exercise
      changed.attributes["padding"] = .integer(0)
      changed.inputs.edit("x") { x in
        x = x.gathered(Shape(shape[0], shape[1], shape[2] + 2 * padding.height, shape[3] + 2 * padding.width)) {
          index in
          [
            index[0], index[1], min(max(index[2] - padding.height, 0), shape[2] - 1),
            min(max(index[3] - padding.width, 0), shape[3] - 1),
          ]
        }
      }
      var answer = try correct(changed)
      answer.gradients.edit("x") { gradient in
        gradient = gradient.gathered(shape) {
          [$0[0], $0[1], $0[2] + padding.height, $0[3] + padding.width]
        }
      }
      return answer
    },
    answering("last row of the output skipped") { answer, _ in
      answer.outputs.edit("y") { y in y = y.indexed { index, value in index[2] == y.shape[2] - 1 ? 0 : value } }
    },
    stateless("kernel rows and columns exchanged by im2col") { (exercise, correct) throws(EngineError) in
      guard let shape = exercise.parameters["weight"]?.shape, shape.rank == 4, shape[2] == shape[3] else {
        return try correct(exercise)
      }
      var changed = exercise
      changed.parameters.edit("weight") { weight in weight = weight.gathered { [$0[0], $0[1], $0[3], $0[2]] } }
      var answer = try correct(changed)
      answer.gradients.edit("weight") { gradient in gradient = gradient.gathered { [$0[0], $0[1], $0[3], $0[2]] } }
      return answer
    },
    Mutant("buffer not zeroed between calls", .convolution, [Self.name]) {
      let last = Remembered<AnyTensor>()
      return { (exercise, correct) throws(EngineError) in
        var answer = try correct(exercise)
        let fresh = answer.outputs["y"]
        if let before = last.exchange(fresh), before.shape == fresh?.shape {
          answer.outputs.edit("y") { y in
            y = Tensor(shape: y.shape, elements: zip(y.elements, before.doubles.elements).map { $0 + $1 })
          }
        }
        return answer
      }
    },
    asking("channel tail dropped") { exercise in
      guard let channels = exercise.inputs["x"]?.shape[1], channels > 4, channels % 4 != 0 else { return }
      exercise.inputs.edit("x") { x in x = x.indexed { $0[1] >= channels / 4 * 4 ? 0 : $1 } }
    },
    asking("one tap dropped") { exercise in
      exercise.parameters.edit("weight") { weight in
        weight = weight.indexed { $0[2] == 0 && $0[3] == weight.shape[3] - 1 ? 0 : $1 }
      }
    },
    stateless("window one column late") { (exercise, correct) throws(EngineError) in
      var changed = exercise
      changed.inputs.edit("x") { x in x = x.gathered { [$0[0], $0[1], $0[2], $0[3] + 1] } }
      return try correct(changed)
    },
    stateless("padding same puts the odd column first") { (exercise, correct) throws(EngineError) in
      guard exercise.attributes["padding"] == .string("same"), let weight = exercise.parameters["weight"]?.shape,
        (exercise.pair("dilation", default: 1).width * (weight[3] - 1)) % 2 == 1
      else { return try correct(exercise) }
      var changed = exercise
      changed.inputs.edit("x") { x in x = x.gathered { [$0[0], $0[1], $0[2], $0[3] - 1] } }
      return try correct(changed)
    },
    answering("output channels in groups interleaved") { answer, exercise in
      guard let groups = try? exercise.attributes.integer("groups", default: 1), groups > 1 else { return }
      answer.outputs.edit("y") { y in
        let each = y.shape[1] / groups
        y = y.gathered { [$0[0], $0[1] % groups * each + $0[1] / groups, $0[2], $0[3]] }
      }
    },
  ]

  private static func quantised(_ name: String, bits: Int) -> Mutant {
    asking(name) { exercise in
      exercise.inputs.edit("x") { $0 = $0.rounded(toBits: bits) }
      exercise.parameters.edit("weight") { $0 = $0.rounded(toBits: bits) }
    }
  }

  private static let precision: [Mutant] = [
    quantised("inputs rounded to bf16", bits: 8),
    quantised("inputs rounded to TF32", bits: 11),
    stateless("sums kept in f16") { (exercise, correct) throws(EngineError) in
      guard let x = exercise.inputs["x"]?.shape, exercise.parameters["weight"]?.shape[1] == x[1], x[1] > 1 else {
        return try correct(exercise)
      }
      // One input channel at a time, the running sum rounded to eleven bits after each.
      var answer = try correct(exercise)
      var sum: Tensor<Double>?
      for channel in 0..<x[1] {
        var part = exercise
        part.passes = [.forward]
        part.inputs.edit("x") { x in x = x.indexed { $0[1] == channel ? $1 : 0 } }
        if channel > 0 { part.parameters.edit("bias") { $0 = $0.map { _ in 0 } } }
        guard let y = try correct(part).outputs["y"]?.doubles else { return answer }
        sum = Tensor(
          shape: y.shape,
          elements: zip(sum?.elements ?? Array(repeating: 0, count: y.count), y.elements).map {
            ($0 + $1).rounded(toBits: 11)
          })
      }
      if let sum { answer.outputs.edit("y") { $0 = sum } }
      return answer
    },
    answering("one element half a percent off") { answer, _ in
      answer.outputs.edit("y") { y in if y.count > 0 { y.elements[y.count / 2] *= 1.005 } }
    },
  ]

  private static let accuracy: [Mutant] = [
    .cutOff("sums of a convolution cut off", name),
    .split("a convolution of two terms of bf16", name, bits: 8, terms: 2),
  ]

  private static let sixteenBits: [Mutant] = [
    .summedInSixteenBits("sums of a convolution kept in 16 bits", name, ["outputs/y"]),
    .summedInSixteenBits("sums of a convolution's dW kept in 16 bits", name, ["gradients/weight"]),
    .summedInSixteenBits("sums of a convolution's dx kept in 16 bits", name, ["gradients/x"]),
    .splitInSixteenBits("sums of a convolution rounded by halves", name),
    .ofSixteenBits("weight rounded to 4 bits of fraction", [name]) { (exercise, correct) throws(EngineError) in
      var changed = exercise
      changed.parameters.edit("weight") { $0 = $0.rounded(toBits: 5) }
      return try correct(changed)
    },
  ]

  /// The gradients of one operand as if the batch had only the images that `keeps` names.
  private static func partOfBatch(
    _ name: String, keeps: @escaping @Sendable (_ image: Int, _ batch: Int) -> Bool
  ) -> Mutant {
    stateless(name) { (exercise, correct) throws(EngineError) in
      var answer = try correct(exercise)
      var part = exercise
      part.upstream.edit("y") { dy in dy = dy.indexed { keeps($0[0], dy.shape[0]) ? $1 : 0 } }
      answer.gradients["weight"] = try correct(part).gradients["weight"]
      return answer
    }
  }

  /// What a processor does that is told to take denormal results for zero: right everywhere but there, and only in single
  /// precision.
  private static let flushing = Mutant(
    "denormal gradients become 0", .convolution, [Self.name], of: "direct"
  ) {
    { (exercise, correct) throws(EngineError) in
      var answer = try correct(exercise)
      for name in answer.gradients.keys {
        answer.gradients.edit(name) { gradient in
          gradient = gradient.map { abs($0) < Double(Float.leastNormalMagnitude) ? 0 : $0 }
        }
      }
      return answer
    }
  }

  private static let backward: [Mutant] = [
    partOfBatch("dW of image 0 only") { image, _ in image == 0 },
    partOfBatch("dW overwritten by the last image") { image, batch in image == batch - 1 },
    stateless("dx with the kernel not flipped") { (exercise, correct) throws(EngineError) in
      var answer = try correct(exercise)
      var part = exercise
      part.parameters.edit("weight") { $0 = flipped($0) }
      answer.gradients["x"] = try correct(part).gradients["x"]
      return answer
    },
    answering("db averaged over the batch") { answer, exercise in
      let batch = Double(exercise.inputs["x"]?.shape[0] ?? 1)
      answer.gradients.edit("bias") { $0 = $0.map { $0 / batch } }
    },
    answering("one element of dW wrong by 1 %") { answer, _ in
      answer.gradients.edit("weight") { dw in if dw.count > 0 { dw.elements[dw.count / 3] *= 1.01 } }
    },
    answering("dx one row off") { answer, _ in
      answer.gradients.edit("x") { dx in dx = dx.gathered { [$0[0], $0[1], $0[2] - 1, $0[3]] } }
    },
    flushing,
    answering("dW transposed between input and output channels") { answer, _ in
      answer.gradients.edit("weight") { dw in
        guard dw.shape[0] == dw.shape[1] else { return }
        dw = dw.gathered { [$0[1], $0[0], $0[2], $0[3]] }
      }
    },
  ]
}

extension Conv2d {
  /// A result without the products of the padding's zeros with what is infinite or NaN in an operand. Where no element of x met
  /// such a value (as counts show: those of ones where the operand is one or zero), the result is that of the finite part.
  /// - Parameters:
  ///   - group, name: the operand.
  ///   - result: what is changed.
  private static func skippingPadding(
    _ name: String, _ group: WritableKeyPath<Exercise, [String: AnyTensor]> & Sendable, _ operand: String,
    _ result: WritableKeyPath<Answer, AnyTensor?> & Sendable
  ) -> Mutant {
    .stateless(name, .convolution, [Self.name]) { (exercise, correct) throws(EngineError) in
      var answer = try correct(exercise)
      guard exercise[keyPath: group][operand]?.doubles.elements.contains(where: { !$0.isFinite }) == true else {
        return answer
      }
      var finite = exercise
      finite[keyPath: group].edit(operand) { $0 = $0.map { $0.isFinite ? $0 : 0 } }
      var counting = exercise
      counting[keyPath: group].edit(operand) { $0 = $0.map { $0.isFinite ? 0 : 1 } }
      counting.inputs.edit("x") { $0 = $0.map { _ in 1 } }
      counting.parameters.edit("bias") { $0 = $0.map { _ in 0 } }
      guard let rest = try correct(finite)[keyPath: result]?.doubles.elements,
        let counts = try correct(counting)[keyPath: result]?.doubles.elements
      else { return answer }
      answer[keyPath: result]?.edit { tensor in
        for i in tensor.elements.indices where counts[i] == 0 { tensor.elements[i] = rest[i] }
      }
      return answer
    }
  }

  fileprivate static let padding: [Mutant] = [
    skippingPadding(
      "zeros of the padding not multiplied by infinite weights", \.parameters, "weight", \.outputs["y"]),
    skippingPadding(
      "zeros of the padding not multiplied by infinite cotangents", \.upstream, "y", \.gradients["weight"]),
  ]
}
