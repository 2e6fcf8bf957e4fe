import OperatingSystem

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// What this machine is, as far as the operating system tells.
public struct Machine: Hashable, Sendable, Codable {
  /// The CPU's marketing name.
  public let model: String
  /// Logical processors online.
  public let processors: Int
  /// Bytes of one core's L1 data and L2 cache and of the last level; nil where unknown.
  public let l1DataBytes: Int?
  public let l2Bytes: Int?
  public let l3Bytes: Int?
  public let instructionSets: [InstructionSet]

  public static let current = Machine()

  private init() {
    model = CPUInformation.current.model
    #if os(Linux)
      processors = max(1, Int(sysconf(Int32(_SC_NPROCESSORS_ONLN))))
      l1DataBytes = Machine.linuxCache(level: 1)
      l2Bytes = Machine.linuxCache(level: 2)
      l3Bytes = Machine.linuxCache(level: 3)
    #else
      processors = max(1, CPUInformation.systemInteger("hw.logicalcpu") ?? 1)
      l1DataBytes = CPUInformation.systemInteger("hw.l1dcachesize")
      l2Bytes = CPUInformation.systemInteger("hw.l2cachesize")
      l3Bytes = CPUInformation.systemInteger("hw.l3cachesize")
    #endif
    instructionSets = InstructionSet.available
  }

  /// Whether so many bytes of weights are more than what stays in the second-level cache while activations pass through it.
  func comesFromAfar(_ bytes: Int) -> Bool { bytes > (l2Bytes ?? 1 << 20) / 2 }

  #if os(Linux)
    private static func linuxCache(level: Int) -> Int? {
      for index in 0..<8 {
        let folder = "/sys/devices/system/cpu/cpu0/cache/index\(index)/"
        guard SystemFile.lines(of: folder + "level").first == "\(level)",
          SystemFile.lines(of: folder + "type").first != "Instruction",
          let size = SystemFile.lines(of: folder + "size").first
        else { continue }
        if size.hasSuffix("K") { return Int(size.dropLast()).map { $0 << 10 } }
        if size.hasSuffix("M") { return Int(size.dropLast()).map { $0 << 20 } }
        return Int(size)
      }
      return nil
    }
  #endif
}
