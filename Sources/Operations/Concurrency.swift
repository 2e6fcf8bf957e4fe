import Dispatch
import Synchronization

/// 0..<count in `threads` consecutive parts, computed at once; the results follow each other in order.
///
/// Every element is computed by the same operations as in one part, so that the number of threads never changes a bit.
func concurrently<Element: Sendable>(
  _ count: Int, threads: Int, _ part: @Sendable (Range<Int>) -> [Element]
) -> [Element] {
  let parts = max(1, min(threads, count))
  guard parts > 1 else { return part(0..<count) }
  let results = Mutex([[Element]](repeating: [], count: parts))
  DispatchQueue.concurrentPerform(iterations: parts) { index in
    let elements = part(count * index / parts..<count * (index + 1) / parts)
    results.withLock { $0[index] = elements }
  }
  return results.withLock { Array($0.joined()) }
}
