import Foundation

extension GoldenFileProbe {
  /// The child's side: limits itself, parses each file of the request, prints one line a file.
  ///
  /// - Parameter request: the argument that the parent gave after the subcommand.
  /// - Throws: when the request is not one; files never make it throw.
  public static func serve(_ request: String) throws {
    let request = try JSONDecoder().decode(GoldenProbeRequest.self, from: Data(request.utf8))
    // A crash is expected here: no core file of it.
    limit(coreSize, to: 0)
    limit(addressSpace, to: request.resources.memoryBytes)
    for path in request.paths {
      limitProcessorTime(seconds: request.resources.processorSeconds)
      var line = try JSONEncoder().encode(reply(path, limits: request.limits))
      line.append(UInt8(ascii: "\n"))
      try FileHandle.standardOutput.write(contentsOf: line)
    }
  }

  private static func reply(_ path: String, limits: GoldenLimits) -> GoldenProbeReply {
    do {
      let image = try GoldenFileBytes.read(path, limits: limits)
      let file = try GoldenFile(path: path, image: image.bytes, sha256: image.sha256, isListed: false, limits: limits)
      try file.validate(skippingCostly: true)
      return GoldenProbeReply(sha256: image.sha256, caseCount: file.cases.count)
    } catch {
      return GoldenProbeReply(error: error)
    }
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

  /// From now on: what was used for earlier files does not count.
  private static func limitProcessorTime(seconds: Int) {
    var usage = rusage()
    getrusage(ownUsage, &usage)
    var bound = rlimit()
    getrlimit(processorTime, &bound)
    let used = Int(usage.ru_utime.tv_sec) + Int(usage.ru_stime.tv_sec)
    bound.rlim_cur = min(bound.rlim_max, rlim_t(used + 1 + seconds))
    setrlimit(processorTime, &bound)
  }
}
