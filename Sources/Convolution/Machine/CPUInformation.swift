import OperatingSystem

/// What the system says of the CPU: the one place that reads `/proc/cpuinfo`, or asks `sysctl`.
package struct CPUInformation: Sendable {
  /// Its name; on arm64 under Linux, where it has none, the numbers that tell its kind from others.
  package let model: String
  /// What the CPU has *and* the operating system saves on a context switch, by Linux's names.
  package let flags: Set<String>

  #if os(Linux)
    package static let current = CPUInformation(SystemFile.lines(of: "/proc/cpuinfo"))
  #elseif canImport(Darwin)
    package static let current = CPUInformation()
  #else
    package static let current = CPUInformation([])
  #endif

  /// - Parameter lines: of `/proc/cpuinfo`, of which the first processor counts.
  package init(_ lines: [Substring]) {
    func value(_ key: String) -> Substring? {
      lines.first { $0.prefix { $0 != ":" && $0 != "\t" } == key }.map {
        $0.drop { $0 != ":" }.dropFirst().drop { $0 == " " }
      }
    }
    let numbers = ["implementer", "architecture", "variant", "part"].compactMap { word in
      value("CPU \(word)").map { "\(word) \($0)" }
    }
    model =
      if let name = value("model name"), !name.isEmpty { String(name) } else {
        numbers.isEmpty ? "unknown" : "CPU of " + numbers.joined(separator: ", ")
      }
    flags = Set((value("flags") ?? "").split(separator: " ").map(String.init))
  }

  #if canImport(Darwin)
    private init() {
      model = SystemControl.string("machdep.cpu.brand_string") ?? "unknown"
      let names = [
        // Those without a name of their own come with one that has: all Macs since the first AVX2 have them.
        "hw.optional.avx2_0": ["avx2", "avx", "popcnt", "ssse3", "sse4_1", "sse4_2"], "hw.optional.fma": ["fma"],
        "hw.optional.bmi1": ["bmi1"], "hw.optional.bmi2": ["bmi2", "movbe", "abm"], "hw.optional.f16c": ["f16c"],
        "hw.optional.avx512f": ["avx512f"],
        "hw.optional.avx512bw": ["avx512bw"], "hw.optional.avx512cd": ["avx512cd"],
        "hw.optional.avx512dq": ["avx512dq"], "hw.optional.avx512vl": ["avx512vl"],
      ]
      flags = Set(names.filter { SystemControl.integer($0.key) == 1 }.flatMap(\.value))
    }
  #endif
}
