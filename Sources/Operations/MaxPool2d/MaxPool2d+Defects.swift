import Engines
import Problems
import Tensors

/// Mistakes that people make in ReLU, pooling and resizing.
enum PoolingMutants {
  static let all: [Mutant] = relu + maxPool + averages + resizing

  private static func stateless(_ name: String, _ operations: [String], _ defect: @escaping Mutant.Defect) -> Mutant {
    .stateless(name, .reluAndPooling, operations, defect)
  }
  private static func asking(
    _ name: String, _ operations: [String], _ change: @escaping @Sendable (inout Exercise) -> Void
  ) -> Mutant { .asking(name, .reluAndPooling, operations, change) }
  private static func answering(
    _ name: String, _ operations: [String], _ change: @escaping @Sendable (inout Answer, Exercise) -> Void
  ) -> Mutant { .answering(name, .reluAndPooling, operations, change) }

  /// dx recomputed element by element from x and dy.
  private static func gradient(
    _ name: String, _ rule: @escaping @Sendable (_ dx: Double, _ x: Double, _ dy: Double) -> Double
  ) -> Mutant {
    answering(name, ["relu"]) { answer, exercise in
      guard let x = exercise.inputs["x"]?.doubles.elements, let dy = exercise.upstream["y"]?.doubles.elements else {
        return
      }
      answer.gradients.edit("x") { dx in
        for i in dx.elements.indices { dx.elements[i] = rule(dx.elements[i], x[i], dy[i]) }
      }
    }
  }

  private static let relu: [Mutant] = [
    asking("cotangents beyond ±2 cut off", ["relu"]) { exercise in
      exercise.upstream.edit("y") { dy in dy = dy.map { min(max($0, -2), 2) } }
    },
    answering("NaN becomes 0", ["relu", "max_pool2d"]) { answer, _ in
      answer.outputs.edit("y") { $0 = $0.map { $0.isNaN ? 0 : $0 } }
    },
    gradient("gradient passes at 0") { dx, x, dy in x == 0 ? dy : dx },
    gradient("half the gradient at 0") { dx, x, dy in x == 0 ? dy / 2 : dx },
    gradient("mask from the cotangent") { _, _, dy in dy > 0 ? dy : 0 },
    answering("slope of 1/1000 below 0", ["relu"]) { answer, exercise in
      guard let x = exercise.inputs["x"]?.doubles.elements else { return }
      answer.outputs.edit("y") { y in
        for i in y.elements.indices where x[i] < 0 && x[i].isFinite { y.elements[i] = x[i] / 1000 }
      }
    },
    answering("denormals become 0", ["relu"]) { answer, exercise in
      let least = exercise.dtype == .float32 ? Double(Float.leastNormalMagnitude) : .leastNormalMagnitude
      answer.outputs.edit("y") { $0 = $0.map { abs($0) < least ? 0 : $0 } }
    },
  ]

  /// Every window of a max pool with its positions, as offsets into x.
  private static func windows(_ exercise: Exercise) -> [[Int]] {
    guard let problem = try? exercise.problem() as? MaxPool2dProblem, let x = exercise.inputs["x"]?.shape else {
      return []
    }
    let window = problem.window
    return (0..<problem.outputShape.count).map { offset in
      let index = problem.outputShape.index(ofOffset: offset)
      var positions: [Int] = []
      for r in 0..<window.kernelSize.height {
        for s in 0..<window.kernelSize.width {
          let h = index[2] * window.stride.height + r * window.dilation.height - window.padding.height
          let w = index[3] * window.stride.width + s * window.dilation.width - window.padding.width
          if h >= 0, h < x[2], w >= 0, w < x[3] {
            positions.append(((index[0] * x[1] + index[1]) * x[2] + h) * x[3] + w)
          }
        }
      }
      return positions
    }
  }

  private static func maxGradient(
    _ name: String,
    _ rule: @escaping @Sendable (_ dx: inout [Double], _ dy: Double, _ winners: [Int]) -> Void
  ) -> Mutant {
    answering(name, ["max_pool2d"]) { answer, exercise in
      guard let x = exercise.inputs["x"]?.doubles.elements, let y = answer.outputs["y"]?.doubles.elements,
        let dy = exercise.upstream["y"]?.doubles.elements
      else { return }
      let windows = windows(exercise)
      guard windows.count == y.count else { return }
      answer.gradients.edit("x") { dx in
        dx = Tensor(zeros: dx.shape)
        for (output, window) in windows.enumerated() {
          rule(&dx.elements, dy[output], window.filter { x[$0] == y[output] })
        }
      }
    }
  }

  private static let maxPool: [Mutant] = [
    answering("maximum starts at 0", ["max_pool2d"]) { answer, _ in
      answer.outputs.edit("y") { $0 = $0.map { $0 < 0 ? 0 : $0 } }
    },
    answering("padding taken as 0 instead of −∞", ["max_pool2d"]) { answer, exercise in
      guard exercise.pair("padding", default: 0) != Pair(0, 0) else { return }
      let kernel = exercise.pair("kernel_size", default: 1)
      let windows = windows(exercise)
      answer.outputs.edit("y") { y in
        for (i, window) in windows.enumerated() where window.count < kernel.height * kernel.width && y.elements[i] < 0 {
          y.elements[i] = 0
        }
      }
    },
    answering("pooled input read one element past its end", ["max_pool2d", "avg_pool2d"]) { answer, exercise in
      Overread.spoil(&answer, exercise)
    },
    asking("NaN skipped", ["max_pool2d"]) { exercise in
      exercise.inputs.edit("x") { $0 = $0.map { $0.isNaN ? -.infinity : $0 } }
    },
    maxGradient("gradient to every tie") { dx, dy, winners in for i in winners { dx[i] += dy } },
    maxGradient("gradient to the last tie") { dx, dy, winners in if let last = winners.last { dx[last] += dy } },
    maxGradient("gradient assigned where windows overlap") { dx, dy, winners in
      if let first = winners.first { dx[first] = dy }
    },
    answering("indices one too large", ["max_pool2d"]) { answer, _ in
      if case .int64(let indices)? = answer.outputs["indices"] {
        answer.outputs["indices"] = .int64(indices.map { $0 + 1 })
      }
    },

  ]

  /// The answer with the output cut, or filled up with zeros, to the size that was asked for.
  private static func resized(_ answer: inout Answer, _ shape: Shape?) {
    guard let shape else { return }
    answer.outputs.edit("y") { y in y = y.gathered(shape) { $0 } }
  }

  private static func toggled(_ name: String, _ attribute: String, _ operations: [String], default value: Bool)
    -> Mutant
  {
    asking(name, operations) { exercise in
      let now = (try? exercise.attributes.boolean(attribute, default: value)) ?? value
      exercise.attributes[attribute] = .boolean(!now)
    }
  }

  private static let averages: [Mutant] = [
    asking("divisor always the kernel's size", ["avg_pool2d"]) { exercise in
      let kernel = exercise.pair("kernel_size", default: 1)
      exercise.attributes["divisor_override"] = .integer(kernel.height * kernel.width)
    },
    toggled("count_include_pad inverted", "count_include_pad", ["avg_pool2d"], default: true),
    asking("divisor_override ignored", ["avg_pool2d"]) { $0.attributes["divisor_override"] = nil },
    stateless("ceil taken as floor", ["avg_pool2d", "max_pool2d"]) { (exercise, correct) throws(EngineError) in
      let correctShape = (try? exercise.problem())??.outputs["y"]?.shape
      var changed = exercise
      changed.attributes["ceil_mode"] = .boolean(false)
      changed.passes = [.forward]
      guard var answer = try? correct(changed) else { return try correct(exercise) }
      answer.gradients = try correct(exercise).gradients
      resized(&answer, correctShape)
      return answer
    },
    stateless("overhang of the last window counted", ["avg_pool2d"]) { (exercise, correct) throws(EngineError) in
      guard (try? exercise.attributes.boolean("ceil_mode", default: false)) == true,
        exercise.attributes["divisor_override"] == nil
      else { return try correct(exercise) }
      let kernel = exercise.pair("kernel_size", default: 1)
      var changed = exercise
      changed.attributes["divisor_override"] = .integer(kernel.height * kernel.width)
      return try correct(changed)
    },
    stateless("adaptive windows end at the floor", ["adaptive_avg_pool2d"]) { (exercise, correct) throws(EngineError) in
      var answer = try correct(exercise)
      guard let x = exercise.inputs["x"]?.doubles, let size = answer.outputs["y"]?.shape else { return answer }
      func part(_ i: Int, _ input: Int, _ output: Int) -> Range<Int> {
        let start = i * input / output
        return start..<max((i + 1) * input / output, start + 1)
      }
      answer.outputs.edit("y") { y in
        y = y.indexed { index, value in
          let (rows, columns) = (part(index[2], x.shape[2], size[2]), part(index[3], x.shape[3], size[3]))
          // Only where the floor makes a difference; everything else stays as it was computed.
          let whole = (index[2] + 1) * x.shape[2] % size[2] == 0 && (index[3] + 1) * x.shape[3] % size[3] == 0
          if whole { return value }
          var sum = 0.0
          for h in rows {
            for w in columns {
              sum += x.elements[((index[0] * x.shape[1] + index[1]) * x.shape[2] + h) * x.shape[3] + w]
            }
          }
          return sum / Double(rows.count * columns.count)
        }
      }
      return answer
    },
    answering("global average not divided", ["adaptive_avg_pool2d"]) { answer, exercise in
      guard let x = exercise.inputs["x"]?.shape, let y = answer.outputs["y"]?.shape, y[2] * y[3] == 1 else { return }
      answer.outputs.edit("y") { $0 = $0.map { $0 * Double(x[2] * x[3]) } }
    },
    answering("gradient of the average not divided", ["avg_pool2d", "adaptive_avg_pool2d"]) { answer, exercise in
      guard let x = exercise.inputs["x"]?.shape, let y = answer.outputs["y"]?.shape else { return }
      let size = Double(max(x[2] * x[3] / max(y[2] * y[3], 1), 2))
      answer.gradients.edit("x") { $0 = $0.map { $0 * size } }
    },
  ]

  private static let resizing: [Mutant] = [
    asking("align_corners inverted", ["upsample2d"]) { exercise in
      guard exercise.attributes["mode"] == .string("bilinear") else { return }
      let now = (try? exercise.attributes.boolean("align_corners", default: false)) ?? false
      exercise.attributes["align_corners"] = .boolean(!now)
    },
    stateless("an axis that keeps its size interpolated", ["upsample2d"]) { (exercise, correct) throws(EngineError) in
      var answer = try correct(exercise)
      guard let x = exercise.inputs["x"]?.shape, let y = answer.outputs["y"]?.shape,
        let factors = try? exercise.attributes.realPair("scale_factor", default: nil)
      else { return answer }
      // With so many copies of its last row or column that the factor does enlarge it, the axis follows the formula.
      func extended(_ extent: Int, _ output: Int, _ factor: Double) -> Int {
        output == extent && factor > 1 ? max(extent, Int((1 / (factor - 1)).rounded(.up)) + 1) : extent
      }
      let (height, width) = (extended(x[2], y[2], factors.0), extended(x[3], y[3], factors.1))
      guard height > x[2] || width > x[3] else { return answer }
      var changed = exercise
      changed.passes = [.forward]
      changed.inputs.edit("x") { image in
        image = image.gathered([x[0], x[1], height, width]) {
          [$0[0], $0[1], min($0[2], x[2] - 1), min($0[3], x[3] - 1)]
        }
      }
      answer.outputs["y"] = try correct(changed).outputs["y"]
      resized(&answer, y)
      return answer
    },
    asking("nearest in place of bilinear", ["upsample2d"]) { exercise in
      exercise.attributes["mode"] = .string("nearest")
      exercise.attributes["align_corners"] = nil
    },
    answering("gradient assigned where outputs share an input", ["upsample2d"]) { answer, exercise in
      guard let dy = exercise.upstream["y"]?.doubles, exercise.attributes["mode"] != .string("bilinear") else { return }
      let x = exercise.inputs["x"]?.shape ?? dy.shape
      answer.gradients.edit("x") { dx in
        dx = dx.gathered(x) { $0 }
        dx = dy.gathered(x) { index in
          [index[0], index[1], index[2] * dy.shape[2] / max(x[2], 1), index[3] * dy.shape[3] / max(x[3], 1)]
        }
      }
    },
  ]
}
