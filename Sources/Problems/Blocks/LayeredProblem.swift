import Tensors

/// A problem that is computed layer by layer: a block or a whole network.
public protocol LayeredProblem: OperationProblem {
  var inputShape: Shape { get }
  var training: Bool { get }
  /// In the order in which they are computed.
  var layers: [NetworkLayer] { get }
}

extension LayeredProblem {
  public var multiplyAccumulates: Int { layers.multiplyAccumulates.value }
  public var work: SaturatingCount { layers.work }
  public var scratchElements: SaturatingCount { layers.scratchElements }
  public var operands: Operands { layerOperands }

  /// Bytes that are held while it is judged end to end and layer by layer, as measured (METHODOLOGY.md, "Blocks and networks"): six
  /// and a half times the parameters (as stored, in double precision, the undisturbed gradients, two sets of bounds, and an engine's)
  /// and four times each layer's output (of the undisturbed run and of a disturbed one, their cotangents and deviations, not all of
  /// which are there at the same time), in double precision.
  public var bytesWhileJudged: SaturatingCount {
    // Counted in float32, of which a double is two.
    let bytesOfFloat: SaturatingCount = 4
    return bytesOfFloat * (13 * operands.elements + 8 * layers.map(\.outputShape.elements).total())
  }

  /// `x`, and the parameters and buffers of all layers.
  var layerOperands: Operands {
    var operands = Operands(inputs: ["x": TensorType(inputShape)])
    operands.add(layers)
    return operands
  }

  /// The word of the text form for a network whose batch norms do not count their batches.
  var countingTokens: [String] {
    let counts = layers.allSatisfy { ($0.problem as? BatchNorm2dProblem)?.countsBatches ?? true }
    return counts ? [] : ["uncounted"]
  }
}

extension Operands {
  private static let counter = ".num_batches_tracked"

  /// Batch norms that have running statistics but no `num_batches_tracked`.
  var uncountedBatchNorms: Set<String> {
    let suffix = ".running_mean"
    let names = buffers.keys.filter { $0.hasSuffix(suffix) }.map { String($0.dropLast(suffix.count)) }
    return Set(names.filter { buffers[$0 + Self.counter] == nil })
  }

  /// Adds the parameters and buffers of layers.
  mutating func add(_ layers: [NetworkLayer]) {
    for layer in layers {
      for parameter in layer.parameters { parameters[parameter.name] = TensorType(parameter.shape) }
      for buffer in layer.buffers {
        buffers[buffer.name] = TensorType(buffer.shape, buffer.name.hasSuffix(Self.counter) ? .int64 : .float32)
      }
    }
  }

  mutating func removeCounters() { buffers = buffers.filter { !$0.key.hasSuffix(Self.counter) } }

  /// Throws unless every layer has its parameters and buffers, in their shapes.
  func require(_ layers: [NetworkLayer]) throws(ProblemError) {
    for layer in layers {
      for expected in layer.parameters {
        let found = try requiredParameter(expected.name)
        guard found == expected.shape else { throw mismatch("parameters/\(expected.name)", expected.shape, found) }
      }
      for expected in layer.buffers {
        let subject = "buffers/\(expected.name)"
        guard let found = buffers[expected.name] else {
          throw ProblemError(.shapeMismatch, subject, expected: "shape \(expected.shape)", found: "no tensor")
        }
        let counts = expected.name.hasSuffix(Self.counter)
        guard (found.dtype == .int64) == counts else {
          throw ProblemError(
            .unsupportedDType, subject, expected: counts ? "int64" : "float32 or float64", found: found.dtype.rawValue)
        }
        // One element may stand for a scalar.
        guard found.shape == expected.shape || counts && found.shape.count == 1 else {
          throw mismatch(subject, expected.shape, found.shape)
        }
      }
    }
  }

  private func mismatch(_ subject: String, _ expected: Shape, _ found: Shape) -> ProblemError {
    ProblemError(.shapeMismatch, subject, expected: "shape \(expected)", found: "shape \(found)")
  }
}
