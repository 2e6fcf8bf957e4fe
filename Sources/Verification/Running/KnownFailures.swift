import Foundation
import GoldenFiles
import Problems
import Results
import TOMLFiles
import TOMLKit
import Tensors

/// `known_failures.toml`: defects of engines that are known and excused for a while, so that the gate stays of use.
///
///     [[known_failure]]
///     engine = "openvino"
///     case = "/conv2d/adversarial/nan*"
///     reason = "flushes denormals, openvino#12345"
///     expires = 2027-03-01
///     dtype = ["float16", "bfloat16"]
///     tensor = "gradients/*"
///
/// An entry with `dtype` excuses nothing in other types, one with `tensor` no case in which another tensor fails, too; without them
/// it excuses all.
///
/// An entry that has expired, or that no longer excuses anything, is itself a failure. The latter shows only where everything
/// that it covers was run: all its cases in the types that it names, or else in both standard ones. A shard, a filter or one precision alone decides nothing, and
/// `merge` decides by what the shards found together.
public struct KnownFailures: Sendable {
  public struct Entry: Sendable, Hashable {
    public let engine: String
    public let cases: NamePattern
    public let reason: String
    /// `yyyy-mm-dd`; the last day on which the entry holds.
    public let expires: String
    /// The types that it is restricted to.
    public let dtypes: [DType]?
    /// The tensors that it is restricted to, by path.
    public let tensor: NamePattern?

    public init(
      engine: String, cases: String, reason: String, expires: String, dtypes: [DType]? = nil, tensor: String? = nil
    ) {
      self.engine = engine
      self.cases = NamePattern(cases)
      self.reason = reason
      self.expires = expires
      self.dtypes = dtypes
      self.tensor = tensor.map { NamePattern($0) }
    }

    /// The types that all have to be run before it may be called stale.
    var decisiveTypes: [DType] { dtypes ?? VerificationPlan.allDTypes }

    func covers(_ result: CaseResult) -> Bool {
      result.engine == engine && cases.matches(result.name)
        && dtypes?.contains { $0.rawValue == result.dtype } ?? true
    }

    /// Whether a failure is the one that it is about.
    func isAbout(_ failure: CaseResult) -> Bool {
      guard let tensor else { return true }
      let failing = failure.tensors.filter { !$0.passes }
      return !failing.isEmpty && failing.allSatisfy { tensor.matches($0.path) }
    }
  }

  /// What is wrong with the file: one sentence with its path and the entry.
  public struct Malformed: Error, CustomStringConvertible, Hashable {
    public let description: String
  }

  public let entries: [Entry]
  /// Of the file's text; `nil` where there is no file.
  public let sha256: String?

  public init(_ entries: [Entry] = []) {
    self.entries = entries
    sha256 = nil
  }

  /// - Throws: ``Malformed`` for a file that cannot be read, unknown keys, or a missing or wrong value.
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
    self.entries = entries
    sha256 = FileDigest.sha256(of: Array(text.utf8))
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

  /// Marks the failures that an entry excuses, and says of each entry what was found of it.
  /// - Parameters:
  ///   - results: of the run; excused failures are marked in place.
  ///   - today: `yyyy-mm-dd`.
  ///   - covered: how many results there would be of an entry if everything that it covers were run; `nil` where that cannot
  ///     be told.
  public func apply(
    to results: inout [CaseResult], today: String, covered: (Entry) -> Int?
  ) -> [KnownFailureRecord] {
    entries.map { entry in
      let isExpired = entry.expires < today
      var record = KnownFailureRecord(
        engine: entry.engine, caseGlob: entry.cases.description, dtypes: entry.dtypes?.map(\.rawValue),
        tensor: entry.tensor?.description, expired: isExpired ? entry.expires : nil,
        covered: covered(entry))
      for index in results.indices where entry.covers(results[index]) {
        // What was not run may fail still.
        let isDecisive = entry.decisiveTypes.contains { $0.rawValue == results[index].dtype }
        if results[index].status != .notRun, isDecisive { record.found += 1 }
        guard [.fail, .error].contains(results[index].status), entry.isAbout(results[index]) else { continue }
        record.failing += 1
        if !isExpired { results[index].knownFailure = entry.reason }
      }
      return record
    }
  }
}
