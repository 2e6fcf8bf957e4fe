import Foundation
import Results
import TestSupport
import Testing

@Suite struct OutcomeTests {
  @Test func theWorstPartDecides() {
    let order: [Outcome] = [.holds, .inconclusive, .fails, .notWritten, .badData, .internalError]
    for (index, better) in order.enumerated() {
      for worse in order[index...] {
        #expect(Outcome.worse(better, worse) == worse)
        #expect(Outcome.worse(worse, better) == worse)
        #expect(Outcome.worst([better, worse, better]) == worse)
      }
    }
    #expect(order.map(\.exitCode) == [0, 2, 1, 74, 65, 70])
    #expect(Outcome.worst([]) == nil)
  }
}

@Suite struct ShellCommandTests {
  /// What bash makes of the printed line is what was meant, and nothing of it is run.
  @Test(arguments: [
    "plain", "", "two words", "it's", "a;touch X;", "$(touch X)", "`touch X`", "a\nb", "\u{1B}[31m", "back\\slash",
    "'", "~", "*", "!", "ü", "tab\tand 'quote' \\ \u{7}", "-n", "#", "a\"b", "\u{202E}x", "%s", "\u{85}",
  ])
  func roundTrip(_ word: String) throws {
    let run = try CommandRun(shell: ShellCommand(["printf", "[%s]", word]).description)
    #expect(run.output == "[\(word)]")
    #expect(!ShellCommand([word]).description.unicodeScalars.contains(where: PrintableText.isUnprintable))
  }
}

@Suite struct ShellCommandOptionTests {
  @Test(
    arguments: [
      (["bench", "--suite", "a.toml"], "a.toml"), (["bench", "--suite=b.toml", "--quiet"], "b.toml"), (["bench"], nil),
      (["bench", "--suite"], nil), (["--suite", "a", "--suite", "b"], "b"),
    ] as [([String], String?)])
  func values(words: [String], expected: String?) {
    #expect(ShellCommand(words).value(of: "--suite") == expected)
    #expect(ShellCommand(words).values(of: "--suite").last == expected)
  }
}

@Suite struct PrintableTextTests {
  @Test(arguments: [
    ("plain ü 名", "plain ü 名"), ("a\nb", "a\\nb"), ("\u{1B}[2J", "\\u{1B}[2J"), ("::error::x", "\\::error::x"),
    ("##vso[x]", "\\##vso[x]"), ("a\u{202E}b", "a\\u{202E}b"), ("\u{7F}\u{85}", "\\u{7F}\\u{85}"),
  ])
  func escapes(_ text: String, _ expected: String) { #expect(text.printable == expected) }

  @Test func longTextsAreCut() {
    let text = String(repeating: "x", count: 3_000).printable
    #expect(text.count < 2_100)
    #expect(text.hasSuffix("… (3000 bytes)"))
  }
}
