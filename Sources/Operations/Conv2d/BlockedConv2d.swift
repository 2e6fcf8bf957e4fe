import Problems
import Tensors

/// A convolution and its gradients in double precision as products of matrices (``BlockedProduct``): what checks compute their
/// expected values and bounds with, in a fraction of the time of the plain loops of ``Conv2d``.
///
/// It shares nothing with these loops, nor with any engine, and is held to ``Conv2d`` on random problems. In each of the three
/// products an operand's element stands at the sum of two offsets, one for the row and one for the column:
///
///     y[k, (n,p,q)]       = b[k] + Σ_(c,r,s) w[k, (c,r,s)] · x̃[(c,r,s), (n,p,q)]
///     dw[k, (c,r,s)]      =        Σ_(n,p,q) dy[k, (n,p,q)] · x̃[(n,p,q), (c,r,s)]
///     dx[c, (n,h,w)]      =        Σ_(k,r,s) w[c, (k,r,s)] · dỹ[(k,r,s), (n,h,w)]
///
/// with x̃ the input with its padding, and dỹ the cotangent with zeros around it. In the third one only the taps (r, s) meet a position
/// (h, w) that have its remainders by the stride: a product for each pair of remainders.
///
/// - Error: each element's terms are added in order, so that |ŷ − y| ≤ γ_K·Σ|t| as of any order of summation.
package struct BlockedConv2d: Sendable {
  typealias Matrix = BlockedProduct.Matrix

  let problem: Conv2dProblem
  private let threads: Int
  private let loops: OracleLoops

  /// - Parameters:
  ///   - problem: what is computed.
  ///   - threads: share the work; they change no bit.
  ///   - loops: by default those of this CPU; they change no bit either.
  package init(_ problem: Conv2dProblem, threads: Int = 1, loops: OracleLoops? = nil) {
    self.problem = problem
    self.threads = threads
    self.loops = loops ?? OracleLoops.fastest
  }

  private var channelsPerGroup: Int { problem.inputChannels / problem.groups }
  private var kernelsPerGroup: Int { problem.outputChannels / problem.groups }
  private var taps: Int { problem.kernelSize.height * problem.kernelSize.width }
  private var outputPlane: Int { problem.outputSize.height * problem.outputSize.width }

  /// - Throws: ``ProblemError`` when a tensor does not have the problem's shape.
  package func forward(
    _ x: Tensor<Double>, weight: Tensor<Double>, bias: Tensor<Double>?
  ) throws(ProblemError) -> Tensor<Double> {
    try x.require(problem.inputShape, as: "inputs/x")
    try weight.require(problem.weightShape, as: "parameters/weight")
    try bias.require(Shape(problem.outputChannels), when: problem.hasBias, as: "parameters/bias")
    let input = PaddedInput(problem, x)
    var y = Tensor<Double>(zeros: problem.outputShape)
    for group in 0..<problem.groups {
      let kernels = group * kernelsPerGroup..<(group + 1) * kernelsPerGroup
      let row = channelsPerGroup * taps
      let product = BlockedProduct(
        Matrix(elements: weight.elements, rows: kernels.map { $0 * row }, columns: Array(0..<row)),
        Matrix(elements: input.elements, rows: input.taps(of: group), columns: input.windows),
        start: bias.map { Array($0.elements[kernels]) } ?? [], loops: loops)
      product.write(
        to: &y.elements, rows: kernels.map { $0 * outputPlane }, columns: outputPositions, threads: threads)
    }
    return y
  }

  /// - Throws: ``ProblemError`` when a tensor does not have the problem's shape.
  package func backwardWeight(_ dOutput: Tensor<Double>, x: Tensor<Double>) throws(ProblemError) -> Tensor<Double> {
    try dOutput.require(problem.outputShape, as: "upstream/y")
    try x.require(problem.inputShape, as: "inputs/x")
    let input = PaddedInput(problem, x)
    var dWeight = Tensor<Double>(zeros: problem.weightShape)
    for group in 0..<problem.groups {
      let kernels = group * kernelsPerGroup..<(group + 1) * kernelsPerGroup
      let row = channelsPerGroup * taps
      let product = BlockedProduct(
        Matrix(elements: dOutput.elements, rows: kernels.map { $0 * outputPlane }, columns: outputPositions),
        Matrix(elements: input.elements, rows: input.windows, columns: input.taps(of: group)), loops: loops)
      product.write(
        to: &dWeight.elements, rows: kernels.map { $0 * row }, columns: Array(0..<row), threads: threads)
    }
    return dWeight
  }

  /// - Throws: ``ProblemError`` when a tensor does not have the problem's shape.
  package func backwardInput(_ dOutput: Tensor<Double>, weight: Tensor<Double>) throws(ProblemError) -> Tensor<Double> {
    // Beyond the border of y is nothing, and the zeros that stand for it here must not meet what is not finite.
    guard weight.elements.allSatisfy(\.isFinite) else {
      return try Conv2d(problem, threads: threads).backwardInput(dOutput, weight: weight)
    }
    try dOutput.require(problem.outputShape, as: "upstream/y")
    try weight.require(problem.weightShape, as: "parameters/weight")
    let cotangent = SurroundedCotangent(problem, dOutput)
    var dInput = Tensor<Double>(zeros: problem.inputShape)
    for phase in cotangent.phases {
      for group in 0..<problem.groups {
        let channels = 0..<channelsPerGroup
        let product = BlockedProduct(
          Matrix(
            elements: weight.elements, rows: channels.map { $0 * taps },
            columns: weightOffsets(of: group, phase.taps)),
          Matrix(
            elements: cotangent.elements, rows: cotangent.taps(of: group, in: phase),
            columns: cotangent.positions(in: phase)), loops: loops)
        let plane = problem.inputSize.height * problem.inputSize.width
        product.write(
          to: &dInput.elements, rows: channels.map { (group * channelsPerGroup + $0) * plane },
          columns: inputPositions(of: phase), threads: threads)
      }
    }
    return dInput
  }

  /// Where each output of the first kernel stands in y: (n, p, q).
  private var outputPositions: [Int] {
    (0..<problem.batch).flatMap { n in
      (0..<outputPlane).map { n * problem.outputChannels * outputPlane + $0 }
    }
  }

  /// Where the weights (k, r, s) of a group's first channel stand, of some taps.
  private func weightOffsets(of group: Int, _ chosen: [Pair]) -> [Int] {
    (group * kernelsPerGroup..<(group + 1) * kernelsPerGroup).flatMap { k in
      chosen.map { k * channelsPerGroup * taps + $0.height * problem.kernelSize.width + $0.width }
    }
  }

  /// Where the positions (n, h, w) of a phase stand in the first channel of x.
  private func inputPositions(of phase: SurroundedCotangent.Phase) -> [Int] {
    let (width, stride, before) = (problem.inputSize.width, problem.stride, problem.paddingBefore)
    let image = problem.inputChannels * problem.inputSize.height * width
    return (0..<problem.batch).flatMap { n in
      phase.rows.flatMap { row in
        let h = row * stride.height + phase.remainder.height - before.height
        return phase.columns.map { column in
          n * image + h * width + column * stride.width + phase.remainder.width - before.width
        }
      }
    }
  }
}

/// The input with its padding, and where windows and taps find it.
private struct PaddedInput {
  let elements: [Double]
  /// Where the window of each output (n, p, q) begins in the first channel.
  let windows: [Int]
  private let problem: Conv2dProblem
  private let size: Pair

  init(_ problem: Conv2dProblem, _ x: Tensor<Double>) {
    self.problem = problem
    let (output, stride, before, input) = (
      problem.outputSize, problem.stride, problem.paddingBefore, problem.inputSize
    )
    let reach = Pair(
      (output.height - 1) * stride.height + problem.dilatedKernelSize.height,
      (output.width - 1) * stride.width + problem.dilatedKernelSize.width)
    size = Pair(max(reach.height, before.height + input.height), max(reach.width, before.width + input.width))
    elements = x.elements.surrounded(
      planes: problem.batch * problem.inputChannels, of: input, before: before, size: size)
    let (plane, pitch) = (size.height * size.width, size.width)
    windows = (0..<problem.batch).flatMap { n in
      (0..<output.height).flatMap { p in
        (0..<output.width).map { q in
          n * problem.inputChannels * plane + p * stride.height * pitch + q * stride.width
        }
      }
    }
  }

  /// How far each (c, r, s) of a group is from where a window begins.
  func taps(of group: Int) -> [Int] {
    let (kernel, dilation) = (problem.kernelSize, problem.dilation)
    let channels = problem.inputChannels / problem.groups
    return (group * channels..<(group + 1) * channels).flatMap { c in
      (0..<kernel.height).flatMap { r in
        (0..<kernel.width).map { s in
          (c * size.height + r * dilation.height) * size.width + s * dilation.width
        }
      }
    }
  }
}

/// The cotangent with zeros around it, and where the positions of the input find it.
private struct SurroundedCotangent {
  /// The positions of the padded input with one pair of remainders by the stride, and the taps that meet them.
  struct Phase {
    let remainder: Pair
    let taps: [Pair]
    /// Of positions inside the input, in strides.
    let rows: Range<Int>
    let columns: Range<Int>
  }

  let elements: [Double]
  let phases: [Phase]
  private let problem: Conv2dProblem
  private let size: Pair
  private let before: Pair

  init(_ problem: Conv2dProblem, _ dOutput: Tensor<Double>) {
    self.problem = problem
    let (stride, padding, input, kernel, dilation) = (
      problem.stride, problem.paddingBefore, problem.inputSize, problem.kernelSize, problem.dilation
    )
    before = Pair(
      (problem.dilatedKernelSize.height - 1) / stride.height, (problem.dilatedKernelSize.width - 1) / stride.width)
    // A tap meets an output no later than the position's own number of strides.
    size = Pair(
      before.height + max(problem.outputSize.height, (input.height - 1 + padding.height) / stride.height + 1),
      before.width + max(problem.outputSize.width, (input.width - 1 + padding.width) / stride.width + 1))
    elements = dOutput.elements.surrounded(
      planes: problem.batch * problem.outputChannels, of: problem.outputSize, before: before, size: size)
    func positions(_ remainder: Int, _ padding: Int, _ length: Int, _ stride: Int) -> Range<Int> {
      let first = max(0, padding - remainder + stride - 1) / stride
      let end = max(0, length + padding - remainder + stride - 1) / stride
      return first..<max(first, end)
    }
    var phases: [Phase] = []
    for a in 0..<stride.height {
      for b in 0..<stride.width {
        let taps = (0..<kernel.height).filter { ($0 * dilation.height - a) % stride.height == 0 }.flatMap { r in
          (0..<kernel.width).filter { ($0 * dilation.width - b) % stride.width == 0 }.map { Pair(r, $0) }
        }
        let rows = positions(a, padding.height, input.height, stride.height)
        let columns = positions(b, padding.width, input.width, stride.width)
        guard !taps.isEmpty, !rows.isEmpty, !columns.isEmpty else { continue }
        phases.append(Phase(remainder: Pair(a, b), taps: taps, rows: rows, columns: columns))
      }
    }
    self.phases = phases
  }

  /// How far the output that each (k, r, s) of a group meets is from a position.
  func taps(of group: Int, in phase: Phase) -> [Int] {
    let kernels = problem.outputChannels / problem.groups
    return (group * kernels..<(group + 1) * kernels).flatMap { k in
      phase.taps.map { tap in
        let row = (phase.remainder.height - tap.height * problem.dilation.height) / problem.stride.height
        let column = (phase.remainder.width - tap.width * problem.dilation.width) / problem.stride.width
        return (k * size.height + before.height + row) * size.width + before.width + column
      }
    }
  }

  /// Each position (n, row, column) of a phase.
  func positions(in phase: Phase) -> [Int] {
    (0..<problem.batch).flatMap { n in
      phase.rows.flatMap { row in
        phase.columns.map { (n * problem.outputChannels * size.height + row) * size.width + $0 }
      }
    }
  }
}

extension [Double] {
  /// Planes with zeros around them.
  /// - Parameters:
  ///   - planes: how many there are.
  ///   - inner: the extents of each.
  ///   - before: rows above and columns to the left.
  ///   - size: the extents with what is around.
  fileprivate func surrounded(planes: Int, of inner: Pair, before: Pair, size: Pair) -> [Double] {
    guard inner != size else { return self }
    var surrounded = [Double](repeating: 0, count: planes * size.height * size.width)
    for plane in 0..<planes {
      for row in 0..<inner.height {
        let source = (plane * inner.height + row) * inner.width
        let target = (plane * size.height + before.height + row) * size.width + before.width
        surrounded.replaceSubrange(target..<target + inner.width, with: self[source..<source + inner.width])
      }
    }
    return surrounded
  }
}
