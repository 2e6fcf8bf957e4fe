import Foundation
import GoldenFiles
import TOMLKit
import Tensors
import Verification

extension KnownFailures {
  /// What is wrong with the file: one sentence with its path and the entry.
  public struct Malformed: Error, CustomStringConvertible, Hashable {
    public let description: String
  }

  /// - Throws: `Malformed` for a file that cannot be read, unknown keys, or a missing or wrong value.
  public init(contentsOf path: String) throws(Malformed) {
    let text: String
    do { text = try String(contentsOfFile: path, encoding: .utf8) } catch {
      throw Malformed(description: "\(path): cannot be read: \(error.localizedDescription)")
    }
    try self.init(text: text, path: path)
  }

  public init(text: String, path: String) throws(Malformed) {
    let table: TOMLTable
    do { table = try TOMLText.table(text) } catch { throw Malformed(description: "\(path): \(error)") }
    if let key = table.keys.first(where: { $0 != "known_failure" }) {
      throw Malformed(description: "\(path): expected [[known_failure]] tables, found '\(key)'")
    }
    var entries: [Entry] = []
    if let value = table["known_failure"] {
      guard let array = value.array else {
        throw Malformed(description: "\(path): expected [[known_failure]] tables, found one value of that name")
      }
      for (index, item) in array.enumerated() {
        entries.append(try Self.entry(item.tomlValue.table, "\(path): known_failure \(index + 1)"))
      }
    }
    self.init(entries, sha256: FileDigest.sha256(of: Array(text.utf8)))
  }

  private static func entry(_ table: TOMLTable?, _ place: String) throws(Malformed) -> Entry {
    guard let table else { throw Malformed(description: "\(place): expected a table") }
    let known: Set = ["engine", "case", "reason", "expires", "dtype", "tensor"]
    if let key = table.keys.first(where: { !known.contains($0) }) {
      throw Malformed(description: "\(place): expected only \(known.sorted().joined(separator: ", ")), found '\(key)'")
    }
    func text(_ key: String) throws(Malformed) -> String {
      guard let value = table[key]?.string, !value.isEmpty else {
        throw Malformed(description: "\(place): expected a text for \(key)")
      }
      return value
    }
    let expires: String
    if let date = table["expires"]?.date {
      expires = String(format: "%04d-%02d-%02d", date.year, date.month, date.day)
    } else {
      expires = try text("expires")
    }
    guard isDate(expires) else {
      throw Malformed(description: "\(place): expected a date yyyy-mm-dd for expires, found '\(expires)'")
    }
    return Entry(
      engine: try text("engine"), cases: try text("case"), reason: try text("reason"), expires: expires,
      dtypes: try dtypes(table["dtype"], place), tensor: table["tensor"] == nil ? nil : try text("tensor"))
  }

  private static func dtypes(_ value: TOMLValueConvertible?, _ place: String) throws(Malformed) -> [DType]? {
    guard let value else { return nil }
    let words = value.array.map { array in array.compactMap { $0.string } } ?? []
    let found = words.compactMap(DType.init(rawValue:)).filter { $0.format != nil }
    guard let array = value.array, !array.isEmpty, found.count == array.count, Set(found).count == found.count else {
      let known = DType.floats.map(\.rawValue).joined(separator: ", ")
      throw Malformed(
        description: "\(place): expected an array of \(known), each once, for dtype, found \(value.debugDescription)")
    }
    return found
  }

  /// Whether `yyyy-mm-dd` names a day of the calendar: a day that never comes would never expire as it was meant.
  static func isDate(_ text: String) -> Bool {
    guard text.wholeMatch(of: /[0-9]{4}-[0-9]{2}-[0-9]{2}/) != nil else { return false }
    let parts = text.split(separator: "-").compactMap { Int($0) }
    let (year, month, day) = (parts[0], parts[1], parts[2])
    guard (1...12).contains(month) else { return false }
    let isLeap = year.isMultiple(of: 4) && (!year.isMultiple(of: 100) || year.isMultiple(of: 400))
    let days = [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
    return (1...days[month - 1]).contains(day)
  }
}
