import Foundation
import Reporting
import Results
import RunAnalysis

/// Times that were kept in a file: a run of this program, or what another program wrote.
///
/// Which of them a file is shows in its content; a name says nothing.
public enum TimesFile {
  /// The formats, as an error names them.
  static let formats =
    "a run of Assay (run.json), Google Benchmark JSON, hyperfine JSON, pytest-benchmark JSON, Criterion's raw.csv, or the "
    + "text of go test -bench"

  /// More is no file of benchmarks.
  static let largestFile = 256 << 20
  static let mostBenchmarks = 100_000

  /// - Parameter path: a file, or the folder of a run.
  /// - Returns: the times, and the run where it is one of this program.
  /// - Throws: `RunFile.Invalid` naming the path, the place in the file, what was expected there and what was found.
  public static func read(_ path: String) throws(RunFile.Invalid) -> (times: StoredTimes, run: Run?) {
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
      throw RunFile.Invalid("\(path.printable): expected a run, found nothing")
    }
    let file = isFolder.boolValue ? "\(path)/run.json" : path
    let data = try content(of: file)
    do throws(ForeignFault) {
      if let foreign = try foreign(data) { return (foreign, nil) }
    } catch {
      throw RunFile.Invalid("\(file.printable): \(error.description)")
    }
    let run = try RunFile.parse(data, path: file)
    guard let times = StoredTimes(run) else {
      throw RunFile.Invalid("\(file.printable): expected a run with a benchmark, found one without")
    }
    return (times, run)
  }

  /// Whether a file's first bytes are those of some format; what is not is left alone where a folder is searched.
  public static func looksKnown(_ path: String) -> Bool {
    guard let handle = FileHandle(forReadingAtPath: path), let head = try? handle.read(upToCount: 65_536) else {
      return false
    }
    let text = String(decoding: withoutMark(head), as: UTF8.self)
    if text.first(where: { !$0.isWhitespace }) == "{" {
      // Files of one object whose format shows in its first keys, or in the keys beside them.
      let marks = ["\"real_time\"", "\"stats\"", "\"times\"", "\"measurements\"", "\"summary\""]
      let groups = ["\"benchmarks\"", "\"results\""]
      return groups.contains(where: text.contains) && marks.contains(where: text.contains)
    }
    return text.hasPrefix(CriterionFile.firstColumns) || GoBenchmarkFile.isOne(text)
  }

  private static func content(of path: String) throws(RunFile.Invalid) -> Data {
    guard let handle = FileHandle(forReadingAtPath: path) else {
      throw RunFile.Invalid("\(path.printable): cannot be read")
    }
    let data: Data
    do { data = try handle.read(upToCount: largestFile + 1) ?? Data() } catch {
      throw RunFile.Invalid("\(path.printable): cannot be read")
    }
    guard data.count <= largestFile else {
      throw RunFile.Invalid("\(path.printable): expected at most \(largestFile >> 20) MiB, found more")
    }
    return data
  }

  /// Without the mark of their order that some editors put before bytes that have none.
  private static func withoutMark(_ data: Data) -> Data {
    data.starts(with: [0xEF, 0xBB, 0xBF]) ? Data(data.dropFirst(3)) : data
  }

  /// - Returns: `nil` of what only this program writes, or of JSON that nobody here knows, of which `RunFile` says what is wrong.
  static func foreign(_ data: Data) throws(ForeignFault) -> StoredTimes? {
    let data = withoutMark(data)
    if data.first(where: { !" \t\r\n".utf8.contains($0) }) == UInt8(ascii: "{") {
      // A run, whole or damaged, which its own reader explains.
      if data.range(of: Data("\"\(Run.schemaName)\"".utf8)) != nil { return nil }
      let value = try ForeignJSON(data)
      if value["machine_info"] != nil, value["benchmarks"] != nil { return try PytestBenchmarkFile.times(value) }
      if value["context"] != nil, value["benchmarks"] != nil { return try GoogleBenchmarkReader.times(value) }
      if value["results"] != nil { return try HyperfineFile.times(value) }
      throw ForeignFault("", expected: formats, found: "other JSON")
    }
    guard let text = String(data: data, encoding: .utf8) else {
      throw ForeignFault("", expected: formats, found: "bytes that are no text")
    }
    if text.hasPrefix(CriterionFile.firstColumns) { return try CriterionFile.times(text) }
    if GoBenchmarkFile.isOne(text) { return try GoBenchmarkFile.times(text) }
    throw ForeignFault(
      "", expected: formats, found: data.isEmpty ? "an empty file" : "'\(String(text.prefix(40)).printable)'")
  }
}
