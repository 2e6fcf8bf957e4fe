import Foundation

/// The child's side of a probe: limits of this process.
package enum ProbeLimits {
  /// Before the first file.
  package static func begin(_ resources: GoldenFileProbe.Resources) {
    // A crash is expected here: no core file of it.
    limit(coreSize, to: 0)
    limit(addressSpace, to: resources.memoryBytes)
  }

  /// Before each file: what was used for earlier ones does not count.
  package static func beginFile(_ resources: GoldenFileProbe.Resources) {
    var usage = rusage()
    getrusage(ownUsage, &usage)
    var bound = rlimit()
    getrlimit(processorTime, &bound)
    let used = Int(usage.ru_utime.tv_sec) + Int(usage.ru_stime.tv_sec)
    bound.rlim_cur = min(bound.rlim_max, rlim_t(used + 1 + resources.processorSeconds))
    setrlimit(processorTime, &bound)
  }

  /// Writes a line for the parent, and what follows it.
  /// - Throws: when nobody reads it any more.
  package static func answer(_ reply: some Encodable, payload: [UInt8] = []) throws {
    var line = try JSONEncoder().encode(reply)
    line.append(UInt8(ascii: "\n"))
    line.append(contentsOf: payload)
    try FileHandle.standardOutput.write(contentsOf: line)
  }

  // Glibc imports these as an enumeration, but its functions take integers.
  #if canImport(Glibc)
    private static let coreSize = Int32(RLIMIT_CORE.rawValue)
    private static let addressSpace = Int32(RLIMIT_AS.rawValue)
    private static let processorTime = Int32(RLIMIT_CPU.rawValue)
    private static let ownUsage = RUSAGE_SELF.rawValue
  #else
    private static let coreSize = RLIMIT_CORE
    private static let addressSpace = RLIMIT_AS
    private static let processorTime = RLIMIT_CPU
    private static let ownUsage = RUSAGE_SELF
  #endif

  private static func limit(_ kind: Int32, to value: Int) {
    var bound = rlimit(rlim_cur: rlim_t(value), rlim_max: rlim_t(value))
    setrlimit(kind, &bound)
  }
}
