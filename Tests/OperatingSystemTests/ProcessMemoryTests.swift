import OperatingSystem
import Testing

@Suite struct ProcessMemoryTests {
  @Test func kibibytesAreRead() throws {
    let status = "Name:\tsh\nVmPeak:\t    9000 kB\nVmHWM:\t    3072 kB\nVmRSS:\t    1024 kB\nThreads:\t1\n"
    let memory = try #require(ProcessMemory(status: status))
    #expect(memory == ProcessMemory(residentBytes: 1 << 20, peakBytes: 3 << 20))
  }

  /// A kernel's own thread has none, and a process that has ended has no text.
  @Test(arguments: ["", "Name:\tkthreadd\nThreads:\t1\n", "VmHWM:\t 3072 kB\n", "VmHWM:\t many kB\nVmRSS:\t 1 kB\n"])
  func withoutFiguresThereIsNone(status: String) { #expect(ProcessMemory(status: status) == nil) }
}
