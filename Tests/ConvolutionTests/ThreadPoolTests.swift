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

  @Test("What a thread does next is the next of its own share", arguments: [1, 2, 3, 5], [1, 2, 3, 7, 64])
  func next(threads: Int, tasks: Int) throws {
    let pool = try ThreadPool.shared(threads: threads)
    let ends = (0..<tasks).filter { pool.task(after: $0, of: tasks) == nil }
    for task in 0..<tasks where !ends.contains(task) { #expect(pool.task(after: task, of: tasks) == task + 1) }
    #expect(ends.last == tasks - 1)
    // Each thread that has tasks ends once, and shares differ by one task at most.
    #expect(ends.count == min(threads, tasks))
    let sizes = zip(ends, [-1] + ends).map { $0 - $1 }
    #expect((sizes.max() ?? 0) - (sizes.min() ?? 0) <= 1)
  }
}
