import Problems
import Tensors

extension MaxPool2d {
  public static let perturbations: Applicable<[Perturbation]> = .some([
    .operand("shifted window") { Perturbation.rolled($0) },
    Perturbation(name: "dropped term", apply: Perturbation.greatestDropped),
  ])

  /// Mistakes that people make in max pooling.
  public static let mutants: Applicable<[Mutant]> = .some([
    .summedInSixteenBits("gradients of overlapping windows summed in 16 bits", name, ["gradients/x"]),
    answering("maximum starts at 0") { answer, _ in
      answer.outputs.edit("y") { $0 = $0.map { $0 < 0 ? 0 : $0 } }
    },
    answering("padding taken as 0 instead of −∞") { answer, exercise in
      guard exercise.pair("padding", default: 0) != Pair(0, 0) else { return }
      let kernel = exercise.pair("kernel_size", default: 1)
      let windows = windows(exercise)
      answer.outputs.edit("y") { y in
        for (i, window) in windows.enumerated() where window.count < kernel.height * kernel.width && y.elements[i] < 0 {
          y.elements[i] = 0
        }
      }
    },
    asking("NaN skipped") { exercise in
      exercise.inputs.edit("x") { $0 = $0.map { $0.isNaN ? -.infinity : $0 } }
    },
    maxGradient("gradient to every tie") { dx, dy, winners in for i in winners { dx[i] += dy } },
    maxGradient("gradient to the last tie") { dx, dy, winners in if let last = winners.last { dx[last] += dy } },
    maxGradient("gradient assigned where windows overlap") { dx, dy, winners in
      if let first = winners.first { dx[first] = dy }
    },
    answering("indices one too large") { answer, _ in
      if case .int64(let indices)? = answer.outputs["indices"] {
        answer.outputs["indices"] = .int64(indices.map { $0 + 1 })
      }
    },
    .quietNaN(in: name), .ceilAsFloor(in: name),
  ])

  private static func asking(_ name: String, _ change: @escaping @Sendable (inout Exercise) -> Void) -> Mutant {
    .asking(name, .reluAndPooling, [Self.name], change)
  }

  private static func answering(
    _ name: String, _ change: @escaping @Sendable (inout Answer, Exercise) -> Void
  ) -> Mutant { .answering(name, .reluAndPooling, [Self.name], change) }

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
    answering(name) { answer, exercise in
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
}
