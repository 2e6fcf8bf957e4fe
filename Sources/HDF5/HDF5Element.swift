import CHDF5

/// A Swift number that can be read from, and written to, a dataset. Its zero has no bit set.
public protocol HDF5Element: Sendable {
  /// The type that holds every value of this one in a file; little-endian, so that files do not depend on the machine.
  static var storedType: HDF5Datatype { get }
  /// What a new buffer is filled with.
  static var zero: Self { get }
}

extension HDF5Element {
  /// libhdf5's type for this number in memory. To be called under the lock.
  static func memoryType(at location: HDF5Location) throws(HDF5Error) -> HDF5Handle {
    let order: HDF5ByteOrder = 1.littleEndian == 1 ? .littleEndian : .bigEndian
    return try storedType.stored(order).handle(at: location, object: location.path)
  }

  /// Whether every value of a stored type of this description can be asked for as `Self`. Integers are read as integers
  /// of any size, and each value is checked; floats are never narrowed by the library, nor made from integers.
  static func canRead(_ type: HDF5Datatype) -> Bool {
    if storedType.isInteger { return type.isInteger }
    return type.isFloatingPoint && (type.byteCount <= storedType.byteCount)
  }
}

extension Int8: HDF5Element { public static var storedType: HDF5Datatype { .int8 } }
extension Int16: HDF5Element { public static var storedType: HDF5Datatype { .int16 } }
extension Int32: HDF5Element { public static var storedType: HDF5Datatype { .int32 } }
extension Int64: HDF5Element { public static var storedType: HDF5Datatype { .int64 } }
extension Int: HDF5Element { public static var storedType: HDF5Datatype { .int64 } }
extension UInt8: HDF5Element { public static var storedType: HDF5Datatype { .uint8 } }
extension UInt16: HDF5Element { public static var storedType: HDF5Datatype { .uint16 } }
extension UInt32: HDF5Element { public static var storedType: HDF5Datatype { .uint32 } }
extension UInt64: HDF5Element { public static var storedType: HDF5Datatype { .uint64 } }
extension Float: HDF5Element { public static var storedType: HDF5Datatype { .float32 } }
extension Double: HDF5Element { public static var storedType: HDF5Datatype { .float64 } }
#if !(os(macOS) && arch(x86_64))
  extension Float16: HDF5Element { public static var storedType: HDF5Datatype { .float16 } }
#endif
