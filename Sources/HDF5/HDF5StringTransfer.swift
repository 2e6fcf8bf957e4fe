import CHDF5

/// Moves strings between libhdf5 and Swift. Everything here is called under the lock.
struct HDF5StringTransfer {
  let location: HDF5Location
  let object: String
  let stored: HDF5Handle
  let type: HDF5Datatype

  /// Reads `count` strings; `call` reads into a buffer of the memory type that it is given.
  ///
  /// The memory type is the stored one, since libhdf5 does not convert between ASCII and UTF-8.
  func read(count: Int, _ call: (hid_t, UnsafeMutableRawPointer) -> herr_t) throws(HDF5Error) -> [String] {
    guard count > 0 else { return [] }
    guard case .string(let variableLength, _) = type.kind else {
      throw location.error(.wrongType, object: object, expected: "strings", found: "\(type)", advice: "")
    }
    return variableLength ? try readVariable(count, call) : try readFixed(count, call)
  }

  private func readFixed(_ count: Int, _ call: (hid_t, UnsafeMutableRawPointer) -> herr_t) throws(HDF5Error)
    -> [String]
  {
    let size = type.byteCount
    var bytes = [UInt8](repeating: 0, count: count * size)
    let status = bytes.withUnsafeMutableBytes { buffer in buffer.baseAddress.map { call(stored.id, $0) } ?? -1 }
    guard status >= 0 else { throw location.failure(object: object, expected: "readable strings") }
    let spacePadded = H5Tget_strpad(stored.id) == H5T_STR_SPACEPAD
    var strings: [String] = []
    strings.reserveCapacity(count)
    for index in 0..<count {
      var slice = bytes[index * size..<(index + 1) * size]
      if spacePadded {
        while slice.last == UInt8(ascii: " ") { slice.removeLast() }
      } else if let end = slice.firstIndex(of: 0) {
        slice = slice[..<end]
      }
      guard let text = String(validating: slice, as: UTF8.self) else { throw notText() }
      strings.append(text)
    }
    return strings
  }

  private func readVariable(_ count: Int, _ call: (hid_t, UnsafeMutableRawPointer) -> herr_t) throws(HDF5Error)
    -> [String]
  {
    var pointers = [UnsafeMutablePointer<CChar>?](repeating: nil, count: count)
    let status = pointers.withUnsafeMutableBytes { buffer in buffer.baseAddress.map { call(stored.id, $0) } ?? -1 }
    guard status >= 0 else { throw location.failure(object: object, expected: "readable strings") }
    defer { for pointer in pointers { _ = H5free_memory(pointer) } }
    var strings: [String] = []
    strings.reserveCapacity(count)
    for pointer in pointers {
      // A variable-length string that was never written is a null pointer: the empty string.
      guard let pointer else {
        strings.append("")
        continue
      }
      guard let text = String(validatingCString: pointer) else { throw notText() }
      strings.append(text)
    }
    return strings
  }

  private func notText() -> HDF5Error {
    location.error(
      .damaged, object: object, expected: "text in UTF-8", found: "other bytes", advice: "store strings as UTF-8")
  }

  /// Calls `body` with an array of pointers to the strings' bytes, as libhdf5 takes variable-length strings.
  static func withPointers(to strings: [String], _ body: (UnsafeRawPointer?) -> herr_t) -> herr_t {
    var bytes: [CChar] = []
    var starts: [Int] = []
    for string in strings {
      starts.append(bytes.count)
      bytes.append(contentsOf: string.utf8CString)
    }
    return bytes.withUnsafeBufferPointer { buffer in
      let pointers = starts.map { start in buffer.baseAddress?.advanced(by: start) }
      return pointers.withUnsafeBytes { body($0.baseAddress) }
    }
  }
}
