import Engines
import Problems
import Tensors

extension Exercise {
  /// The same tensors with a guard band behind each of them.
  var guarded: Exercise {
    var changed = self
    changed.inputs = inputs.mapValues(GuardBand.behind)
    changed.parameters = parameters.mapValues(GuardBand.behind)
    changed.buffers = buffers.mapValues(GuardBand.behind)
    changed.upstream = upstream.mapValues(GuardBand.behind)
    return changed
  }

  /// Everything that an engine is given, the other way round, in the memory that it lies in: another exercise of the same sizes
  /// whose rows still sum to what they did and whose variances are still variances. Twice, it is the same again.
  mutating func reverseOperands() {
    func reverse(_ tensors: inout [String: AnyTensor]) {
      for name in tensors.keys { tensors[name]?.reverseElements() }
    }
    reverse(&inputs)
    reverse(&parameters)
    reverse(&buffers)
    reverse(&upstream)
  }

  /// Fingerprints of everything that an engine is given.
  var fingerprints: [String: UInt64] {
    var all: [String: UInt64] = [:]
    for (group, tensors) in [
      ("inputs", inputs), ("parameters", parameters), ("buffers", buffers), ("upstream", upstream),
    ] {
      for (name, tensor) in tensors { all["\(group)/\(name)"] = tensor.fingerprint }
    }
    return all
  }
}

extension Answer {
  /// Fingerprints of the tensors of these paths.
  func fingerprints(_ paths: Set<String>) -> [String: UInt64] {
    paths.reduce(into: [:]) { all, path in all[path] = self[path]?.fingerprint }
  }

  /// The first of these paths whose tensors differ in a bit, and where.
  func firstDifference(from other: Answer, in paths: Set<String>) -> (path: String, element: Int)? {
    for path in paths.sorted() {
      switch (self[path], other[path]) {
      case (nil, nil): continue
      case (let mine?, let theirs?):
        if let element = mine.firstDifference(from: theirs) { return (path, element) }
      default: return (path, 0)
      }
    }
    return nil
  }
}
