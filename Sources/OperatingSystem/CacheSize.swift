/// What one core's caches of data hold, as the system tells it.
package enum CacheSize {
  /// Bytes of the cache of a level, 1 to 3; of the last one what all cores share. `nil` where the system does not tell.
  package static func bytes(level: Int) -> Int? {
    #if os(Linux)
      for index in 0..<8 {
        let folder = "/sys/devices/system/cpu/cpu0/cache/index\(index)/"
        guard SystemFile.line(of: folder + "level") == "\(level)",
          SystemFile.line(of: folder + "type") != "Instruction", let size = SystemFile.line(of: folder + "size")
        else { continue }
        if size.hasSuffix("K") { return Int(size.dropLast()).map { $0 << 10 } }
        if size.hasSuffix("M") { return Int(size.dropLast()).map { $0 << 20 } }
        return Int(size)
      }
      return nil
    #elseif canImport(Darwin)
      let names = [1: "hw.l1dcachesize", 2: "hw.l2cachesize", 3: "hw.l3cachesize"]
      return names[level].flatMap(SystemControl.integer)
    #else
      return nil
    #endif
  }
}
