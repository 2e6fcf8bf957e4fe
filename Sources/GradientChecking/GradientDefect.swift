import Operations
import Problems
import Tensors

/// One deliberate mistake in a backward pass: `weight[3, 0, 1, 2]` is an element that the first cotangent is added to, `layer2.0.conv2` a
/// layer of a network whose gradient by its input becomes 1/1024 too large.
public struct GradientDefect: Sendable {
  public let name: String
  /// `nil` for a layer.
  public let index: [Int]?

  /// - Throws: `ProblemError` for a text that is neither.
  public init(_ text: String) throws(ProblemError) {
    guard let bracket = text.firstIndex(of: "[") else {
      (name, index) = (text, nil)
      return
    }
    let numbers = text[bracket...].dropFirst().dropLast().split(separator: ",").map {
      Int($0.filter { $0 != " " })
    }
    guard text.hasSuffix("]"), !numbers.isEmpty, !numbers.contains(nil) else {
      throw ProblemError(.invalidArgument, "defect", expected: "NAME[i, j, …] or a layer's name", found: text)
    }
    (name, index) = (String(text[..<bracket]), numbers.compactMap { $0 })
  }

  func apply(to function: inout CheckedFunction) throws(ProblemError) {
    guard let index, let shape = function.point[name]?.shape, function.checked.contains(name) else {
      throw ProblemError(
        .invalidArgument, "defect", expected: "one of \(function.checked.joined(separator: ", "))", found: name)
    }
    guard index.count == shape.rank, zip(index, shape.dimensions).allSatisfy({ $0 >= 0 && $0 < $1 }) else {
      throw ProblemError(.invalidArgument, "defect", expected: "an index into \(shape)", found: "\(index)")
    }
    let offset = zip(index, shape.strides).reduce(0) { $0 + $1.0 * $1.1 }
    let (name, correct) = (name, function.backward)
    function.backward = { operands, upstream in
      var gradients = try correct(operands, upstream)
      // Linear in the cotangents, as a wrong backward pass mostly is.
      let first = upstream.min { $0.key < $1.key }?.value.elements.first ?? 1
      gradients[name]?.elements[offset] += first
      return gradients
    }
  }

  func apply(to network: inout ReferenceNetwork) throws(ProblemError) {
    let name = name
    guard network.layers.contains(where: { $0.name == name }) else { throw namesNoLayer }
    network.defect = { layer, gradients in
      if layer.name == name { gradients["x"] = gradients["x"]?.map { $0 * (1 + 0x1p-10) } }
    }
  }

  var namesNoLayer: ProblemError {
    ProblemError(
      .invalidArgument, "defect", expected: "an element such as x[0, 1, 2, 3], or a network's layer", found: name)
  }
}

extension CheckedFunction {
  /// An engine whose network has a layer that is wrong: to its gradients comes by what the defect changes the reference's, since
  /// nobody can reach into an engine.
  mutating func spoil(by spoilt: ReferenceNetwork, insteadOf sound: ReferenceNetwork) {
    let correct = backward
    backward = { operands, upstream in
      let wrong = try spoilt.backward(operands, upstream)
      let right = try sound.backward(operands, upstream)
      return try correct(operands, upstream).reduce(into: [:]) { gradients, found in
        var tensor = found.value
        if let wrong = wrong[found.key], let right = right[found.key] {
          for element in tensor.elements.indices {
            tensor.elements[element] += wrong.elements[element] - right.elements[element]
          }
        }
        gradients[found.key] = tensor
      }
    }
  }
}
