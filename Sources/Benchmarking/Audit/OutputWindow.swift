import Engines
import GoldenFiles
import Problems
import Results
import Tensors
import Verification

/// A part of a result that is a problem of its own, so that it can be held against the reference without the rest.
///
/// Holding a whole result against the reference takes far longer than timing it. The windows of a workload share its result out
/// among the blocks, by the same bounds as whole results.
package enum OutputWindow: Sendable {
  case convolution(ConvolutionWindow)
  case network(NetworkWindow)
  /// All of it, of what costs little.
  case whole

  /// The windows of a workload, in random order: together they cover every channel of a convolution's result, and as many
  /// images of a network's as there are windows.
  package static func windows(
    of item: BenchmarkPlan.Item, count: Int, using generator: inout SplitMix64
  ) -> [OutputWindow] {
    switch item.subject {
    case .convolution(let problem):
      ConvolutionWindow.windows(of: problem, item.pass, count: count, using: &generator).map { .convolution($0) }
    case .operation: [.whole]
    // A step mixes all images: it has no part that is a problem of its own.
    case .training: []
    case .network(let problem):
      (0..<max(problem.inputShape[0], 1)).shuffled(using: &generator).prefix(max(count, 1)).map {
        .network(NetworkWindow(problem: problem, image: $0))
      }
    }
  }

  /// For a person: `image 0, channels 8..<16 of the output`.
  package var text: String {
    switch self {
    case .convolution(let window): window.text
    case .network(let window): window.text
    case .whole: "the whole result"
    }
  }

  /// Whether it leaves something out.
  var isPart: Bool { if case .whole = self { false } else { true } }

  /// The exercise of the window alone.
  /// - Parameter whole: the workload's, on the operands of one set.
  package func exercise(of whole: Exercise) throws(ProblemError) -> Exercise {
    switch self {
    case .convolution(let window): try window.exercise(of: whole)
    case .network(let window): try window.exercise(of: whole)
    case .whole: whole
    }
  }

  /// The window of a whole answer.
  package func part(of answer: Answer) -> Answer {
    switch self {
    case .convolution(let window): window.part(of: answer)
    case .network(let window): window.part(of: answer)
    case .whole: answer
    }
  }
}

/// One image of a network in evaluation, where no image knows of another.
package struct NetworkWindow: Sendable {
  private let problem: ResNetProblem
  private let image: Int

  package init(problem: ResNetProblem, image: Int) {
    self.problem = problem
    self.image = image
  }

  var text: String { "image \(image), the logits" }

  func exercise(of whole: Exercise) throws(ProblemError) -> Exercise {
    let shape = problem.inputShape
    let part = try ResNetProblem(
      architecture: problem.architecture, inputShape: Shape(1, shape[1], shape[2], shape[3]),
      classCount: problem.classCount)
    var window = whole
    window.name = "/" + part.text
    window.attributes = part.attributes
    window.inputs = whole.inputs.mapValues { $0.slice(0, image..<image + 1) }
    return window
  }

  /// The whole's exercise with a window's own numbers in their place.
  /// - Parameters:
  ///   - part: the window's.
  ///   - whole: the workload's, whose other images it takes.
  package func completed(_ part: Exercise, by whole: Exercise) -> Exercise {
    var completed = part
    completed.attributes = whole.attributes
    for (name, tensor) in part.inputs {
      completed.inputs[name] = whole.inputs[name].map {
        $0.converted(to: tensor.dtype).replacing(image: image, by: tensor)
      }
    }
    return completed
  }

  /// A tensor of another shape stays as it is: its shape is what is wrong with it.
  func part(of answer: Answer) -> Answer {
    var part = answer
    part.outputs = answer.outputs.mapValues {
      $0.shape == problem.plan.logitsShape ? $0.slice(0, image..<image + 1) : $0
    }
    return part
  }
}

/// A part of a convolution's result that is a convolution of its own: some channels, of one image where the pass sums over none.
///
/// Windows share the channels of a result out among the blocks of a workload, so that each channel of what was timed is held
/// against the reference once.
package struct ConvolutionWindow: Sendable {
  /// The windows of a workload, in random order: together they cover every channel of the result.
  static func windows(
    of problem: Conv2dProblem, _ pass: TimingRequest.TimedPass, count: Int, using generator: inout SplitMix64
  ) -> [ConvolutionWindow] {
    // Whole groups, or channels of the only one.
    let units =
      problem.groups > 1
      ? problem.groups : pass == .backwardData ? problem.inputChannels : problem.outputChannels
    let parts = min(max(count, 1), units)
    return (0..<parts).map { part in
      ConvolutionWindow(
        problem: problem, pass: pass, units: part * units / parts..<(part + 1) * units / parts,
        image: problem.batch > 0 ? Int.random(in: 0..<problem.batch, using: &generator) : 0)
    }.shuffled(using: &generator)
  }

  private let problem: Conv2dProblem
  private let images: Range<Int>
  private let inputs: Range<Int>
  private let outputs: Range<Int>
  private let groups: Int
  private let pass: TimingRequest.TimedPass

  private init(problem: Conv2dProblem, pass: TimingRequest.TimedPass, units: Range<Int>, image: Int) {
    self.problem = problem
    self.pass = pass
    images = pass == .backwardWeight || problem.batch == 0 ? 0..<problem.batch : image..<image + 1
    if problem.groups > 1 {
      let (width, height) = (problem.inputChannels / problem.groups, problem.outputChannels / problem.groups)
      inputs = units.lowerBound * width..<units.upperBound * width
      outputs = units.lowerBound * height..<units.upperBound * height
      groups = units.count
    } else {
      inputs = pass == .backwardData ? units : 0..<problem.inputChannels
      outputs = pass == .backwardData ? 0..<problem.outputChannels : units
      groups = 1
    }
  }

  /// For a person: `image 0, outputs/y channels 8..<16`.
  var text: String {
    switch pass {
    case .backwardData: "image \(images.lowerBound), channels \(inputs) of the input"
    case .backwardWeight: "channels \(outputs) of the weights"
    default: "image \(images.lowerBound), channels \(outputs) of the output"
    }
  }

  /// The exercise of the window alone.
  /// - Parameter whole: the workload's, on the operands of one set.
  func exercise(of whole: Exercise) throws(ProblemError) -> Exercise {
    let part = try Conv2dProblem(
      batch: images.count, inputChannels: inputs.count, inputSize: problem.inputSize, outputChannels: outputs.count,
      kernelSize: problem.kernelSize, stride: problem.stride, padding: problem.padding, dilation: problem.dilation,
      groups: groups, hasBias: problem.hasBias)
    var window = whole
    window.name = "/" + part.text
    window.attributes = part.attributes
    window.inputs = whole.inputs.mapValues { $0.slice(0, images).slice(1, inputs) }
    window.upstream = whole.upstream.mapValues { $0.slice(0, images).slice(1, outputs) }
    window.parameters = whole.parameters.reduce(into: [:]) { all, parameter in
      let rows = parameter.value.slice(0, outputs)
      // In one group the weights' second axis is the input's channels; in more it is as wide as a group.
      all[parameter.key] =
        parameter.key == "weight" && groups == 1 && problem.groups == 1 ? rows.slice(1, inputs) : rows
    }
    return window
  }

  /// The window of a whole answer.
  func part(of answer: Answer) -> Answer {
    var part = Answer()
    for (name, tensor) in answer.outputs { part.outputs[name] = sliced(tensor, images, outputs) }
    for (name, tensor) in answer.gradients {
      part.gradients[name] =
        name == "x"
        ? sliced(tensor, images, inputs)
        : tensor.shape == problem.weightShape ? tensor.slice(0, outputs) : tensor
    }
    return part
  }

  /// A tensor of another shape stays as it is: its shape is what is wrong with it.
  private func sliced(_ tensor: AnyTensor, _ first: Range<Int>, _ second: Range<Int>) -> AnyTensor {
    let expected = pass == .backwardData ? problem.inputShape : problem.outputShape
    return tensor.shape == expected ? tensor.slice(0, first).slice(1, second) : tensor
  }
}

extension AnyTensor {
  /// The part of an axis that a range of it names.
  func slice(_ axis: Int, _ range: Range<Int>) -> AnyTensor {
    switch self {
    case .float32(let tensor): .float32(tensor.slice(axis, range))
    case .float64(let tensor): .float64(tensor.slice(axis, range))
    case .packed(let tensor): .packed(PackedTensor(tensor.dtype, patterns: tensor.patterns.slice(axis, range)))
    case .int64(let tensor): .int64(tensor.slice(axis, range))
    }
  }
}

extension AnyTensor {
  /// The same with one of its first axis's parts replaced by a tensor of that part's shape and of this one's type.
  fileprivate func replacing(image: Int, by part: AnyTensor) -> AnyTensor {
    switch (self, part) {
    case (.float32(let tensor), .float32(let part)): .float32(tensor.replacing(image, part))
    case (.float64(let tensor), .float64(let part)): .float64(tensor.replacing(image, part))
    case (.packed(let tensor), .packed(let part)):
      .packed(PackedTensor(tensor.dtype, patterns: tensor.patterns.replacing(image, part.patterns)))
    case (.int64(let tensor), .int64(let part)): .int64(tensor.replacing(image, part))
    default: self
    }
  }
}

extension Tensor {
  fileprivate func replacing(_ image: Int, _ part: Tensor) -> Tensor {
    var elements = elements
    elements.replaceSubrange(image * part.count..<(image + 1) * part.count, with: part.elements)
    return Tensor(shape: shape, elements: elements)
  }

  fileprivate func slice(_ axis: Int, _ range: Range<Int>) -> Tensor {
    guard range.count < shape[axis] else { return self }
    var dimensions = shape.dimensions
    let inner = dimensions[(axis + 1)...].reduce(1, *)
    let outer = dimensions[..<axis].reduce(1, *)
    let stride = dimensions[axis] * inner
    dimensions[axis] = range.count
    var kept: [Element] = []
    kept.reserveCapacity(outer * range.count * inner)
    for row in 0..<outer {
      let first = row * stride + range.lowerBound * inner
      kept.append(contentsOf: elements[first..<first + range.count * inner])
    }
    return Tensor(shape: Shape(dimensions), elements: kept)
  }
}
