#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// Small text files in which the system tells of itself, such as those of `/proc` and `/sys`.
///
/// Not by Foundation: its whole-file readers leak a page for each file that says it is empty and is (Swift 6.3 on Linux), and
/// lists of children are, thousands of times a minute.
package enum SystemFile {
  /// The text of a file; `nil` when it cannot be read.
  package static func text(of path: String) -> String? {
    guard let file = fopen(path, "r") else { return nil }
    defer { fclose(file) }
    var text: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 1 << 14)
    while true {
      let count = fread(&chunk, 1, chunk.count, file)
      if count == 0 { break }
      text += chunk[..<count]
    }
    return String(decoding: text, as: UTF8.self)
  }

  /// The lines of a file, or none when it cannot be read.
  package static func lines(of path: String) -> [Substring] { text(of: path)?.split(separator: "\n") ?? [] }

  /// What a file of one line says; `nil` when it cannot be read or says nothing.
  package static func line(of path: String) -> String? { lines(of: path).first.map(String.init) }

  /// Tells the system something.
  /// - Returns: whether it took it.
  package static func write(_ text: String, to path: String) -> Bool {
    guard let file = fopen(path, "r+") else { return false }
    let isWritten = fputs(text, file) >= 0
    return fclose(file) == 0 && isWritten
  }
}
