import Dispatch
import Synchronization

/// Applies `body` to 0 ..< count on at most `threads` threads. Results are in order whatever the schedule, so a check
/// gives the same record with any number of threads.
package func parallelMap<Result: Sendable, Failure: Error>(
  _ count: Int, threads: Int, _ body: @Sendable (Int) throws(Failure) -> Result
) throws(Failure) -> [Result] {
  guard threads > 1, count > 1 else { return try (0..<count).map(body) }
  let slots = Mutex<[Swift.Result<Result, Failure>?]>(Array(repeating: nil, count: count))
  let next = Atomic<Int>(0)
  DispatchQueue.concurrentPerform(iterations: min(threads, count)) { _ in
    while true {
      let index = next.wrappingAdd(1, ordering: .relaxed).oldValue
      guard index < count else { return }
      let result: Swift.Result<Result, Failure>
      do throws(Failure) { result = .success(try body(index)) } catch { result = .failure(error) }
      slots.withLock { $0[index] = result }
      if case .failure = result { return }
    }
  }
  // A thread stops at its first error; the error with the lowest index is the one reported.
  let results = slots.withLock { $0 }
  var found: [Result] = []
  for case let result? in results { found.append(try result.get()) }
  return found
}
