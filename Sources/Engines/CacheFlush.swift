import OperatingSystem

/// Empties the caches before an iteration that is timed cold.
package struct CacheFlush {
  private var swept: [UInt8] = []

  package init() {}

  /// Writes twice what the last level of cache holds, so that nothing of the operands is left in it.
  package mutating func flush() {
    if swept.isEmpty { swept = [UInt8](repeating: 0, count: 2 * max(CacheSize.bytes(level: 3) ?? 0, 64 << 20)) }
    for index in stride(from: 0, to: swept.count, by: 64) { swept[index] &+= 1 }
  }
}
