import Problems
import Tensors

/// A block put together from the correct layers of the engine, in a chosen order.
struct BlockComposition {
  let exercise: Exercise
  let correct: Mutant.Compute

  func layer(
    _ operation: String, _ name: String, _ x: AnyTensor, _ attributes: [String: AttributeValue] = [:],
    other: AnyTensor? = nil
  ) throws(EngineError) -> AnyTensor {
    var part = Exercise(
      name: exercise.name, operation: operation, attributes: Attributes(attributes), inputs: ["x": x],
      dtype: exercise.dtype)
    part.inputs["other"] = other
    for suffix in ["weight", "bias"] { part.parameters[suffix] = exercise.parameters["\(name).\(suffix)"] }
    for suffix in ["running_mean", "running_var"] { part.buffers[suffix] = exercise.buffers["\(name).\(suffix)"] }
    guard let y = try correct(part).outputs["y"] else { throw .failed("no output of \(name)") }
    return y
  }

  func conv(_ name: String, _ x: AnyTensor, stride: Int, padding: Int, _ more: [String: AttributeValue] = [:])
    throws(EngineError) -> AnyTensor
  {
    try layer(
      Conv2d.name, name, x,
      ["stride": .integer(stride), "padding": .integer(padding)].merging(more) { _, new in new })
  }

  func norm(_ name: String, _ x: AnyTensor) throws(EngineError) -> AnyTensor {
    let training = (try? exercise.attributes.boolean("training", default: false)) ?? false
    return try layer(BatchNorm2d.name, name, x, ["training": .boolean(training)])
  }

  func relu(_ x: AnyTensor) throws(EngineError) -> AnyTensor { try layer(ReLU.name, "", x) }

  var stride: Int { (try? exercise.attributes.integer("stride", default: 1)) ?? 1 }

  func shortcut(_ x: AnyTensor, stride: Int) throws(EngineError) -> AnyTensor {
    guard !exercise.hasIdentityShortcut else { return x }
    return try norm("downsample.1", conv("downsample.0", x, stride: stride, padding: 0))
  }

  func sum(_ a: AnyTensor, _ b: AnyTensor) throws(EngineError) -> AnyTensor {
    guard a.shape == b.shape else { throw .failed("\(a.shape) and \(b.shape) do not add") }
    return try layer(Add.name, "", a, other: b)
  }
}

extension Exercise {
  /// Of a block.
  var hasIdentityShortcut: Bool { parameters["downsample.0.weight"] == nil }
}
