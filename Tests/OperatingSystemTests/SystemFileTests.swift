#if os(Linux)
  import Foundation
  import OperatingSystem
  import Testing

  @Suite struct SystemFileTests {
    @Test func whatTheSystemTellsIsRead() {
      #expect(SystemFile.line(of: "/proc/self/stat") != nil)
      #expect(SystemFile.line(of: "/nowhere") == nil && SystemFile.line(of: "/dev/null") == nil)
      #expect(SystemFile.text(of: "/nowhere") == nil && SystemFile.text(of: "/dev/null") == "")
      #expect(SystemFile.lines(of: "/proc/self/status").count > 10)
    }

    /// Lists of children are mostly empty, and are read several times a slice: a page for each was a gigabyte in a long gate. In a
    /// process of its own: what other tests hold is no part of it.
    @Test func readingEmptyFilesLeavesNothing() async {
      await #expect(processExitsWith: .success) {
        func resident() throws -> Int {
          let status = try #require(SystemFile.text(of: "/proc/self/status"))
          return try #require(ProcessMemory(status: status)).residentBytes
        }
        let before = try resident()
        for _ in 0..<20_000 { _ = SystemFile.text(of: "/dev/null") }
        // A page of each would be 80 MB.
        #expect(try resident() - before < 8 << 20)
      }
    }
  }
#endif
