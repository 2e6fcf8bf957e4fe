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
    #expect(Machine.model(cpuInformation: text.split(separator: "\n")) == expected)
  }
}
