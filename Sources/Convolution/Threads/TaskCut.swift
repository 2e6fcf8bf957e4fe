/// How work on rows × pairs of output vectors is cut into tasks: so many chunks of the rows, so many parts of the pairs.
///
/// The thread with most to do shall end early, and little be read again: the weights pass once for each chunk, the input for each
/// part. On equal cores a task for each thread is the least reading. More of them are taken where the rows or the pairs are not as
/// many times the threads, or a chunk would be too large for the cache.
package struct TaskCut: Hashable, Sendable {
  package var chunks: Int
  package var parts: Int

  package init(chunks: Int, parts: Int) { (self.chunks, self.parts) = (chunks, parts) }

  /// - Parameters:
  ///   - rows: to be cut into chunks.
  ///   - largest: the most rows of a chunk.
  ///   - pairs: to be cut into parts.
  ///   - whole: tasks that one chunk and one part make.
  ///   - threads: that share the tasks.
  ///   - weights: floats that every chunk reads.
  ///   - input: floats that every part reads.
  ///   - work: multiply-adds.
  package init(
    rows: Int, atMost largest: Int, pairs: Int, whole: Int, threads: Int, weights: Double, input: Double,
    work: Double
  ) {
    func ceiling(_ total: Int, _ parts: Int) -> Int { (total + parts - 1) / parts }
    let fewest = ceiling(rows, largest)
    (chunks, parts) = (fewest, 1)
    guard threads > 1, whole > 0, rows > 0, pairs > 0 else { return }
    func cost(_ chunks: Int, _ parts: Int) -> Double {
      let share = Double(ceiling(rows, chunks)) / Double(rows) * Double(ceiling(pairs, parts)) / Double(pairs)
      let rounds = Double(ceiling(whole * parts * chunks, threads))
      return work * share * rounds / Double(whole)
        + Self.readingCost * (Double(chunks) * weights + Double(parts) * input) / Double(threads)
    }
    var least = Double.infinity
    for parts in 1...min(pairs, 4 * threads) {
      // And up to so many more than there must be: the best is seldom beyond the next multiple of the threads.
      let most = max(fewest, ceiling(threads, whole * parts)) + 4 * threads
      for chunks in fewest...max(fewest, min(rows, most)) {
        let cost = cost(chunks, parts)
        if cost < least { (self.chunks, self.parts, least) = (chunks, parts, cost) }
      }
    }
  }

  /// Multiply-adds that take as long as reading a float again, from the second-level cache or the next, beside them.
  private static let readingCost = 4.0
}
