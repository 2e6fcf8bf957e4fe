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
    #else
      processors = max(1, SystemControl.integer("hw.logicalcpu") ?? 1)
    #endif
    l1DataBytes = CacheSize.bytes(level: 1)
    l2Bytes = CacheSize.bytes(level: 2)
    l3Bytes = CacheSize.bytes(level: 3)
    instructionSets = InstructionSet.available
  }

  /// Whether so many bytes of weights are more than what stays in the second-level cache while activations pass through it.
  func comesFromAfar(_ bytes: Int) -> Bool { bytes > (l2Bytes ?? 1 << 20) / 2 }

  /// Whether so many bytes of weights are worth asking for before they are read. Whatever the layer's own would do, within a
  /// network those of all other layers, and their activations, have passed through the second-level cache since.
  func asksAhead(forWeights bytes: Int) -> Bool { bytes > (l2Bytes ?? 1 << 20) / 16 }
}
