import Foundation
import OperatingSystem
import Results

/// Every file that is made from a run, under the names that people and CI systems look for.
public enum ReportFolder {
  /// A file of the folder.
  public struct File {
    /// Below the folder.
    public var name: String
    public var data: Data

    public init(_ name: String, _ data: Data) {
      self.name = name
      self.data = data
    }
  }

  /// The files that every reader of a run needs first come first: `run.json`, of which all others can be made again.
  /// - Parameters:
  ///   - run: what is reported.
  ///   - view: what the page shows first.
  /// - Throws: an encoding error; never for data that was read from a run.
  public static func files(_ run: Run, view: ReportView = ReportView()) throws -> [File] {
    var files = [File("run.json", try RunFile.data(run))]
    files.append(File("junit.xml", Data(JUnitReport.text(run).utf8)))
    files.append(File("report.md", Data(MarkdownReport.text(run).utf8)))
    files.append(File("report.html", Data(try HTMLReport.text(run, view: view).utf8)))
    files += HTMLReport.pictures(run).map { File($0.name, $0.data) }
    if let benchmark = run.benchmark {
      files.append(File("benchmarks.json", try GoogleBenchmarkFile.data(benchmark, run.provenance)))
      files.append(File("bmf.json", try BencherMetricFile.data(benchmark)))
      files.append(File("benchmarks.csv", Data(BenchmarkTable.csv(benchmark).utf8)))
    }
    return files
  }

  /// Writes the record alone.
  public static func save(_ run: Run, to folder: String) throws {
    try AtomicFile.write(RunFile.data(run), to: "\(folder)/run.json")
  }

  /// Writes each of them, also after one that could not be written: what is done is kept.
  /// - Parameters:
  ///   - run: what is reported.
  ///   - folder: where to.
  ///   - view: what the page shows first.
  ///   - extras: files of the command's own.
  /// - Returns: why some could not be written.
  public static func write(_ run: Run, to folder: String, view: ReportView = ReportView(), extras: [File] = [])
    throws -> [AtomicFile.Failure]
  {
    try (files(run, view: view) + extras).compactMap { file in
      do throws(AtomicFile.Failure) {
        try AtomicFile.write(file.data, to: "\(folder)/\(file.name)")
        return nil
      } catch { return error }
    }
  }
}
