import Foundation
import Synchronization

/// What this process must not leave behind, however it ends: the process groups of its children, and its temporary files and
/// folders.
///
/// Whoever makes one registers it and takes it out again when it is gone. ``removeAll()`` runs at a normal exit, when a
/// signal ends the process and after an error that nobody expected; only a kill leaves something, which
/// ``removeStale(in:)`` of a later run finds by the process number in the name.
public enum Leftovers {
  private struct State {
    var groups: Set<pid_t> = []
    var paths: Set<String> = []
    /// Processes that go on when this one ends.
    var released: Set<pid_t> = []
    /// What children left running in other groups than their own.
    var leftBehind: [String] = []
    /// Folders in which stale temporaries were looked for already.
    var swept: Set<String> = []
    var isEnding = false
  }

  private static let state = Mutex(State())

  /// Whether ``removeAll()`` has begun: nothing new is started or made then.
  public static var isEnding: Bool { state.withLock { $0.isEnding } }

  /// Registers the process group that `start` makes; no group can start unseen while the others are killed.
  /// - Parameter start: gives the group's number, or `nil` when it did not start.
  /// - Returns: `false` when this process is ending, or nothing started.
  static func register(group start: () -> pid_t?) -> Bool {
    state.withLock { state in
      guard !state.isEnding, let group = start() else { return false }
      state.groups.insert(group)
      return true
    }
  }

  /// Reaps the leader of a registered group, which has ended: until then its number is nobody else's.
  static func reap(group: pid_t) -> Int32 {
    state.withLock { state in
      state.groups.remove(group)
      var status: Int32 = 0
      while waitpid(group, &status, 0) < 0, errno == EINTR {}
      // The rest of the group was killed before its leader is reaped; orphans of it that this process adopted are
      // reaped too.
      for _ in 0..<20 where waitpid(-group, nil, WNOHANG) >= 0 { usleep(1_000) }
      return status
    }
  }

  /// Sends a signal to a registered group; nothing where its leader was reaped, whose number may be another's by now.
  static func signal(_ signal: Int32, group: pid_t) {
    state.withLock { if $0.groups.contains(group) { _ = kill(-group, signal) } }
  }

  /// Ends what a child of this mark left running in other groups than its own.
  /// - Returns: what that was.
  static func endOrphans(of child: String) -> [String] {
    state.withLock { state in
      let found = Orphans.end(of: child, besides: state.groups, state.released)
      state.leftBehind += found
      return found
    }
  }

  /// Notes a process that goes on when this one ends.
  static func release(_ process: pid_t) { state.withLock { _ = $0.released.insert(process) } }

  /// Registers a temporary file or folder by its path, before it is made.
  public static func register(path: String) { state.withLock { _ = $0.paths.insert(path) } }

  /// Removes a registered file, or a folder with everything in it.
  public static func remove(path: String) {
    state.withLock { state in
      guard state.paths.remove(path) != nil else { return }
      try? FileManager.default.removeItem(atPath: path)
    }
  }

  /// Takes back a registration whose file was renamed into place.
  static func forget(path: String) { state.withLock { _ = $0.paths.remove(path) } }

  /// Kills every child with everything in its process group and what it left running elsewhere, and removes every temporary. May
  /// be called again.
  /// - Returns: what children left running in other groups than their own, in all.
  @discardableResult
  public static func removeAll() -> [String] {
    state.withLock { state in
      state.isEnding = true
      for group in state.groups { kill(-group, SIGKILL) }
      for path in state.paths { try? FileManager.default.removeItem(atPath: path) }
      state.paths = []
    }
    // A moment for the system, so that nothing of them is there when this process is gone. Groups are reaped here, too:
    // whoever waits for them elsewhere may not get another turn, and not every first process of a container reaps orphans.
    for _ in 0..<20 {
      let isOver = state.withLock { state in
        state.groups = state.groups.filter { group in
          var found: pid_t
          repeat { found = waitpid(-group, nil, WNOHANG) } while found > 0
          return found == 0
        }
        return state.groups.isEmpty
      }
      if isOver { break }
      usleep(10_000)
    }
    return state.withLock { state in
      state.leftBehind += Orphans.end(of: nil, besides: state.groups, state.released)
      return state.leftBehind
    }
  }

  // MARK: Names

  /// A name that says whose temporary this is: `PREFIX-PID-UNIQUE`.
  public static func uniqueName(_ prefix: String) -> String { "\(prefix)-\(getpid())-\(UUID().uuidString)" }

  /// Removes what processes that are no more have left in `folder`, by their number in the name: exchange folders, and the
  /// temporaries of ``AtomicFile``. Looks once in each folder.
  ///
  /// What was touched in the last minute stays: machines and containers may share a folder, but not the numbers.
  public static func removeStale(in folder: String) {
    guard state.withLock({ $0.swept.insert(folder).inserted }) else { return }
    for name in (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? [] {
      guard let owner = owner(of: name), kill(owner, 0) != 0, errno == ESRCH else { continue }
      let path = "\(folder)/\(name)"
      var found = stat()
      guard lstat(path, &found) == 0, Date().timeIntervalSince1970 - Double(modified(found)) > 60 else { continue }
      try? FileManager.default.removeItem(atPath: path)
    }
  }

  /// The process that made a temporary of this name; `nil` for any other name.
  package static func owner(of name: String) -> pid_t? {
    for prefix in ["\(exchangePrefix)-", ".\(filePrefix)-"] where name.hasPrefix(prefix) {
      let rest = name.dropFirst(prefix.count).split(separator: "-", maxSplits: 1)
      guard rest.count == 2, UUID(uuidString: String(rest[1].prefix(36))) != nil else { return nil }
      return pid_t(rest[0])
    }
    return nil
  }

  private static func modified(_ found: stat) -> Int {
    #if canImport(Darwin)
      found.st_mtimespec.tv_sec
    #else
      found.st_mtim.tv_sec
    #endif
  }

  /// Folders of exchange files, in the system's folder for temporaries.
  public static let exchangePrefix = "assay-exchange"
  /// Files on their way to their final name, beside it; hidden by a dot.
  package static let filePrefix = "assay-file"
}
