import Engines
import Foundation
import OperatingSystem

/// The base once more, for the sentinel: a copy of its program, at a path of equal length.
///
/// A path stands on the stack of the process, so that its length moves what follows: two paths of unequal length alone can make one
/// program differ from itself by some per cent (Mytkowicz and others 2009). A copy has pages of its own in the file cache, as
/// the head has; the same file twice would share them.
struct DuetTwin {
  let declaration: ProcessEngine.Declaration
  /// Where the copy is; it is removed with ``remove()``. `nil` where the base itself stands in.
  private let folder: URL?

  /// - Parameter base: how the base is started. Its program is copied where that is the command's first word, as it is written,
  ///   and a program of the machine: an interpreter finds what belongs to it by its own path, and a shared library is held by
  ///   this program.
  init(of base: ProcessEngine.Declaration) {
    var copied = base
    let program = String(base.command.prefix { $0 != " " })
    guard !base.isHost, let source = Self.program(program, in: base.directory),
      let (folder, path) = Self.place(ofLength: program.utf8.count, name: source.lastPathComponent)
    else {
      (declaration, folder) = (base, nil)
      return
    }
    do {
      try FileManager.default.copyItem(at: source, to: URL(fileURLWithPath: path))
    } catch {
      Leftovers.remove(path: folder.path)
      (declaration, self.folder) = (base, nil)
      return
    }
    copied.command = path + base.command.dropFirst(program.count)
    (declaration, self.folder) = (copied, folder)
  }

  var isCopy: Bool { folder != nil }

  func remove() {
    if let folder { Leftovers.remove(path: folder.path) }
  }

  /// The file of a word that a shell takes as it is, where it is a program of the machine (ELF or Mach-O) and no link.
  private static func program(_ word: String, in directory: URL?) -> URL? {
    let plain = Set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-+".utf8)
    guard word.contains("/"), word.utf8.allSatisfy(plain.contains) else { return nil }
    let file = URL(fileURLWithPath: word, relativeTo: directory)
    let attributes = try? FileManager.default.attributesOfItem(atPath: file.path)
    guard attributes?[.type] as? FileAttributeType == .typeRegular, let handle = try? FileHandle(forReadingFrom: file),
      let magic = try? handle.read(upToCount: 4)
    else { return nil }
    try? handle.close()
    return [Data([0x7F, 0x45, 0x4C, 0x46]), Data([0xCF, 0xFA, 0xED, 0xFE])].contains(magic) ? file : nil
  }

  /// A folder of this user's alone whose file of this name has a path of this length.
  private static func place(ofLength length: Int, name: String) -> (folder: URL, path: String)? {
    let parent = "/tmp/"
    // Shorter ones are soon taken.
    let free = length - parent.utf8.count - 1 - name.utf8.count
    guard (4...200).contains(free) else { return nil }
    for _ in 0..<20 {
      let letters = (0..<free).map { _ in "abcdefghijklmnopqrstuvwxyz0123456789".randomElement() ?? "a" }
      let folder = URL(fileURLWithPath: parent + String(letters))
      do {
        try FileManager.default.createDirectory(
          at: folder, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o700])
      } catch { continue }
      Leftovers.register(path: folder.path)
      return (folder, folder.path + "/" + name)
    }
    return nil
  }
}
