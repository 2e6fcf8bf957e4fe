#if canImport(Darwin)
  import Darwin

  /// What Darwin tells of itself by name.
  package enum SystemControl {
    /// - Returns: a value of 32 or 64 bits.
    package static func integer(_ name: String) -> Int? {
      // The lower half of a number that the system writes 32 bits of, since Darwin's CPUs are little-endian.
      var value = 0
      var size = MemoryLayout<Int>.size
      return sysctlbyname(name, &value, &size, nil, 0) == 0 ? value : nil
    }

    package static func string(_ name: String) -> String? {
      var size = 0
      guard sysctlbyname(name, nil, &size, nil, 0) == 0, size > 0 else { return nil }
      var bytes = [UInt8](repeating: 0, count: size)
      guard sysctlbyname(name, &bytes, &size, nil, 0) == 0 else { return nil }
      return String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
    }
  }
#endif
