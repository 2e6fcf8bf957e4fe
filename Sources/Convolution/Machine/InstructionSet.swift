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
  public static let available: [InstructionSet] = available(on: CPUInformation.current.flags)

  /// Those that a CPU with these flags (Linux's names) runs.
  package static func available(on flags: Set<String>) -> [InstructionSet] {
    allCases.filter { $0.requiredFlags.map(flags.isSuperset(of:)) ?? false }
  }

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

  /// What code compiled for it may use: x86-64-v3 for AVX2 (`abm` is LZCNT), x86-64-v4 for AVX-512. `nil` on another
  /// architecture. Every real CPU with AVX2 has the rest; an emulator need not.
  package var requiredFlags: Set<String>? {
    switch self {
    case .portable: return []
    #if arch(x86_64)
      case .avx2:
        return ["popcnt", "ssse3", "sse4_1", "sse4_2", "avx", "avx2", "fma", "bmi1", "bmi2", "movbe", "f16c", "abm"]
      case .avx512:
        return InstructionSet.avx2.requiredFlags?.union(["avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"])
      case .neon: return nil
    #else
      case .avx2, .avx512: return nil
      case .neon: return []
    #endif
    }
  }

  /// V: channels in a whole block of an activation.
  /// - Throws: ``ConvolutionError/instructionSetUnavailable(asked:available:)`` when this CPU lacks it.
  package func vectorWidth() throws(ConvolutionError) -> Int { try kernels().vectorWidth }

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
}
