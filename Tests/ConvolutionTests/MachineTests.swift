import Convolution
import Testing

@Suite struct MachineTests {
  /// x86 names its CPU; arm64 has numbers alone, which must still tell two machines apart.
  @Test(arguments: [
    ("processor\t: 0\nmodel\t\t: 17\nmodel name\t: AMD EPYC 9: a\n", "AMD EPYC 9: a"),
    (
      "processor\t: 0\nCPU implementer\t: 0x41\nCPU architecture: 8\nCPU variant\t: 0x1\nCPU part\t: 0xd40\n",
      "CPU of implementer 0x41, architecture 8, variant 0x1, part 0xd40"
    ),
    ("", "unknown"), ("model name\t:\n", "unknown"),
  ])
  func cpuIsNamed(text: String, expected: String) {
    #expect(CPUInformation(text.split(separator: "\n")).model == expected)
  }

  /// Of the first processor, and none of its key.
  @Test(arguments: [
    ("processor\t: 0\nflags\t\t: fpu avx2 fma \nbugs\t: x\nflags\t\t: sse\n", ["avx2", "fma", "fpu"]),
    ("processor\t: 0\nFeatures\t: fp asimd\n", []), ("flags\t:\n", []), ("", []),
  ])
  func flagsAreRead(text: String, expected: [String]) {
    #expect(CPUInformation(text.split(separator: "\n")).flags == Set(expected))
  }

  #if os(Linux)
    @Test func theSystemTells() {
      #expect(CPUInformation.current.model != "unknown")
    }
  #endif
}
