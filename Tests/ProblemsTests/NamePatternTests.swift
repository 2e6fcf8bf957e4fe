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

  @Test(
    "A backslash makes a star, a question mark or a backslash stand for itself, and is itself before anything else",
    arguments: [
      (#"a\*"#, "/a*", true), (#"a\*"#, "/ab", false), (#"a\?"#, "/a?", true), (#"a\?"#, "/ab", false),
      (#"a\\b"#, #"/a\b"#, true), (#"a\\b"#, #"/a\\b"#, false), (#"a\b"#, #"/a\b"#, true), (#"a\b"#, "/ab", false),
      (#"a\"#, #"/a\"#, true), (#"a\\*"#, #"/a\bc"#, true), (#"\**"#, "/*abc", true), (#"\**"#, "/abc", false),
    ])
  func escapes(pattern: String, name: String, expected: Bool) {
    #expect(NamePattern(pattern).matches(name) == expected)
  }

  @Test(
    "The literal pattern of a name matches that name alone",
    arguments: ["/a", "a*", "*", "?", #"\"#, #"\*"#, #"a\b"#, #"\\"#, "/conv2d/a b'c;d", "//a", "", #"a*\?/é"#])
  func literal(name: String) {
    let pattern = NamePattern(NamePattern.literal(name))
    #expect(pattern.matches(name))
    for other in ["/a", "ab", "a*", "*", "?", #"\"#, #"\*"#, #"a\b"#, #"\\"#, "//a", "", "x", #"aX\?/é"#, #"a*\X/é"#] {
      #expect(pattern.matches(other) == (bare(other) == bare(name)), "\(other)")
    }
  }

  private func bare(_ name: String) -> Substring { name.hasPrefix("/") ? name.dropFirst() : name[...] }
}
