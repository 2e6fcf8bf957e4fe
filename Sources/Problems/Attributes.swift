/// The value of an attribute of an operation, as a golden file or an engine holds it.
public enum AttributeValue: Hashable, Sendable, Codable {
  case boolean(Bool)
  case integer(Int)
  case real(Double)
  case string(String)
  case integers([Int])
  case reals([Double])
  case strings([String])
}

extension AttributeValue: CustomStringConvertible {
  public var description: String {
    switch self {
    case .boolean(let value): "\(value)"
    case .integer(let value): "\(value)"
    case .real(let value): "\(value)"
    case .string(let value): "\"\(value)\""
    case .integers(let value): "\(value)"
    case .reals(let value): "\(value)"
    case .strings(let value): "\(value)"
    }
  }
}

/// An operation's attributes by name, read with the leniency that the golden format grants: a boolean may be any integer,
/// a scalar may stand for a pair, a one-element array for a scalar, an integer for a real, a whole real for an integer (as
/// MATLAB and R store them).
public struct Attributes: Hashable, Sendable, Codable {
  public var values: [String: AttributeValue]

  public init(_ values: [String: AttributeValue] = [:]) { self.values = values }

  public subscript(name: String) -> AttributeValue? {
    get { values[name] }
    set { values[name] = newValue }
  }

  /// Integers, where the value is any number of whole numbers.
  private func integers(_ value: AttributeValue?) -> [Int]? {
    func whole(_ reals: [Double]) -> [Int]? {
      let integers = reals.compactMap { Int(exactly: $0) }
      return integers.count == reals.count ? integers : nil
    }
    return switch value {
    case .integer(let found): [found]
    case .integers(let found): found
    case .real(let found): whole([found])
    case .reals(let found): whole(found)
    default: nil
    }
  }

  private func wrong(_ name: String, _ expected: String, _ found: AttributeValue?) -> ProblemError {
    ProblemError(.invalidArgument, name, expected: expected, found: found?.description ?? "nothing")
  }

  public func boolean(_ name: String, default value: Bool) throws(ProblemError) -> Bool {
    switch values[name] {
    case nil: return value
    case .boolean(let found): return found
    case let found:
      guard let values = integers(found), values.count == 1 else { throw wrong(name, "a boolean", found) }
      return values[0] != 0
    }
  }

  /// - Parameters:
  ///   - name: the attribute.
  ///   - value: what an absent attribute means; `nil` makes it required.
  public func integer(_ name: String, default value: Int?) throws(ProblemError) -> Int {
    switch values[name] {
    case .boolean(let found): return found ? 1 : 0
    case nil: if let value { return value } else { throw wrong(name, "an integer", nil) }
    case let found:
      guard let values = integers(found), values.count == 1 else { throw wrong(name, "an integer", found) }
      return values[0]
    }
  }

  public func real(_ name: String, default value: Double?) throws(ProblemError) -> Double {
    switch values[name] {
    case .real(let found): return found
    case .reals(let found) where found.count == 1: return found[0]
    case .integer(let found): return Double(found)
    case .integers(let found) where found.count == 1: return Double(found[0])
    case nil: if let value { return value } else { throw wrong(name, "a number", nil) }
    case let found: throw wrong(name, "a number", found)
    }
  }

  public func realPair(_ name: String, default value: (Double, Double)?) throws(ProblemError) -> (Double, Double) {
    switch values[name] {
    case .reals(let found) where found.count == 2: return (found[0], found[1])
    case .integers(let found) where found.count == 2: return (Double(found[0]), Double(found[1]))
    case nil: if let value { return value } else { throw wrong(name, "two numbers", nil) }
    default:
      let both = try real(name, default: nil)
      return (both, both)
    }
  }

  public func pair(_ name: String, default value: Pair?) throws(ProblemError) -> Pair {
    switch (values[name], integers(values[name])) {
    case (_, let found?) where found.count == 1: return Pair(found[0])
    case (_, let found?) where found.count == 2: return Pair(found[0], found[1])
    case (nil, _): if let value { return value } else { throw wrong(name, "an integer or two", nil) }
    case (let found, _): throw wrong(name, "an integer or two", found)
    }
  }

  public func string(_ name: String, default value: String?) throws(ProblemError) -> String {
    switch values[name] {
    case .string(let found): return found
    case .strings(let found) where found.count == 1: return found[0]
    case nil: if let value { return value } else { throw wrong(name, "a string", nil) }
    case let found: throw wrong(name, "a string", found)
    }
  }

  public func strings(_ name: String, default value: [String]?) throws(ProblemError) -> [String] {
    switch values[name] {
    case .strings(let found): return found
    case .string(let found): return [found]
    // HDF5 stores an empty array of strings as an empty array of whatever type the writer had at hand.
    case .integers(let found) where found.isEmpty: return []
    case .reals(let found) where found.isEmpty: return []
    case nil: if let value { return value } else { throw wrong(name, "an array of strings", nil) }
    case let found: throw wrong(name, "an array of strings", found)
    }
  }

  /// One of the named values.
  public func choice<Choice: RawRepresentable & CaseIterable>(
    _ name: String, default value: Choice
  ) throws(ProblemError) -> Choice where Choice.RawValue == String {
    let text = try string(name, default: value.rawValue)
    guard let choice = Choice(rawValue: text) else {
      let known = Choice.allCases.map(\.rawValue).joined(separator: ", ")
      throw ProblemError(.invalidArgument, name, expected: "one of \(known)", found: text)
    }
    return choice
  }
}
