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
    #if os(Linux)
      model = Machine.model(cpuInformation: Machine.lines(of: "/proc/cpuinfo"))
      processors = max(1, Int(sysconf(Int32(_SC_NPROCESSORS_ONLN))))
      l1DataBytes = Machine.linuxCache(level: 1)
      l2Bytes = Machine.linuxCache(level: 2)
      l3Bytes = Machine.linuxCache(level: 3)
    #else
      model = Machine.systemString("machdep.cpu.brand_string") ?? "unknown"
      processors = max(1, Machine.systemInteger("hw.logicalcpu") ?? 1)
      l1DataBytes = Machine.systemInteger("hw.l1dcachesize")
      l2Bytes = Machine.systemInteger("hw.l2cachesize")
      l3Bytes = Machine.systemInteger("hw.l3cachesize")
    #endif
    instructionSets = InstructionSet.available
  }

  /// The first processor's name in the lines of `/proc/cpuinfo`; on arm64, where it has none, the numbers that tell its kind
  /// from others.
  static func model(cpuInformation lines: [Substring]) -> String {
    func value(_ key: String) -> String? {
      lines.first { $0.prefix { $0 != ":" && $0 != "\t" } == key }?.split(separator: ":", maxSplits: 1).last
        .map { String($0.drop(while: { $0 == " " })) }
    }
    if let name = value("model name"), !name.isEmpty { return name }
    let numbers = ["implementer", "architecture", "variant", "part"].compactMap { word in
      value("CPU \(word)").map { "\(word) \($0)" }
    }
    return numbers.isEmpty ? "unknown" : "CPU of " + numbers.joined(separator: ", ")
  }

  /// The lines of a small text file of the system, or none when it cannot be read.
  static func lines(of path: String) -> [Substring] {
    guard let file = fopen(path, "r") else { return [] }
    defer { fclose(file) }
    var text: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 1 << 14)
    while true {
      let count = fread(&chunk, 1, chunk.count, file)
      if count == 0 { break }
      text += chunk[..<count]
    }
    return String(decoding: text, as: UTF8.self).split(separator: "\n")
  }

  #if os(Linux)
    private static func linuxCache(level: Int) -> Int? {
      for index in 0..<8 {
        let folder = "/sys/devices/system/cpu/cpu0/cache/index\(index)/"
        guard lines(of: folder + "level").first == "\(level)", lines(of: folder + "type").first != "Instruction",
          let size = lines(of: folder + "size").first
        else { continue }
        if size.hasSuffix("K") { return Int(size.dropLast()).map { $0 << 10 } }
        if size.hasSuffix("M") { return Int(size.dropLast()).map { $0 << 20 } }
        return Int(size)
      }
      return nil
    }
  #elseif canImport(Darwin)
    private static func systemInteger(_ name: String) -> Int? {
      var value = 0
      var size = MemoryLayout<Int>.size
      return sysctlbyname(name, &value, &size, nil, 0) == 0 ? value : nil
    }

    private static func systemString(_ name: String) -> String? {
      var size = 0
      guard sysctlbyname(name, nil, &size, nil, 0) == 0, size > 0 else { return nil }
      var bytes = [UInt8](repeating: 0, count: size)
      guard sysctlbyname(name, &bytes, &size, nil, 0) == 0 else { return nil }
      return String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
    }
  #endif
}
