import CHDF5

public enum HDF5ByteOrder: String, Sendable, Hashable { case littleEndian = "little-endian", bigEndian = "big-endian" }

/// How the elements of a dataset or attribute are stored, looked at before anything is converted.
public struct HDF5Datatype: Sendable, Hashable, CustomStringConvertible {
  public enum Kind: Sendable, Hashable {
    case integer(signed: Bool)
    /// IEEE 754's, or what is read as one of them.
    case floatingPoint
    /// Brain floating point, float32's upper half: 8 exponent and 7 fraction bits.
    case bfloat16
    case string(variableLength: Bool, utf8: Bool)
    /// h5py's boolean: an enumeration of exactly FALSE and TRUE.
    case boolean
    case enumeration, compound, reference, opaque, array, variableLengthSequence, bitField, time, unknown
  }

  public let kind: Kind
  /// Stored bytes per element; for variable-length strings, the bytes of the reference to them.
  public let byteCount: Int
  /// nil where order has no meaning, or is neither of the two.
  public let byteOrder: HDF5ByteOrder?

  public init(kind: Kind, byteCount: Int, byteOrder: HDF5ByteOrder? = .littleEndian) {
    self.kind = kind
    self.byteCount = byteCount
    self.byteOrder = byteOrder
  }

  public static let float16 = HDF5Datatype(kind: .floatingPoint, byteCount: 2)
  public static let bfloat16 = HDF5Datatype(kind: .bfloat16, byteCount: 2)
  public static let float32 = HDF5Datatype(kind: .floatingPoint, byteCount: 4)
  public static let float64 = HDF5Datatype(kind: .floatingPoint, byteCount: 8)
  public static let int8 = HDF5Datatype(kind: .integer(signed: true), byteCount: 1)
  public static let int16 = HDF5Datatype(kind: .integer(signed: true), byteCount: 2)
  public static let int32 = HDF5Datatype(kind: .integer(signed: true), byteCount: 4)
  public static let int64 = HDF5Datatype(kind: .integer(signed: true), byteCount: 8)
  public static let uint8 = HDF5Datatype(kind: .integer(signed: false), byteCount: 1)
  public static let uint16 = HDF5Datatype(kind: .integer(signed: false), byteCount: 2)
  public static let uint32 = HDF5Datatype(kind: .integer(signed: false), byteCount: 4)
  public static let uint64 = HDF5Datatype(kind: .integer(signed: false), byteCount: 8)
  public static let boolean = HDF5Datatype(kind: .boolean, byteCount: 1)

  /// The same type in the other order of bytes.
  public func stored(_ order: HDF5ByteOrder) -> HDF5Datatype {
    HDF5Datatype(kind: kind, byteCount: byteCount, byteOrder: order)
  }

  public var isInteger: Bool { if case .integer = kind { true } else { false } }
  public var isFloatingPoint: Bool { kind == .floatingPoint || kind == .bfloat16 }
  public var isString: Bool { if case .string = kind { true } else { false } }

  public var description: String {
    let order = byteOrder == .bigEndian && byteCount > 1 ? " (big-endian)" : ""
    switch kind {
    case .integer(let signed): return "\(signed ? "int" : "uint")\(byteCount * 8)\(order)"
    case .floatingPoint: return "float\(byteCount * 8)\(order)"
    case .bfloat16: return "bfloat16\(order)"
    case .string(let variable, let utf8):
      return "\(variable ? "variable-length" : "fixed-length") \(utf8 ? "UTF-8" : "ASCII") string"
    case .boolean: return "boolean"
    case .enumeration: return "enumeration"
    case .compound: return "compound type"
    case .reference: return "reference"
    case .opaque: return "opaque bytes"
    case .array: return "array type"
    case .variableLengthSequence: return "variable-length sequence"
    case .bitField: return "bit field"
    case .time: return "time"
    case .unknown: return "unknown type"
    }
  }

  /// Inspects an open type. To be called under the lock.
  init(_ type: HDF5Handle, at location: HDF5Location, object: String) throws(HDF5Error) {
    let size = H5Tget_size(type.id)
    guard size > 0, let byteCount = Int(exactly: size) else {
      throw location.failure(object: object, expected: "a type of at least one byte")
    }
    self.byteCount = byteCount
    switch H5Tget_order(type.id) {
    case H5T_ORDER_LE: byteOrder = .littleEndian
    case H5T_ORDER_BE: byteOrder = .bigEndian
    default: byteOrder = nil
    }
    switch H5Tget_class(type.id) {
    case H5T_INTEGER: kind = .integer(signed: H5Tget_sign(type.id) != H5T_SGN_NONE)
    case H5T_FLOAT: kind = assay_h5_is_bfloat16(type.id) > 0 ? .bfloat16 : .floatingPoint
    case H5T_STRING:
      kind = .string(
        variableLength: H5Tis_variable_str(type.id) > 0, utf8: H5Tget_cset(type.id) == H5T_CSET_UTF8)
    case H5T_ENUM: kind = HDF5Datatype.isBoolean(type.id) ? .boolean : .enumeration
    case H5T_COMPOUND: kind = .compound
    case H5T_REFERENCE: kind = .reference
    case H5T_OPAQUE: kind = .opaque
    case H5T_ARRAY: kind = .array
    case H5T_VLEN: kind = .variableLengthSequence
    case H5T_BITFIELD: kind = .bitField
    case H5T_TIME: kind = .time
    default: kind = .unknown
    }
  }

  private static func isBoolean(_ type: hid_t) -> Bool {
    guard H5Tget_nmembers(type) == 2 else { return false }
    var names: Set<String> = []
    for index in 0..<2 as Range<UInt32> {
      guard let name = H5Tget_member_name(type, index) else { return false }
      names.insert(String(cString: name))
      _ = H5free_memory(name)
    }
    return names == ["FALSE", "TRUE"]
  }

  /// A new library type of a number or boolean. To be called under the lock.
  func handle(at location: HDF5Location, object: String) throws(HDF5Error) -> HDF5Handle {
    let bigEndian: Int32 = byteOrder == .bigEndian ? 1 : 0
    let id: hid_t
    switch kind {
    case .integer(let signed): id = assay_h5_standard_integer(byteCount, signed ? 1 : 0, bigEndian)
    case .floatingPoint: id = assay_h5_standard_float(byteCount, bigEndian)
    case .bfloat16: id = assay_h5_bfloat16(bigEndian)
    case .boolean: id = assay_h5_boolean()
    default: id = -1
    }
    guard let handle = HDF5Handle(id, .datatype) else {
      throw location.error(
        .wrongType, object: object, expected: "a standard number type", found: "\(self)",
        advice: "use one of the predefined types")
    }
    return handle
  }

  /// A new library type of a string: variable-length, or of a fixed number of bytes.
  static func string(bytes: Int?, utf8: Bool, at location: HDF5Location, object: String) throws(HDF5Error)
    -> HDF5Handle
  {
    let type = try location.own(assay_h5_c_string(), .datatype, expected: "a string type", object: object)
    let size = bytes.map { max($0, 1) } ?? assay_h5_variable_length()
    guard H5Tset_size(type.id, size) >= 0, H5Tset_cset(type.id, utf8 ? H5T_CSET_UTF8 : H5T_CSET_ASCII) >= 0,
      H5Tset_strpad(type.id, bytes == nil ? H5T_STR_NULLTERM : H5T_STR_NULLPAD) >= 0
    else { throw location.failure(object: object, expected: "a string type") }
    return type
  }
}
