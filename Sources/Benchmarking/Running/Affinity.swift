import Foundation

/// Keeps this process and the engines that it started on as many cores as are timed.
public enum Affinity {
  /// Pins every thread of this process and of its descendants to the last `count` cores: the first ones take the interrupts.
  /// - Returns: whether all of them are pinned; where there is no `taskset`, none is.
  @discardableResult
  public static func pin(toCores count: Int) -> Bool {
    let online = ProcessInfo.processInfo.processorCount
    guard count > 0, count <= online else { return false }
    let cores = "\(online - count)-\(online - 1)"
    return processes().allSatisfy { run(["taskset", "-a", "-c", "-p", cores, "\($0)"]) }
  }

  private static func run(_ words: [String]) -> Bool {
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = words
    process.standardOutput = FileHandle.nullDevice
    process.standardError = FileHandle.nullDevice
    let ended = DispatchSemaphore(value: 0)
    process.terminationHandler = { _ in ended.signal() }
    guard (try? process.run()) != nil else { return false }
    ended.wait()
    return process.terminationStatus == 0
  }

  /// This process and all its descendants.
  private static func processes() -> [Int32] {
    var found: [Int32] = []
    var pending = [ProcessInfo.processInfo.processIdentifier]
    while let process = pending.popLast() {
      found.append(process)
      let folder = "/proc/\(process)/task"
      for task in (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? [] {
        let children = (try? String(contentsOfFile: "\(folder)/\(task)/children", encoding: .utf8)) ?? ""
        pending += children.split(whereSeparator: \.isWhitespace).compactMap { Int32($0) }
      }
    }
    return found
  }
}
