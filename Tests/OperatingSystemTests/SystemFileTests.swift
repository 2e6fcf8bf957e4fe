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

    /// Lists of children are mostly empty, and are read several times a slice: a page for each was a gigabyte in a long gate. Other
    /// tests hold memory meanwhile, not in every round as much as a page a reading. No exit test: the thread that waits for those
    /// looks at every child that has ended, and one that nobody has reaped, such as an adopted orphan, keeps it there for ever.
    @Test func readingEmptyFilesLeavesNothing() throws {
      func resident() throws -> Int {
        let status = try #require(SystemFile.text(of: "/proc/self/status"))
        return try #require(ProcessMemory(status: status)).residentBytes
      }
      let growth = try (0..<10).map { _ in
        let before = try resident()
        for _ in 0..<5_000 { _ = SystemFile.text(of: "/dev/null") }
        return try resident() - before
      }
      // A page of each would be 20 MB in every round.
      #expect(try #require(growth.min()) < 8 << 20)
    }
  }
#endif
