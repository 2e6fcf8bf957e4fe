import KernelContracts
import KernelsPortable

#if arch(x86_64)
  import KernelsAVX2
  import KernelsAVX512
#else
  import KernelsNEON
#endif

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// An instruction set that the kernels are compiled for. This file is the only place that knows which there are.
public enum InstructionSet: String, CaseIterable, Hashable, Sendable, Codable {
  case portable
  case avx2
  case avx512
  case neon

  /// Those that this CPU and its operating system run, slowest first.
  public static let available: [InstructionSet] = allCases.filter { $0.isAvailable }

  /// The instruction set to use: `ASSAY_ISA` (portable, avx2, avx512, neon) or else the widest available.
  /// - Throws: ``ConvolutionError/instructionSetUnavailable(asked:available:)``.
  public static func selected() throws(ConvolutionError) -> InstructionSet {
    guard let asked = getenv("ASSAY_ISA").map({ String(cString: $0) }), !asked.isEmpty else {
      return available.last ?? .portable
    }
    return try named(asked)
  }

  /// The instruction set of this name.
  /// - Throws: ``ConvolutionError/instructionSetUnavailable(asked:available:)`` when unknown, or not available here.
  public static func named(_ name: String) throws(ConvolutionError) -> InstructionSet {
    guard let found = InstructionSet(rawValue: name), available.contains(found) else {
      throw .instructionSetUnavailable(asked: name, available: available.map(\.rawValue))
    }
    return found
  }

  private var isAvailable: Bool {
    switch self {
    case .portable: return true
    #if arch(x86_64)
      case .avx2: return Self.cpuFlags.isSuperset(of: ["avx2", "fma", "bmi1", "bmi2", "movbe", "f16c"])
      case .avx512:
        return InstructionSet.avx2.isAvailable
          && Self.cpuFlags.isSuperset(of: ["avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"])
      case .neon: return false
    #else
      case .avx2, .avx512: return false
      case .neon: return true
    #endif
    }
  }

  /// The kernels of this instruction set.
  /// - Throws: ``ConvolutionError/instructionSetUnavailable(asked:available:)`` when this CPU lacks it.
  package func kernels() throws(ConvolutionError) -> KernelTable {
    guard Self.available.contains(self) else {
      throw .instructionSetUnavailable(asked: rawValue, available: Self.available.map(\.rawValue))
    }
    switch self {
    #if arch(x86_64)
      case .avx512: return KernelsAVX512.makeKernelTable()
      case .avx2: return KernelsAVX2.makeKernelTable()
    #else
      case .neon: return KernelsNEON.makeKernelTable()
    #endif
    default: return KernelsPortable.makeKernelTable()
    }
  }

  /// The kernel's list of what the CPU has *and* the operating system saves on a context switch.
  private static let cpuFlags: Set<String> = {
    #if os(Linux)
      for line in Machine.lines(of: "/proc/cpuinfo") where line.hasPrefix("flags") {
        return Set(line.split(whereSeparator: { $0 == " " || $0 == "\t" }).map(String.init))
      }
      return []
    #elseif canImport(Darwin)
      var flags: Set<String> = []
      let names = [
        "hw.optional.avx2_0": ["avx2"], "hw.optional.fma": ["fma"], "hw.optional.bmi1": ["bmi1"],
        "hw.optional.bmi2": ["bmi2", "movbe"], "hw.optional.f16c": ["f16c"], "hw.optional.avx512f": ["avx512f"],
        "hw.optional.avx512bw": ["avx512bw"], "hw.optional.avx512cd": ["avx512cd"],
        "hw.optional.avx512dq": ["avx512dq"], "hw.optional.avx512vl": ["avx512vl"],
      ]
      for (name, found) in names {
        var value: Int32 = 0
        var size = MemoryLayout<Int32>.size
        if sysctlbyname(name, &value, &size, nil, 0) == 0, value == 1 { flags.formUnion(found) }
      }
      return flags
    #else
      return []
    #endif
  }()
}
