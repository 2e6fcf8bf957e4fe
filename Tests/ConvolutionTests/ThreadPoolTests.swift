import Convolution
import Synchronization
import Testing

@Suite("Shares of threads")
struct ThreadPoolTests {
  @Test("Every task is done once", arguments: [1, 2, 3, 5], [0, 1, 2, 3, 7, 64])
  func once(threads: Int, tasks: Int) throws {
    let pool = try ThreadPool.shared(threads: threads)
    for _ in 0..<50 {
      let done = Mutex([Int](repeating: 0, count: tasks))
      pool.run(tasks: tasks) { task, worker in
        precondition((0..<threads).contains(worker))
        done.withLock { $0[task] += 1 }
      }
      #expect(done.withLock { $0 } == [Int](repeating: 1, count: tasks))
    }
  }

  @Test("Each thread begins with its own share", arguments: [2, 3])
  func own(threads: Int) throws {
    let pool = try ThreadPool.shared(threads: threads)
    for _ in 0..<20 {
      let owners = Mutex([Int: Int]())
      // As many tasks as threads, and none ends before all have begun: each thread has exactly one.
      pool.run(tasks: threads) { task, worker in
        owners.withLock { $0[task] = worker }
        while owners.withLock({ $0.count }) < threads {}
      }
      #expect(owners.withLock { $0 } == Dictionary(uniqueKeysWithValues: (0..<threads).map { ($0, $0) }))
    }
  }

  @Test("Who is done helps the others")
  func helps() throws {
    let pool = try ThreadPool.shared(threads: 2)
    let workers = Mutex([Int](repeating: -1, count: 4))
    let others = Atomic(0)
    // The first task ends when all others are done. The next one of its share comes after it, so another thread must do it.
    pool.run(tasks: 4) { task, worker in
      workers.withLock { $0[task] = worker }
      if task == 0 {
        while others.load(ordering: .acquiring) < 3 {}
      } else {
        others.add(1, ordering: .releasing)
      }
    }
    workers.withLock { #expect($0[0] != $0[1]) }
  }
}

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
    let cut = cut(rows: rows, atMost: max(1, rows / 5), pairs: pairs, threads: threads)
    #expect((1...rows).contains(cut.chunks) && (1...pairs).contains(cut.parts))
    let chunk = (rows + cut.chunks - 1) / cut.chunks
    #expect(chunk <= max(1, rows / 5))
    let rounds = (cut.chunks * cut.parts + threads - 1) / threads
    let most = rounds * chunk * ((pairs + cut.parts - 1) / cut.parts)
    let ideal = Double(rows * pairs) / Double(threads)
    // At the worst, seven rows of one pair on six threads, two of them are one thread's: 2 of 7/6.
    #expect(Double(most) <= max(1.25 * ideal, ideal + 1), "\(cut)")
  }
}
