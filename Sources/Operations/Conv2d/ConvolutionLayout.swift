import Problems
import Tensors

/// How planes lie in memory while a convolution is computed.
///
/// Images are padded with zeros once, and their rows and columns are dealt out by their remainders modulo the stride (the
/// *phases*). Outputs take planes of the same extents, with a margin that means nothing. Then one kernel tap of one
/// channel multiplies consecutive elements, over all rows and all images:
///
///     ỹ[k][i] += w[k,c,r,s] · x̃[c][phase(r,s)][i + shift(r,s)]   for i in one long run
///
/// which is the definition, with h = p·stride + r·dilation written as (p + shift, phase).
struct ConvolutionLayout {
  /// Where a tap (r, s) finds the input of the first output.
  struct Tap {
    var phase: Int
    var shift: Int
  }

  let problem: Conv2dProblem
  /// By r·S + s.
  let taps: [Tap]
  /// Row and column (in the padded image) at which each phase begins.
  private let phases: [Pair]
  /// Extents of one plane.
  private let rows: Int
  private let pitch: Int

  init(_ problem: Conv2dProblem) {
    self.problem = problem
    let (stride, dilation, kernel, output) = (
      problem.stride, problem.dilation, problem.kernelSize, problem.outputSize
    )
    let offsets = (0..<kernel.height * kernel.width).map {
      Pair($0 / kernel.width * dilation.height, $0 % kernel.width * dilation.width)
    }
    // What the last output's last tap reaches; rows beyond are met by no window.
    let rows = (output.height - 1) + (problem.dilatedKernelSize.height - 1) / stride.height + 1
    let pitch = (output.width - 1) + (problem.dilatedKernelSize.width - 1) / stride.width + 1
    let remainders = offsets.map { Pair($0.height % stride.height, $0.width % stride.width) }
    let distinct = Array(Set(remainders)).sorted { ($0.height, $0.width) < ($1.height, $1.width) }
    if distinct.count * rows * pitch <= offsets.count * output.height * output.width {
      (self.rows, self.pitch, phases) = (rows, pitch, distinct)
      taps = zip(offsets, remainders).map { offset, remainder in
        Tap(
          phase: distinct.firstIndex(of: remainder) ?? 0,
          shift: offset.height / stride.height * pitch + offset.width / stride.width)
      }
    } else {
      // A dilation so large that windows hardly overlap: a plane of its own for each tap is smaller.
      (self.rows, self.pitch, phases) = (output.height, output.width, offsets)
      taps = offsets.indices.map { Tap(phase: $0, shift: 0) }
    }
  }

  private var plane: Int { rows * pitch }
  /// Elements of one channel of one phase, all images.
  var channelLength: Int { problem.batch * plane }
  /// Where a channel's phase begins among the padded inputs.
  func start(channel: Int, phase: Int) -> Int { (channel * phases.count + phase) * channelLength }
  /// Elements of a channel's phases.
  var inputLength: Int { phases.count * channelLength }

  /// Runs that cover every output: one over all images, or one for each row of outputs.
  ///
  /// The single run also meets the margins, whose zeros change no finite sum. Beside infinities and NaN only the rows do.
  func runs(rowByRow: Bool) -> [Range<Int>] {
    let (height, width) = (problem.outputSize.height, problem.outputSize.width)
    guard problem.batch > 0 else { return [] }
    guard rowByRow else { return [0..<channelLength - plane + (height - 1) * pitch + width] }
    return (0..<problem.batch * height).map { row in
      let start = row / height * plane + row % height * pitch
      return start..<start + width
    }
  }

  /// A run in pieces that stay in the first-level cache while every tap and channel passes over them.
  static func pieces(of runs: [Range<Int>]) -> [Range<Int>] {
    runs.flatMap { run in
      stride(from: run.lowerBound, to: run.upperBound, by: 2048).map { $0..<min($0 + 2048, run.upperBound) }
    }
  }

  // MARK: Moving planes

  /// (N, C, H, W) → padded phases, channel by channel.
  func padded<Scalar: RealScalar>(_ x: Tensor<Scalar>) -> [Scalar] {
    var padded = [Scalar](repeating: 0, count: problem.inputChannels * inputLength)
    let x = x.elements.span
    for channel in 0..<problem.inputChannels {
      forEachInput { phase, n, position, h, w in
        let image = (n * problem.inputChannels + channel) * problem.inputSize.height
        padded[start(channel: channel, phase: phase) + position] = x[(image + h) * problem.inputSize.width + w]
      }
    }
    return padded
  }

  /// The other way for one channel (whose phases start at `first`): its planes of all images, one after the other.
  func unpadded<Scalar: RealScalar>(_ padded: [Scalar], at first: Int) -> [Scalar] {
    let (height, width) = (problem.inputSize.height, problem.inputSize.width)
    var planes = [Scalar](repeating: 0, count: problem.batch * height * width)
    forEachInput { phase, n, position, h, w in
      planes[(n * height + h) * width + w] += padded[first + phase * channelLength + position]
    }
    return planes
  }

  /// Visits the elements of an image that some window may meet: phase, image, position in the phase's planes, row, column.
  @inline(__always)
  private func forEachInput(_ visit: (Int, Int, Int, Int, Int) -> Void) {
    let (stride, padding) = (problem.stride, problem.paddingBefore)
    for (phase, remainder) in phases.enumerated() {
      for n in 0..<problem.batch {
        for row in 0..<rows {
          let h = row * stride.height + remainder.height - padding.height
          guard h >= 0, h < problem.inputSize.height else { continue }
          let first = n * plane + row * pitch
          for column in 0..<pitch {
            let w = column * stride.width + remainder.width - padding.width
            if w >= 0, w < problem.inputSize.width { visit(phase, n, first + column, h, w) }
          }
        }
      }
    }
  }

  /// (N, K, P, Q) → planes with margins of zeros, channel by channel.
  func spread<Scalar: RealScalar>(_ y: Tensor<Scalar>) -> [Scalar] {
    let (height, width) = (problem.outputSize.height, problem.outputSize.width)
    var spread = [Scalar](repeating: 0, count: problem.outputChannels * channelLength)
    let y = y.elements.span
    for k in 0..<problem.outputChannels {
      for n in 0..<problem.batch {
        for p in 0..<height {
          let source = ((n * problem.outputChannels + k) * height + p) * width
          let target = k * channelLength + n * plane + p * pitch
          for q in 0..<width { spread[target + q] = y[source + q] }
        }
      }
    }
    return spread
  }

  /// The other way for one channel: its planes of all images, one after the other.
  func gathered<Scalar: RealScalar>(_ spread: [Scalar], at first: Int) -> [Scalar] {
    let (height, width) = (problem.outputSize.height, problem.outputSize.width)
    var planes: [Scalar] = []
    planes.reserveCapacity(problem.batch * height * width)
    for n in 0..<problem.batch {
      for p in 0..<height {
        let source = first + n * plane + p * pitch
        planes += spread[source..<source + width]
      }
    }
    return planes
  }
}

/// Channel by channel → image by image: (channels, N, plane) to (N, channels, plane).
func imagesFirst<Scalar: RealScalar>(_ elements: [Scalar], images: Int, channels: Int) -> [Scalar] {
  guard images > 1, channels > 0 else { return elements }
  let plane = elements.count / (images * channels)
  var result: [Scalar] = []
  result.reserveCapacity(elements.count)
  for n in 0..<images {
    for c in 0..<channels {
      let first = (c * images + n) * plane
      result.append(contentsOf: elements[first..<first + plane])
    }
  }
  return result
}
