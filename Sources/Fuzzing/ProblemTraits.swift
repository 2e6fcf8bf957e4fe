import Problems

/// What can be said of a case, by name: numbers (extents, attributes, what follows from them) and words. Failing and passing cases
/// are told apart by it.
package struct ProblemTraits: Sendable, Hashable {
  /// Whether it has to be refused.
  let isInvalid: Bool
  private(set) var numbers: [String: Int] = [:]
  private(set) var words: [String: String] = [:]
  /// In the order in which they are looked at: what was chosen before what follows from it.
  private(set) var names: [String] = []

  /// - Parameters:
  ///   - drawn: the case's problem.
  ///   - data: its operands.
  ///   - dtype: the precision.
  ///   - fault: what is wrong with a case that has to be refused, such as `stride = 0`.
  package init(_ drawn: DrawnProblem, _ data: DataRecipe, dtype: String, fault: String? = nil) {
    isInvalid = fault != nil
    // Before all others: of what has to be refused this is what matters.
    add("case", isInvalid ? "to be refused" : "valid")
    if let fault {
      add("invalid part", Self.place(of: fault))
      add("fault", fault)
    }
    for choice in drawn.choices {
      if let number = Int(choice.label) { add(choice.name, number) } else { add(choice.name, choice.label) }
    }
    add("operands", data.kind.rawValue)
    add("precision", dtype)
    let problem = drawn.problem
    // Whatever the rank is.
    for (name, type) in problem.operands.inputs.sorted(by: { $0.key < $1.key }) {
      if let last = type.shape.dimensions.last { add("last axis of \(name)", last) }
      if type.shape.rank > 1 { add("axis 1 of \(name)", type.shape[1]) }
    }
    let outputs = problem.outputs.sorted { $0.key < $1.key }
    for (name, type) in outputs where type.shape.rank == 4 {
      add("rows of \(name)", type.shape[2])
      add("columns of \(name)", type.shape[3])
    }
    for (name, type) in problem.operands.all.sorted(by: { $0.key < $1.key }) + outputs {
      add("elements of \(name)", type.shape.count)
    }
    let count = outputs.map(\.value.shape.count).max() ?? 0
    if problem.multiplyAccumulates > 0, count > 0 { add("terms of a sum", problem.multiplyAccumulates / count) }
  }

  /// `stride` of `stride = 0`, `x` of `x of shape 2×3`, `targets` of `targets[4] = −1`.
  private static func place(of fault: String) -> String { String(fault.prefix { $0 != " " && $0 != "[" }) }

  private mutating func add(_ name: String, _ number: Int) {
    if numbers.updateValue(number, forKey: name) == nil { names.append(name) }
  }

  private mutating func add(_ name: String, _ word: String) {
    if words.updateValue(word, forKey: name) == nil { names.append(name) }
  }
}
