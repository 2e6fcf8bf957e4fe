import Problems
import Testing

@Suite("Globs over names")
struct NamePatternTests {
  @Test(
    "A pattern matches the whole name; stars cross slashes; a leading slash is ignored",
    arguments: [
      ("conv2d/*", "/conv2d/stride2/odd", true), ("/conv2d/*", "conv2d/a", true), ("conv2d", "/conv2d/a", false),
      ("*stride2*", "/conv2d/stride2/odd", true), ("*odd", "/a/odd", true), ("*odd", "/a/odds", false),
      ("a?c", "/abc", true), ("a?c", "/ac", false), ("a*b*c", "/aXbXbXc", true), ("a*b*c", "/aXcXb", false),
      ("*", "/", true), ("", "/", true), ("", "/a", false), ("**a**", "/bab", true), ("[a]", "/a", false),
    ])
  func matches(pattern: String, name: String, expected: Bool) {
    #expect(NamePattern(pattern).matches(name) == expected)
  }
}
