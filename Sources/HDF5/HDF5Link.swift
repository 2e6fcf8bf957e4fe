/// A name in a group, and what kind of link it is: known before anything behind it is opened.
public struct HDF5Link: Sendable, Hashable {
  public enum Kind: Sendable, Hashable, CustomStringConvertible {
    case hard, soft, external
    case user(Int)

    init(libraryValue: Int32) {
      switch libraryValue {
      case 0: self = .hard
      case 1: self = .soft
      case 64: self = .external
      default: self = .user(Int(libraryValue))
      }
    }

    public var description: String {
      switch self {
      case .hard: "hard link"
      case .soft: "soft link"
      case .external: "external link"
      case .user(let number): "user-defined link (type \(number))"
      }
    }
  }

  public let name: String
  public let kind: Kind
}

/// What tells an object from every other: the same for all hard links to it, so that cycles can be seen.
public struct HDF5Identity: Sendable, Hashable {
  let file: UInt
  let low: UInt64
  let high: UInt64
}

/// Anything that a hard link can lead to.
public enum HDF5Node: Sendable {
  case group(HDF5Group)
  case dataset(HDF5Dataset)
  /// A committed datatype, or something newer than this module.
  case other(path: String)
}
