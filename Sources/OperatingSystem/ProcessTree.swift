import Foundation

/// A process and what it started, as the kernel lists them; nothing where the system has no `/proc`.
package enum ProcessTree {
  /// The children of a process, each once.
  static func children(of parent: pid_t) -> [pid_t] {
    let folder = "/proc/\(parent)/task"
    return ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).flatMap { thread in
      listed(in: "\(folder)/\(thread)/children")
    }
  }

  private static func listed(in path: String) -> [pid_t] {
    (SystemFile.text(of: path) ?? "").split(whereSeparator: \.isWhitespace).compactMap { pid_t($0) }
  }

  /// The threads of a process and of its descendants.
  package static func threads(of root: pid_t) -> [(process: pid_t, thread: pid_t)] {
    var found: [(process: pid_t, thread: pid_t)] = []
    var pending = [root]
    while let process = pending.popLast() {
      let folder = "/proc/\(process)/task"
      for name in (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? [] {
        guard let thread = pid_t(name) else { continue }
        found.append((process, thread))
        pending += listed(in: "\(folder)/\(name)/children")
      }
    }
    return found
  }

  /// A process and its descendants, each once.
  package static func processes(of root: pid_t) -> Set<pid_t> { Set(threads(of: root).map(\.process)) }
}
