import Engines
import Foundation
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
}
