import Foundation

/// Processes that this one adopted: what a child started in a session of its own, out of its group, and left running when it
/// ended. Only Linux gives a process its descendants' orphans; elsewhere there are none to be found.
enum Orphans {
  /// The variable by which the descendants of a child are known, whatever session they are in.
  static let mark = "ASSAY_DESCENDANT_OF"

  /// Those of a child that is running: processes in whatever session whose own parents have ended.
  static func adopted(of child: String) -> Set<pid_t> {
    #if os(Linux)
      let own = ProcessTree.children(of: getpid()).filter { isMarked($0, child) }
      return own.reduce(into: []) { $0.formUnion(ProcessTree.processes(of: $1)) }
    #else
      return []
    #endif
  }

  /// Ends them, and what they leave in turn.
  /// - Parameters:
  ///   - child: its value of ``mark``; `nil` for every child's.
  ///   - groups: of children that are running, whose members are no orphans.
  ///   - kept: processes that shall go on.
  /// - Returns: what they were: the command, cut, and the number.
  static func end(of child: String?, besides groups: Set<pid_t>, _ kept: Set<pid_t>) -> [String] {
    var ended: [String] = []
    #if os(Linux)
      // Each round those that the last one's left behind; a process that forks faster is not chased for ever.
      for _ in 0..<16 {
        let found = children().filter { process in
          !kept.contains(process) && !groups.contains(getpgid(process))
            && (child.map { isMarked(process, $0) } ?? true)
        }
        guard !found.isEmpty else { break }
        for process in found {
          if let command = command(of: process) { ended.append("\(command) (process \(process))") }
          kill(process, SIGKILL)
          // One that the kernel does not let go at once is not waited for.
          for _ in 0..<100 where waitpid(process, nil, WNOHANG) == 0 { usleep(1_000) }
        }
      }
    #endif
    return ended
  }

  #if os(Linux)
    private static func children() -> [pid_t] {
      let own = getpid()
      return ((try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []).compactMap { name in
        guard let process = pid_t(name), let text = SystemFile.text(of: "/proc/\(name)/stat") else { return nil }
        // The name in parentheses may hold anything, a parenthesis too; the state and the parent follow it.
        let fields = text[(text.lastIndex(of: ")") ?? text.startIndex)...].split(separator: " ")
        return fields.count > 2 && pid_t(fields[2]) == own ? process : nil
      }
    }

    private static func isMarked(_ process: pid_t, _ child: String) -> Bool {
      SystemFile.text(of: "/proc/\(process)/environ")?.split(separator: "\0").contains("\(mark)=\(child)") ?? false
    }

    /// `nil` for one that has ended already.
    private static func command(of process: pid_t) -> String? {
      let words = SystemFile.text(of: "/proc/\(process)/cmdline")?.split(separator: "\0").joined(separator: " ") ?? ""
      return words.isEmpty ? nil : String(words.prefix(200))
    }
  #endif
}
