import Operations
import Problems
import Results

/// What one pass of a convolution takes at least while it is timed, by each algorithm that the tool knows.
///
/// Weights are prepared before: transforming them, or adding their blocks for Strassen, is not counted, but as many elements
/// as come of it are read. Additions count one flop each, though an addition takes the place of a multiply-add, which is two.
package struct ConvolutionWork {
  private enum Pass: String {
    case forward
    case backwardData = "backward_data"
    case backwardWeight = "backward_weight"
  }

  /// One algorithm's work.
  package struct Cost {
    /// `direct`, `winograd4`, `strassen1`: as engines are named.
    package let algorithm: String
    /// Additions and multiplications.
    package let flops: Double
    /// Elements of the weights, as the algorithm reads or writes them.
    package let weights: Double
  }

  private let problem: Conv2dProblem
  private let pass: Pass
  private let rows: ConvolutionAxis
  private let columns: ConvolutionAxis

  /// - Returns: nil for what is no convolution, and for a pass that is none of its three.
  package init?(_ workload: BenchmarkWorkload) {
    guard let problem = (try? Problem.parse(workload.problem)) as? Conv2dProblem,
      let pass = Pass(rawValue: workload.pass)
    else { return nil }
    self.init(problem, pass)
  }

  /// The forward pass.
  package init(forward problem: Conv2dProblem) { self.init(problem, .forward) }

  private init(_ problem: Conv2dProblem, _ pass: Pass) {
    self.problem = problem
    self.pass = pass
    rows = ConvolutionAxis(problem, \.height)
    columns = ConvolutionAxis(problem, \.width)
  }

  /// Direct first.
  package var costs: [Cost] {
    [direct] + WinogradTransformFlops.all.compactMap(winograd) + [strassen].compactMap { $0 }
  }

  /// Weights as they are given.
  package var plainWeights: Double { Double(problem.weightShape.count) }

  /// Elements that must move at least: input, weights and output, once each. Of the input only what some tap meets is read;
  /// its gradient is written as a whole.
  package func moved(weights: Double) -> Double {
    let input = pass == .backwardData ? inputs : images * channels * rows.inputs * columns.inputs
    return input + weights + outputs
  }

  /// Elements of so many sets of activations and of the weights. A weight gradient is a set's result, prepared weights are
  /// all sets'.
  package func footprint(sets: Int, weights: Double) -> Double {
    Double(sets) * (inputs + outputs) + (pass == .backwardWeight ? Double(sets) : 1) * weights
  }

  private var images: Double { Double(problem.batch) }
  private var channels: Double { Double(problem.inputChannels) }
  private var filters: Double { Double(problem.outputChannels) }
  private var groups: Double { Double(problem.groups) }
  private var inputs: Double { Double(problem.inputShape.count) }
  private var outputs: Double { Double(problem.outputShape.count) }
  /// Pairs of an input and an output channel that are multiplied.
  private var channelPairs: Double { filters * channels / groups }

  /// Two flops for each product of the definition. A tap in the padding is multiplied by zero, and may be left out.
  private var direct: Cost {
    Cost(algorithm: "direct", flops: 2 * images * channelPairs * rows.taps * columns.taps, weights: plainWeights)
  }

  /// F(m×m, 3×3) on whole tiles of the pass's result, or of the cotangent for the weights' gradient.
  private func winograd(_ transforms: WinogradTransformFlops) -> Cost? {
    guard problem.kernelSize == 3, problem.stride == 1, problem.dilation == 1 else { return nil }
    let tiles = tiles(of: transforms.tile)
    let values = Double(transforms.values * transforms.values)
    // A square transform is applied to n columns and n rows; one between m and n values to m and n.
    let square = Double(2 * transforms.values)
    let oblong = Double(transforms.tile + transforms.values)
    let products = products(ofTile: transforms.tile)
    var flops = 2 * products
    switch pass {
    case .forward: flops += tiles * (channels * square * transforms.input + filters * oblong * transforms.output)
    case .backwardData: flops += tiles * (filters * square * transforms.input + channels * oblong * transforms.output)
    case .backwardWeight:
      flops += tiles * (channels * square * transforms.input + filters * oblong * transforms.cotangent)
      flops += channelPairs * Double(3 + transforms.values) * transforms.weightGradient
    }
    return Cost(
      algorithm: "winograd\(transforms.tile)", flops: flops,
      weights: pass == .backwardWeight ? plainWeights : values * channelPairs)
  }

  /// Multiplications of Winograd's F(m×m, 3×3): (m + 2)² for each tile and pair of channels, over whole tiles.
  func products(ofTile m: Int) -> Double { tiles(of: m) * Double((m + 2) * (m + 2)) * channelPairs }

  private func tiles(of m: Int) -> Double {
    let extent = pass == .backwardData ? problem.inputSize : problem.outputSize
    return images * Double((extent.height + m - 1) / m) * Double((extent.width + m - 1) / m)
  }

  /// One level of Strassen's recursion in Winograd's form on the implied product of matrices, pixels × taps of input
  /// channels × output channels: seven products of halves for eight, with four additions of quarters for each operand that
  /// is not prepared and seven for the result. An operand that is a patch matrix is added before its patches are taken.
  private var strassen: Cost? {
    let pixels = images * Double(problem.outputSize.height * problem.outputSize.width)
    let taps = channels / groups * Double(problem.kernelSize.height * problem.kernelSize.width)
    let columns = filters / groups
    guard min(pixels, taps, columns) >= 512 else { return nil }
    func half(_ extent: Double) -> Double { (extent / 2).rounded(.up) }
    let input = min(inputs, groups * pixels * taps)
    let additions =
      switch pass {
      case .forward: input + 7 / 4 * outputs
      case .backwardData: outputs + 7 / 4 * input
      case .backwardWeight: input + outputs + 7 / 4 * plainWeights
      }
    return Cost(
      algorithm: "strassen1", flops: groups * 14 * half(pixels) * half(taps) * half(columns) + additions,
      weights: pass == .backwardWeight ? plainWeights : 7 / 4 * plainWeights)
  }
}

/// One direction of a convolution: which inputs its taps meet.
private struct ConvolutionAxis {
  /// Pairs of an output and a tap whose input is none of the padding.
  let taps: Double
  /// Inputs that some tap meets.
  let inputs: Double

  init(_ problem: Conv2dProblem, _ direction: KeyPath<Pair, Int>) {
    let (size, stride) = (problem.inputSize[keyPath: direction], problem.stride[keyPath: direction])
    let outputs = problem.outputSize[keyPath: direction]
    var (taps, inputs) = (0, 0)
    // Taps meet different inputs where they differ modulo the stride. Of one remainder each meets a run of inputs that begins
    // and ends no earlier than the last one's.
    var ends: [Int: Int] = [:]
    for tap in 0..<problem.kernelSize[keyPath: direction] {
      // Output p meets the input p·stride + offset.
      let offset = tap * problem.dilation[keyPath: direction] - problem.paddingBefore[keyPath: direction]
      let first = offset < 0 ? (stride - 1 - offset) / stride : 0
      let end = offset < size ? min(outputs, (size - 1 - offset) / stride + 1) : 0
      guard first < end else { continue }
      taps += end - first
      let remainder = (offset % stride + stride) % stride
      let turn = (offset - remainder) / stride
      let known = ends[remainder] ?? 0
      inputs += max(0, end + turn - max(first + turn, known))
      ends[remainder] = max(end + turn, known)
    }
    self.taps = Double(taps)
    self.inputs = Double(inputs)
  }
}
