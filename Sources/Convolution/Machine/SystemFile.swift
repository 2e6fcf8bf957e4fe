#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// Small text files in which the system tells of itself, such as those of `/proc` and `/sys`.
package enum SystemFile {
  /// The lines of a file, or none when it cannot be read.
  package static func lines(of path: String) -> [Substring] {
    guard let file = fopen(path, "r") else { return [] }
    defer { fclose(file) }
    var text: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 1 << 14)
    while true {
      let count = fread(&chunk, 1, chunk.count, file)
      if count == 0 { break }
      text += chunk[..<count]
    }
    return String(decoding: text, as: UTF8.self).split(separator: "\n")
  }

  /// What a file of one line says; `nil` when it cannot be read or says nothing.
  package static func line(of path: String) -> String? { lines(of: path).first.map(String.init) }
}
