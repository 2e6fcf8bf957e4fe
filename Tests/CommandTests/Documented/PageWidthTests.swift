import Foundation
import TestSupport
import Testing

/// Pages that are read in an editor as well as in a browser: their paragraphs fit 100 columns. Tables, code and pictures
/// have lines of their own length.
@Suite struct PageWidthTests {
  private static let columns = 100

  @Test func `paragraphs fit`() throws {
    let more = ["Tests/EXIT_CODES.md", "Tests/Trials/README.md"].map { Repository.root.appending(path: $0) }
    for page in try DocumentedCommand.pages(withExtensions: ["md"]) + more {
      var isFenced = false
      let lines = try String(contentsOf: page, encoding: .utf8).split(separator: "\n", omittingEmptySubsequences: false)
      for (number, line) in lines.enumerated() {
        if line.hasPrefix("```") { isFenced.toggle() }
        if isFenced || ["|", "    ", "!["].contains(where: line.hasPrefix) { continue }
        #expect(line.count <= Self.columns, "\(page.lastPathComponent), line \(number + 1)")
      }
    }
  }
}
