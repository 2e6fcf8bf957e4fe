import Problems
import Testing

@Suite("What a mistyped word was meant to be")
struct NearestNameTests {
  private static let commands = [
    "verify", "fuzz", "gradcheck", "bench", "duet", "compare", "history", "report", "merge",
  ]

  @Test(
    arguments: [
      ("verfy", "verify"), ("benhc", "bench"), ("gradchek", "gradcheck"), ("grad", "gradcheck"), ("hist", "history"),
      ("test", nil), ("bench", nil), ("", nil), ("xyzzy", nil),
    ] as [(String, String?)])
  func `the nearest, or the only one that begins so`(word: String, meant: String?) {
    #expect(NearestName.of(word, among: Self.commands) == meant)
  }

  @Test func `the distance is that of insertions, deletions and replacements`() {
    func distance(_ from: String, _ to: String) -> Int { NearestName.distance(Array(from.utf8), Array(to.utf8)) }
    #expect(distance("kitten", "sitting") == 3 && distance("", "abc") == 3 && distance("same", "same") == 0)
  }

  private static let names = [
    "/relu/small", "/relu/adversarial/nan", "/conv2d/stride2/odd", "/conv2d/refuse/groups", "/add/small",
  ]

  @Test(arguments: [
    ("relu", "'relu/*' (2)"), ("/relu", "'relu/*' (2)"), ("=relu", "'relu/*' (2)"), ("small", "'*/small' (2)"),
    ("stride2", "'*stride2*' (1)"), ("conv2d/stride", "'conv2d/stride*' (1)"),
    ("conv2/stride2/*", "'conv2d/stride2/*' (1)"), ("rellu/*", "'relu/*' (2)"), ("", "'*' (5)"),
  ])
  func `a glob that matches nothing is told what would match`(glob: String, meant: String) {
    let hint = PatternHint.text(glob, option: "--filter", among: Self.names)
    #expect(hint == "--filter '\(glob)' matches nothing: did you mean \(meant)?")
  }

  @Test func `a glob that matches needs no hint, and one that nothing is like gets the rules`() throws {
    #expect(PatternHint.text("relu/*", option: "--filter", among: Self.names) == nil)
    let hint = try #require(PatternHint.text("xyzzy", option: "--exclude", among: Self.names))
    #expect(hint.hasPrefix("--exclude 'xyzzy' matches nothing: the whole name has to match"))
    #expect(PatternHint.text("relu", option: "--filter", among: []) == "--filter 'relu' matches nothing")
  }
}
