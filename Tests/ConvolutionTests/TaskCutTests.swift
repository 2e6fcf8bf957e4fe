import Convolution
import Testing

@Suite("Cutting into tasks")
struct TaskCutTests {
  private func cut(
    rows: Int, atMost: Int = .max / 2, pairs: Int, threads: Int, whole: Int = 1, weights: Double = 0x1p18,
    input: Double = 0x1p18
  ) -> TaskCut {
    TaskCut(
      rows: rows, atMost: atMost, pairs: pairs, whole: whole, threads: threads, weights: weights, input: input,
      work: 0x1p26)
  }

  @Test("A thread of its own has one task, or as many as fit the cache")
  func alone() {
    #expect(cut(rows: 14, pairs: 8, threads: 1) == TaskCut(chunks: 1, parts: 1))
    #expect(cut(rows: 112, atMost: 20, pairs: 8, threads: 1) == TaskCut(chunks: 6, parts: 1))
  }

  @Test("Equal threads have a task each; what is larger is cut less often")
  func equal() {
    #expect(cut(rows: 14, pairs: 8, threads: 2, weights: 0x1p20) == TaskCut(chunks: 1, parts: 2))
    #expect(cut(rows: 14, pairs: 8, threads: 2, input: 0x1p20) == TaskCut(chunks: 2, parts: 1))
  }

  @Test("No thread waits long for the others", arguments: [7, 14, 28, 112], [1, 2, 8, 64])
  func balanced(rows: Int, pairs: Int) {
    for threads in [2, 3, 4, 6] { balanced(rows: rows, pairs: pairs, threads: threads) }
  }

  private func balanced(rows: Int, pairs: Int, threads: Int) {
    let largest = max(1, rows / 5)
    let cut = cut(rows: rows, atMost: largest, pairs: pairs, threads: threads, weights: 0, input: 0)
    #expect((1...rows).contains(cut.chunks) && (1...pairs).contains(cut.parts))
    #expect((rows + cut.chunks - 1) / cut.chunks <= largest)
    /// What the thread with most to do has.
    func most(_ chunks: Int, _ parts: Int) -> Int {
      (chunks * parts + threads - 1) / threads * ((rows + chunks - 1) / chunks) * ((pairs + parts - 1) / parts)
    }
    let fewest = (rows + largest - 1) / largest
    let least = (fewest...rows).map { chunks in (1...pairs).map { most(chunks, $0) }.min() ?? 0 }.min() ?? 0
    // Where the search ends before the best of all, there are four rounds or more: one that is not full is a quarter at most.
    #expect(4 * most(cut.chunks, cut.parts) <= 5 * least, "\(cut)")
  }
}
