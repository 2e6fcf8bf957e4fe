import Foundation
import OperatingSystem

/// A process without network, that sees no other process, writes to one folder alone, and does not find the files that it is
/// judged by: bubblewrap's work.
///
/// - Source: https://github.com/containers/bubblewrap; Debian's package `bubblewrap`.
public struct Sandbox: Hashable, Sendable {
  /// Why there can be no sandbox here: one sentence.
  public struct Impossible: Error, CustomStringConvertible, Hashable {
    public let description: String
  }

  /// The path of `bwrap`.
  private let program: String
  /// Files that are empty and folders that are without content in it.
  private let hidden: [String]

  /// Finds bubblewrap, and whether the system lets it work.
  /// - Parameters:
  ///   - paths: files and folders that an engine must not read: golden files hold the answers.
  ///   - environment: this process's, for the path.
  /// - Throws: ``Impossible`` with the reason; nothing runs without a sandbox that was asked for.
  public init(hiding paths: [String], environment: [String: String]) throws(Impossible) {
    #if os(Linux)
      let folders = (environment["PATH"] ?? "").split(separator: ":")
      guard let program = folders.map({ String("\($0)/bwrap") }).first(where: { access($0, X_OK) == 0 }) else {
        throw Impossible(
          description: "--sandbox: expected bubblewrap, found no bwrap on the path: install the package 'bubblewrap'")
      }
      self.program = program
      // A mount needs the file itself, and what is missing needs no hiding.
      hidden = Set(paths.compactMap(Self.resolved)).sorted()
      try require()
    #else
      throw Impossible(description: "--sandbox: expected Linux, since bubblewrap needs its namespaces")
    #endif
  }

  /// The path without links; `nil` where there is nothing.
  private static func resolved(_ path: String) -> String? {
    guard let found = realpath(path, nil) else { return nil }
    defer { free(found) }
    return String(cString: found)
  }

  /// The whole command: `/bin/sh -c command` inside.
  /// - Parameters:
  ///   - command: for the shell.
  ///   - folder: the only one that it may write to.
  func words(_ command: String, writing folder: String) -> (executable: String, arguments: [String]) {
    var arguments = [
      // The whole tree of processes ends with this one, whatever it does with sessions and signals.
      "--die-with-parent", "--unshare-all", "--cap-drop", "ALL",
      "--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc",
      // Nothing may be typed into the terminal from which the tool was started.
      "--dev-bind", "/dev/null", "/dev/tty",
    ]
    for path in hidden {
      var isFolder: ObjCBool = false
      guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else { continue }
      arguments += isFolder.boolValue ? ["--tmpfs", path, "--remount-ro", path] : ["--ro-bind", "/dev/null", path]
    }
    return (program, arguments + ["--bind", folder, folder, "/bin/sh", "-c", command])
  }

  /// Tries it: user namespaces may be forbidden, by the system or by the container that this runs in.
  private func require() throws(Impossible) {
    let (executable, arguments) = words("exit 0", writing: FileManager.default.temporaryDirectory.path)
    let reason: String
    do throws(ChildProcess.Failure) {
      let child = try ChildProcess(executable, arguments, output: .null, errors: .pipe)
      var log: [UInt8] = []
      while let chunk = child.errors?.read(), !chunk.isEmpty { log += chunk }
      if child.wait() == .exited(0) { return }
      reason = String(decoding: log.prefix(500), as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
    } catch { reason = "\(error)" }
    throw Impossible(description: "--sandbox: expected bubblewrap to make its namespaces, found: \(reason)")
  }
}
