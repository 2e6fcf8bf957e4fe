/// Words that pages use and newcomers ask for.
enum Glossary {
  private static let all: [(word: String, meaning: String)] = [
    (
      "n1c64h56w56 k64r3s3 stride1 pad1",
      "A layer's extents: n images of c channels and h × w elements; k filters of r rows and s columns; then its attributes. What "
        + "is not named has its usual value."
    ),
    ("error/bound", "The error of an element by what rounding can explain. Up to 1 is right, above 1 is wrong."),
    ("ULP", "Unit in the last place: how many representable numbers lie between two values."),
    (
      "exact, random, adversarial",
      "What operands are filled with: integers that any order of summation adds exactly; random values with all their bits; "
        + "values that break things."
    ),
    (
      "statistical, rigorous",
      "Two bounds of rounding errors: what random rounding stays below, and what no rounding exceeds."
    ),
    (
      "vacuity",
      "Whether the golden cases would notice known defects at all. A corpus that does not is worthless, and fails."
    ),
    ("mutant", "A deliberately wrong implementation, which the checks must find."),
    (
      "resolution",
      "How finely a numeric derivative is known: its error bound by its size. A difference below it cannot be judged."
    ),
    ("kink", "A place where a function has no derivative, such as ReLU at 0: held against the one-sided ones."),
    ("GF/s, direct-equivalent", "The definition's arithmetic by the time, whether or not an algorithm does all of it."),
    ("limit", "The least time that the measured peak and bandwidths allow to any algorithm that Assay knows."),
    ("best mix", "The sum of the fastest built-in strategy for each layer."),
    ("block", "One round in which every contestant is timed once, in turns: the unit of every interval."),
    ("interval", "Between two order statistics: it holds the median with at least the confidence named."),
    ("tie", "The blocks do not tell two times apart: the interval of their ratio spans 1."),
    (
      "open", "Nobody has won: the intervals of both times overlap, or an engine claims a time that no audit confirmed."
    ),
    (
      "claimed",
      "With a question mark: a time that is the engine's word alone: the tool did not hold the clock, and no audit confirmed it."
    ),
    ("workspace", "Scratch memory beside operands, result and packed weights."),
    ("could see", "The smallest change that a gate would have found with the probability asked for."),
  ]

  /// Other forms of an entry's words that pages use.
  private static let forms = [
    "n1c64h56w56 k64r3s3 stride1 pad1": ["stride", "stride1", "stride2", "pad1"], "ULP": ["ulps"],
    "mutant": ["mutants"], "kink": ["kinks"], "limit": ["limits"], "block": ["blocks"], "interval": ["intervals"],
    "tie": ["ties"], "vacuity": ["vacuous"],
  ]

  /// Those that one of the texts uses, as whole words.
  static func entries(for texts: [String]) -> [HTMLPage.Property] {
    var used: Set<String> = []
    for text in texts {
      let words = text.lowercased().split { !($0.isLetter || $0.isNumber || $0 == "/" || $0 == "-") }.map(String.init)
      used.formUnion(words)
      // Some entries are of two words.
      used.formUnion(zip(words, words.dropFirst()).map { "\($0) \($1)" })
    }
    return all.filter { entry in
      let keys = entry.word.lowercased().split(separator: ", ").map(String.init) + (forms[entry.word] ?? [])
      return keys.contains(where: used.contains)
    }.map { HTMLPage.Property(name: $0.word, value: $0.meaning) }
  }
}
