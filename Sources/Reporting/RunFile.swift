import Foundation
import Results

/// `run.json`: a run's record, complete and readable by later versions.
///
/// Same run, same bytes (see ``JSONText``).
public enum RunFile {
  /// Why a file is no run.
  public struct Invalid: Error, CustomStringConvertible, Hashable {
    public let description: String

    public init(_ description: String) { self.description = description }
  }

  public static func data(_ run: Run) throws -> Data { try JSONText.data(run) }

  /// - Throws: ``Invalid`` with the path, for a file that cannot be read, is no run, is of a newer schema, or has figures that no
  ///   measurement gives.
  public static func read(_ path: String) throws(Invalid) -> Run {
    guard let data = FileManager.default.contents(atPath: path) else {
      throw Invalid("\(path): cannot be read")
    }
    return try parse(data, path: path)
  }

  /// The same of what was read already.
  /// - Parameters:
  ///   - data: the file's bytes.
  ///   - path: where they are from, for what is said of them.
  /// - Throws: ``Invalid``, as above.
  package static func parse(_ data: Data, path: String) throws(Invalid) -> Run {
    struct Header: Decodable {
      var schema: String
      var schemaVersion: Int
    }
    let decoder = JSONText.decoder
    guard (try? JSONSerialization.jsonObject(with: data)) != nil else {
      throw Invalid("\(path): expected a whole run, found JSON that is cut short or damaged")
    }
    guard let header = try? decoder.decode(Header.self, from: data), header.schema == Run.schemaName else {
      throw Invalid("\(path): expected a record of schema \(Run.schemaName), found other content")
    }
    guard header.schemaVersion <= Run.currentSchemaVersion else {
      throw Invalid(
        "\(path): expected schema_version \(Run.currentSchemaVersion) at most, found \(header.schemaVersion): "
          + "update Assay")
    }
    let run: Run
    do { run = try decoder.decode(Run.self, from: data) } catch {
      throw Invalid("\(path): is damaged: \(error)")
    }
    do throws(BenchmarkSection.BadFigure) { try run.benchmark?.validate() } catch {
      throw Invalid("\(path): \(error.description.printable)")
    }
    return run
  }
}
