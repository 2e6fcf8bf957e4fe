import ArgumentParser

/// How many threads engines are asked with, in commands that judge what they compute.
struct ThreadOption: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      """
      Numbers of threads, 1 to 1024, with commas: every case is computed with each (default: 1,2, or 1 for an engine that uses \
      one). Cases on several threads take turns, so that --jobs does not multiply them.
      """, valueName: "n,…"))
  var threads: String?

  func validate() throws { _ = try counts }

  /// Each once, in the order given; `nil` for the standard of each engine.
  var counts: [Int]? {
    get throws {
      guard let threads else { return nil }
      var counts: [Int] = []
      for word in threads.split(separator: ",", omittingEmptySubsequences: false) {
        guard let count = Int(word), OptionRange.threads.contains(count) else {
          throw ValidationError(
            "--threads: expected numbers from 1 to 1024 with commas, such as 1,2, found '\(threads.printable)'.")
        }
        if !counts.contains(count) { counts.append(count) }
      }
      return counts
    }
  }
}
