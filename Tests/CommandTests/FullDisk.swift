import Foundation
import TestSupport

/// A disk on which there is no room, as a folder `$F` for a line of the shell.
enum FullDisk: String {
  /// A file system of one page, in a mount namespace that goes with the shell.
  case fileSystem = "a full file system, mounted by this user"
  /// The same, by whoever may have a user namespace.
  case fileSystemOfAnotherUser = "a full file system, mounted in a user namespace"
  /// A folder that takes no file, by whose refusal a failure while a file is written cannot be seen.
  case folder = "a folder that takes no file (no file system can be mounted here)"

  /// The best that this machine allows. Which one it is, is said: what was tested depends on it.
  static let available: FullDisk = {
    let found = [FullDisk.fileSystem, .fileSystemOfAnotherUser].first { $0.isAvailable } ?? .folder
    print("full disk: \(found.rawValue)")
    return found
  }()

  private var launcher: [String] {
    switch self {
    case .fileSystem: ["unshare", "--mount"]
    case .fileSystemOfAnotherUser: ["unshare", "--map-root-user", "--mount"]
    case .folder: []
    }
  }

  private static let mount =
    "mount -t tmpfs -o size=4k none \"$F\" && head -c 4096 /dev/zero >\"$F/filler\""

  private var isAvailable: Bool {
    let folder = FileManager.default.temporaryDirectory.path
    let words = shell("F='\(folder)'; \(Self.mount)")
    return (try? CommandRun(Array(words.dropFirst()), of: words[0]))?.exitCode == 0
  }

  /// A shell that runs the line, with `$F` full; what is then in it but for its filler is in the file `$L`.
  func words(_ line: String) -> [String] {
    let list = "code=$?; find \"$F\" -type f ! -name filler >\"$L\"; exit $code"
    return switch self {
    case .fileSystem, .fileSystemOfAnotherUser: shell("\(Self.mount) || exit 99; \(line); \(list)")
    case .folder: shell("F=/proc; \(line)")
    }
  }

  private func shell(_ line: String) -> [String] { launcher + ["bash", "-c", line] }
}
