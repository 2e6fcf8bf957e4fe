import Tensors

/// The outputs of a function laid end to end in the order of their names, so that a Jacobian has rows.
struct OutputLayout: Sendable, Equatable {
  let names: [String]
  let shapes: [Shape]
  let offsets: [Int]
  let count: Int

  init<Element>(of outputs: [String: Tensor<Element>]) {
    names = outputs.keys.sorted()
    var shapes: [Shape] = []
    var offsets: [Int] = []
    var count = 0
    for name in names {
      guard let tensor = outputs[name] else { continue }
      shapes.append(tensor.shape)
      offsets.append(count)
      count += tensor.count
    }
    self.shapes = shapes
    self.offsets = offsets
    self.count = count
  }

  /// - Throws: ``GradientCheckError/unstableOutputs(_:)`` when names or shapes are not those of the first evaluation.
  func flatten<Element>(_ outputs: [String: Tensor<Element>]) throws(GradientCheckError) -> [Element] {
    let found = OutputLayout(of: outputs)
    guard found == self else {
      throw .unstableOutputs("expected \(description), found \(found.description)")
    }
    if names.count == 1, let only = outputs[names[0]] { return only.elements }
    return names.flatMap { outputs[$0]?.elements ?? [] }
  }

  func unflatten<Element>(_ flat: [Element]) -> [String: Tensor<Element>] {
    var outputs: [String: Tensor<Element>] = [:]
    for (position, name) in names.enumerated() {
      let shape = shapes[position]
      outputs[name] = Tensor(shape: shape, elements: Array(flat[offsets[position]..<offsets[position] + shape.count]))
    }
    return outputs
  }

  /// `y[0, 3, 1, 2]` for a position.
  func label(_ position: Int) -> String {
    let which = offsets.lastIndex { $0 <= position } ?? 0
    guard names.indices.contains(which) else { return "output \(position)" }
    return names[which] + "\(shapes[which].index(ofOffset: position - offsets[which]))"
  }

  var description: String { zip(names, shapes).map { "\($0) \($1)" }.joined(separator: ", ") }
}
