import Dispatch
import Synchronization

/// Applies `body` to 0 ..< count on at most `threads` threads. Results are in order whatever the schedule, so a check
/// gives the same record with any number of threads.
package func parallelMap<Result: Sendable>(
  _ count: Int, threads: Int, _ body: @Sendable (Int) throws -> Result
) throws -> [Result] {
  guard threads > 1, count > 1 else { return try (0..<count).map(body) }
  let slots = Mutex<[Swift.Result<Result, any Error>?]>(Array(repeating: nil, count: count))
  let next = Atomic<Int>(0)
  DispatchQueue.concurrentPerform(iterations: min(threads, count)) { _ in
    while true {
      let index = next.wrappingAdd(1, ordering: .relaxed).oldValue
      guard index < count else { return }
      let result = Swift.Result { try body(index) }
      slots.withLock { $0[index] = result }
      if case .failure = result { return }
    }
  }
  // A thread stops at its first error; the error with the lowest index is the one reported.
  let results = slots.withLock { $0 }
  for case .failure(let error)? in results { throw error }
  return try results.compactMap { try $0?.get() }
}
