import HDF5
import Problems

/// The attributes of one object of a golden file, with the leniency of the format and errors that name them.
package struct GoldenAttributes<Object: HDF5Object> {
  let object: Object
  let file: String

  package init(object: Object, file: String) {
    self.object = object
    self.file = file
  }

  package func wrong(_ name: String, expected: String, found: String, kind: GoldenFileError.Kind = .wrongType)
    -> GoldenFileError
  {
    GoldenFileError(
      kind, file: file, object: "\(object.path)@\(name)", expected: expected, found: found,
      advice: "correct the attribute (Fixtures/FORMAT.md)")
  }

  func type(of name: String) throws(GoldenFileError) -> HDF5Datatype? {
    try translating { () throws(HDF5Error) in try object.attributeLayout(name)?.type }
  }

  func value(_ name: String) throws(GoldenFileError) -> HDF5AttributeValue? {
    try translating { () throws(HDF5Error) in try object.attribute(name) }
  }

  package func string(_ name: String) throws(GoldenFileError) -> String? {
    guard let value = try value(name) else { return nil }
    guard let string = value.string else { throw wrong(name, expected: "a string", found: value.description) }
    return string
  }

  /// A string array, or a single string; empty when the attribute is absent or has no elements.
  func strings(_ name: String) throws(GoldenFileError) -> [String] {
    guard let value = try value(name) else { return [] }
    switch value.elements {
    case .strings(let strings): return strings
    // An empty array has whatever type the writer had at hand.
    case .integers(let none) where none.isEmpty: return []
    case .floats(let none) where none.isEmpty: return []
    default: throw wrong(name, expected: "an array of strings", found: value.description)
    }
  }

  func choice<Choice: RawRepresentable & CaseIterable>(
    _ name: String, _: Choice.Type
  ) throws(GoldenFileError) -> Choice? where Choice.RawValue == String {
    guard let text = try string(name) else { return nil }
    guard let choice = Choice(rawValue: text) else {
      let known = Choice.allCases.map(\.rawValue).joined(separator: ", ")
      throw wrong(name, expected: "one of \(known)", found: "\"\(text)\"", kind: .inconsistent)
    }
    return choice
  }

  /// A number of either kind.
  package func number(_ name: String) throws(GoldenFileError) -> Double? {
    guard let value = try value(name) else { return nil }
    if let float = value.float { return float }
    if let integer = value.integer { return Double(integer) }
    throw wrong(name, expected: "a number", found: value.description)
  }

  /// A list of numbers of either kind, or one of them.
  package func numbers(_ name: String) throws(GoldenFileError) -> [Double]? {
    guard let value = try value(name) else { return nil }
    switch value.elements {
    case .floats(let floats): return floats
    case .integers(let integers): return integers.map { Double($0) }
    default: throw wrong(name, expected: "numbers", found: value.description)
    }
  }

  func boolean(_ name: String, default standard: Bool) throws(GoldenFileError) -> Bool {
    guard let value = try value(name) else { return standard }
    guard let integer = value.integer else { throw wrong(name, expected: "a boolean", found: value.description) }
    return integer != 0
  }

  func integers(_ name: String) throws(GoldenFileError) -> [Int]? {
    guard let value = try value(name) else { return nil }
    switch value.elements {
    case .integers(let values): return values.map { Int($0) }
    // The shape of a scalar: no extents, in whatever type an empty array gets.
    case .floats(let none) where none.isEmpty: return []
    default: throw wrong(name, expected: "integers", found: value.description)
    }
  }

  /// Attributes of an operation: those that the format names must be readable, others are left out where they are not.
  func operationAttributes() throws(GoldenFileError) -> Attributes {
    var attributes = Attributes()
    for name in try translating({ () throws(HDF5Error) in try object.attributeNames() })
    where !GoldenSchema.caseAttributes.contains(name) {
      do {
        if let value = try value(name) { attributes[name] = try convert(value, name) }
      } catch {
        if GoldenSchema.operationAttributes.contains(name) { throw error }
      }
    }
    return attributes
  }

  private func convert(_ value: HDF5AttributeValue, _ name: String) throws(GoldenFileError) -> AttributeValue? {
    let isScalar = value.shape == []
    switch value.elements {
    case .integers(let values):
      // A null dataspace is how h5py stores None: the attribute is there but has no value.
      if value.shape == nil { return nil }
      let integers = values.map { Int($0) }
      return isScalar ? .integer(integers[0]) : .integers(integers)
    case .unsignedIntegers:
      throw wrong(name, expected: "integers below 2^63", found: value.description)
    case .floats(let values):
      if value.shape == nil { return nil }
      return isScalar ? .real(values[0]) : .reals(values)
    case .strings(let values): return isScalar ? .string(values[0]) : .strings(values)
    case .booleans(let values):
      if value.shape == nil { return nil }
      return isScalar ? .boolean(values[0]) : .integers(values.map { $0 ? 1 : 0 })
    }
  }
}
