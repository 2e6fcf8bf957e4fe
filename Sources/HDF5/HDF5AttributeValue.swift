/// The value of an attribute: elements of one kind, and their shape.
public struct HDF5AttributeValue: Sendable, Equatable, CustomStringConvertible {
  public enum Elements: Sendable, Equatable {
    case integers([Int64])
    /// Only where some value is above `Int64.max`.
    case unsignedIntegers([UInt64])
    case floats([Double])
    case strings([String])
    case booleans([Bool])
  }

  /// Row-major.
  public let elements: Elements
  /// Empty for a scalar, nil for a null dataspace.
  public let shape: [Int]?

  public init(_ elements: Elements, shape: [Int]?) {
    self.elements = elements
    self.shape = shape
  }

  public static func integer(_ value: Int) -> Self { Self(.integers([Int64(value)]), shape: []) }
  public static func unsigned(_ value: UInt64) -> Self { Self(.unsignedIntegers([value]), shape: []) }
  public static func float(_ value: Double) -> Self { Self(.floats([value]), shape: []) }
  public static func string(_ value: String) -> Self { Self(.strings([value]), shape: []) }
  public static func boolean(_ value: Bool) -> Self { Self(.booleans([value]), shape: []) }
  public static func integers(_ values: [Int]) -> Self {
    Self(.integers(values.map(Int64.init)), shape: [values.count])
  }
  public static func floats(_ values: [Double]) -> Self { Self(.floats(values), shape: [values.count]) }
  public static func strings(_ values: [String]) -> Self { Self(.strings(values), shape: [values.count]) }

  /// The one integer (or boolean) there is; nil when it is another kind, or another number of elements.
  public var integer: Int64? {
    switch elements {
    case .integers(let values) where values.count == 1: values[0]
    case .booleans(let values) where values.count == 1: values[0] ? 1 : 0
    default: nil
    }
  }

  /// The one integer there is, as an unsigned one; nil when it is negative.
  public var unsigned: UInt64? {
    switch elements {
    case .unsignedIntegers(let values) where values.count == 1: values[0]
    case .integers(let values) where values.count == 1: UInt64(exactly: values[0])
    default: nil
    }
  }

  /// The one float there is.
  public var float: Double? {
    if case .floats(let values) = elements, values.count == 1 { values[0] } else { nil }
  }

  /// The one string there is.
  public var string: String? {
    if case .strings(let values) = elements, values.count == 1 { values[0] } else { nil }
  }

  /// The one boolean there is: h5py's, or an integer 0 or 1.
  public var boolean: Bool? {
    switch elements {
    case .booleans(let values) where values.count == 1: values[0]
    case .integers(let values) where values.count == 1: values[0] == 0 ? false : values[0] == 1 ? true : nil
    default: nil
    }
  }

  public var description: String {
    func list<T>(_ values: [T]) -> String {
      values.count == 1 && shape == [] ? "\(values[0])" : "\(values)"
    }
    return switch elements {
    case .integers(let values): list(values)
    case .unsignedIntegers(let values): list(values)
    case .floats(let values): list(values)
    case .strings(let values): list(values)
    case .booleans(let values): list(values)
    }
  }
}
