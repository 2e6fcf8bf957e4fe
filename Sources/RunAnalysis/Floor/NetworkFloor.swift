import Operations
import Problems
import Results
import Tensors

/// The least time that this machine allows to a whole network in evaluation: the sum, over its layers, of the least of any
/// algorithm that the tool knows,
///
///     max(flops / FMA peak, weights / W, (input + weights + residual + output) / L)
///
/// with algorithms, flops and elements as ``ConvolutionFloor`` counts them. W is the bandwidth of the smallest memory that holds
/// the weights of all layers, since a run reads each once; L that of the smallest one that holds this layer's operands, since the
/// layer before may have left its output there.
///
/// A classifier is a convolution of images of one pixel. The last convolution of a block reads the residual besides. A pool and
/// the mean read their input and write their output, and compute nothing. Batch norm and ReLU take nothing: they can be done while
/// a convolution's sums are in registers. Of a block alone the same, without its residual.
public struct NetworkFloor: Sendable, Hashable {
  public struct Layer: Sendable, Hashable {
    /// As in the network's plan: `layer1.0.conv2`.
    public let name: String
    public let nanoseconds: Double
    /// `compute` or `memory`: which ceiling it is.
    public let limitedBy: String
    /// `direct`, `winograd4`, `strassen1`; of what computes nothing `copy`.
    public let algorithm: String
  }

  /// What stands for the algorithm where there are many.
  public static let algorithm = "layer by layer"

  /// In the order of the plan, those that take time.
  public let layers: [Layer]

  public var nanoseconds: Double { layers.reduce(0) { $0 + $1.nanoseconds } }

  /// The ceiling that more of the time is due to.
  public var limitedBy: String {
    let compute = layers.reduce(0) { $0 + ($1.limitedBy == "compute" ? $1.nanoseconds : 0) }
    return 2 * compute >= nanoseconds ? "compute" : "memory"
  }

  /// - Parameters:
  ///   - workload: its problem, pass and threads.
  ///   - section: the element type, the machine and its measured ceilings.
  /// - Returns: nil for what is no network in evaluation and no block, and where no ceilings were measured with these threads.
  public init?(_ workload: BenchmarkWorkload, in section: BenchmarkSection) {
    guard let ceiling = section.ceilings.first(where: { $0.threads == workload.threads }),
      let problem = try? Problem.parse(workload.problem)
    else { return nil }
    func machine(of layers: [NetworkLayer]) -> Machine {
      Machine(
        ceiling: ceiling, machine: section.machine, elementBytes: Double(section.elementType.byteCount),
        networkWeights: layers.reduce(0) { $0 + (Self.convolution($1).map { Double($0.weightShape.count) } ?? 0) })
    }
    if let block = problem as? any LayeredProblem, workload.pass == "forward" {
      let machine = machine(of: block.layers)
      layers = block.layers.compactMap { machine.layer($0) }
      return
    }
    guard workload.pass == "inference", let plan = (problem as? ResNetProblem)?.plan else { return nil }
    let machine = machine(of: plan.layers)
    layers =
      plan.stem.compactMap { machine.layer($0) }
      + plan.stages.joined().flatMap { block in
        let last = block.branch.last { $0.problem is Conv2dProblem }?.name
        return (block.branch + block.shortcut).compactMap { layer in
          machine.layer(layer, residual: layer.name == last ? Double(layer.outputShape.count) : 0)
        }
      } + plan.head.compactMap { machine.layer($0) }
  }

  fileprivate static func convolution(_ layer: NetworkLayer) -> Conv2dProblem? {
    guard let linear = layer.problem as? LinearProblem else { return layer.problem as? Conv2dProblem }
    return try? Conv2dProblem(
      batch: linear.batch, inputChannels: linear.inputFeatures, inputSize: 1, outputChannels: linear.outputFeatures,
      kernelSize: 1)
  }
}

/// What a network runs on, and the weights that it reads in each run.
private struct Machine {
  let ceiling: CeilingRecord
  let machine: MachineRecord
  let elementBytes: Double
  /// Elements of the weights of all layers, as they are given.
  let networkWeights: Double

  /// - Parameters:
  ///   - layer: of the network.
  ///   - residual: elements that it adds to its result.
  /// - Returns: nil for what takes no time of its own.
  func layer(_ layer: NetworkLayer, residual: Double = 0) -> NetworkFloor.Layer? {
    if let convolution = NetworkFloor.convolution(layer) {
      return self.layer(layer.name, ConvolutionWork(forward: convolution), residual)
    }
    switch layer.problem {
    case is MaxPool2dProblem, is AvgPool2dProblem, is AdaptiveAvgPool2dProblem:
      let inputs = layer.problem.operands.inputs["x"]?.shape.count ?? 0
      let bytes = elementBytes * Double(inputs + layer.outputShape.count)
      return NetworkFloor.Layer(
        name: layer.name, nanoseconds: bytes / bandwidth(holding: bytes), limitedBy: "memory", algorithm: "copy")
    default: return nil
    }
  }

  private func layer(_ name: String, _ work: ConvolutionWork, _ residual: Double) -> NetworkFloor.Layer? {
    work.costs.map { cost in
      let compute = cost.flops / ceiling.peakGigaflops
      let operands = work.footprint(sets: 1, weights: cost.weights) + residual
      let memory = max(
        elementBytes * cost.weights / bandwidth(holding: elementBytes * networkWeights),
        elementBytes * (work.moved(weights: cost.weights) + residual) / bandwidth(holding: elementBytes * operands))
      return NetworkFloor.Layer(
        name: name, nanoseconds: max(compute, memory), limitedBy: compute >= memory ? "compute" : "memory",
        algorithm: cost.algorithm)
    }.min { $0.nanoseconds < $1.nanoseconds }
  }

  private func bandwidth(holding bytes: Double) -> Double { ceiling.bandwidth(holding: bytes, of: machine) }
}
