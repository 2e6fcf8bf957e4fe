import Engines
import Foundation
import StrategyEngines
import TestSupport
import Testing

@Suite struct EngineCatalogTests {
  @Test(arguments: [
    ("nobody", "expected one of"), ("=x", "name of letters"), ("a b=x", "name of letters"), ("a= ", "command"),
  ])
  func unknownWordsSayWhatCouldStandThere(word: String, expected: String) {
    do throws(EngineCatalog.Failure) {
      _ = try EngineCatalog(builtIn: []).engine(word)
      Issue.record("found")
    } catch { #expect(error.kind == .usage && error.description.contains(expected), "\(error)") }
  }

  /// For whoever starts an engine again and again, as a gate does.
  @Test func namesHaveAProcessOfTheirOwn() throws {
    let folder = URL(fileURLWithPath: "/some/folder")
    let declared = ProcessEngine.Declaration(name: "mine", command: "./mine --fast", directory: folder, timeout: 7)
    let catalog = EngineCatalog(builtIn: BuiltInEngines.all, declared: ["mine": declared], host: "/opt/a program")
    #expect(try catalog.process("direct")?.command == "'/opt/a program' engine direct --tuned")
    #expect(try catalog.process("mine") == declared)
    #expect(try catalog.process("other=./other 1")?.command == "./other 1")
    #expect(try catalog.process("nobody") == nil)
    #expect(throws: EngineCatalog.Failure.self) { try catalog.process("direct=./other") }
    #expect(catalog.names.contains("mine") && catalog.names == catalog.names.sorted())
  }
}
