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
    "A pattern that begins with = is a name, byte for byte",
    arguments: [
      ("=a*", "/a*", true), ("=a*", "/ab", false), ("=/a?", "a?", true), ("=a?", "/ab", false), ("==a", "/=a", true),
      ("=\u{E9}", "/\u{E9}", true), ("=\u{E9}", "/e\u{301}", false), (#"a\*"#, #"/a\b"#, true), ("a=*", "/a=b", true),
    ])
  func exact(pattern: String, name: String, expected: Bool) {
    #expect(NamePattern(pattern).matches(name) == expected)
  }

  @Test(
    "The literal pattern of a name matches that name alone",
    arguments: [
      "/a", "a*", "*", "?", #"\"#, #"\*"#, #"a\b"#, #"\\"#, "/conv2d/a b'c;d", "//a", "", #"a*\?/é"#, "=a", "=*",
    ])
  func literal(name: String) {
    let pattern = NamePattern(NamePattern.literal(name))
    #expect(pattern.matches(name))
    for other in ["/a", "ab", "a*", "*", "?", #"\"#, #"\*"#, #"a\b"#, #"\\"#, "//a", "", "x", #"aX\?/é"#, #"a*\X/é"#] {
      #expect(pattern.matches(other) == (bare(other) == bare(name)), "\(other)")
    }
  }

  private func bare(_ name: String) -> Substring { name.hasPrefix("/") ? name.dropFirst() : name[...] }
}
