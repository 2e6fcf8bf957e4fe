import Foundation
import TestSupport
import Testing

@Suite("assay golden")
struct GoldenCommandTests {
  let folder: TemporaryDirectory

  init() throws { folder = try TemporaryDirectory() }

  /// Runs `assay golden` in the package's folder.
  private func golden(_ arguments: String...) throws -> (status: Int32, output: String, errors: String) {
    let run = try CommandRun(["golden"] + arguments)
    return (run.exitCode, run.output, run.errors)
  }

  @Test("The corpus is sound, and its cases are listed and shown")
  func corpus() throws {
    let validated = try golden("validate")
    #expect(validated.status == 0 && validated.output.contains("Fixtures/relu.h5"), "\(validated)")
    let listed = try golden("list", "--operation", "relu", "--filter", "relu/*")
    #expect(listed.status == 0 && listed.output.contains("/relu/"))
    let name = try #require(listed.output.split(separator: "\n").dropFirst().first?.split(separator: " ").first)
    let shown = try golden("show", "Fixtures/relu.h5", String(name))
    #expect(shown.status == 0 && shown.output.contains("inputs/x") && shown.output.contains("outputs/y"))
    #expect(try golden("show", "Fixtures/relu.h5").output.contains("PyTorch"))
  }

  @Test("Exit codes: 2 for nothing found, 64 for usage, 65 for a bad file, 1 for a difference")
  func exitCodes() throws {
    #expect(try golden("list", "--filter", "no/such/case").status == 2)
    #expect(try golden("list", "--no-such-option").status == 64)
    #expect(try golden("show", "Fixtures/relu.h5", "/no/such/case").status == 65)
    #expect(try golden("diff", "Fixtures/relu.h5", "Fixtures/relu.h5").status == 0)
    let different = try golden("diff", "Fixtures/relu.h5", "Fixtures/linear.h5")
    #expect(different.status == 1 && different.output.contains("only in Fixtures/relu.h5"))
  }

  @Test("A bad file is named on stderr with what was found; the others are still checked")
  func badFile() throws {
    let text = folder.file("text.h5").path
    try Data("not HDF5".utf8).write(to: URL(filePath: text))
    let copy = folder.file("copy.h5").path
    try FileManager.default.copyItem(at: Repository.fixtures.appending(path: "relu.h5"), to: URL(filePath: copy))
    let result = try golden("validate", text, copy)
    #expect(result.status == 65)
    #expect(result.errors.contains(text) && result.errors.contains("without HDF5's signature"))
    #expect(result.output.contains("\(copy)") && result.output.contains("1 bad"))
    #expect(try golden("validate", folder.file("absent.h5").path).status == 65)
    #expect(try golden("list", folder.url.path).status == 65)
  }
}
