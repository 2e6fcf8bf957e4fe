import Convolution
import Testing

/// Which kernels a CPU is given.
@Suite struct InstructionSetTests {
  @Test("nothing that the compiler may use goes unasked", arguments: InstructionSet.allCases)
  func everyFlag(instructionSet: InstructionSet) throws {
    guard let flags = instructionSet.requiredFlags else {
      #expect(!InstructionSet.available.contains(instructionSet))
      return
    }
    #expect(InstructionSet.available(on: flags).contains(instructionSet))
    for flag in flags {
      #expect(!InstructionSet.available(on: flags.subtracting([flag])).contains(instructionSet), "\(flag)")
    }
  }

  #if arch(x86_64)
    @Test("x86-64-v3 has LZCNT, which Linux calls abm")
    func leadingZeros() throws {
      #expect(try #require(InstructionSet.avx2.requiredFlags).isSuperset(of: ["abm", "bmi1", "popcnt", "avx"]))
    }
  #endif
}
