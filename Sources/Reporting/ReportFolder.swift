import Foundation
import OperatingSystem
import Results

/// Every file that is made from a run, under the names that people and CI systems look for.
public enum ReportFolder {
  /// The files by name. A file that has nothing to say for this run is left out.
  /// - Throws: an encoding error; never for data that was read from a run.
  public static func files(_ run: Run) throws -> [(name: String, data: Data)] {
    var files: [(name: String, data: Data)] = [("run.json", try RunFile.data(run))]
    files.append(("report.md", Data(MarkdownReport.text(run).utf8)))
    files.append(("report.html", Data(try HTMLReport.text(run).utf8)))
    files += HTMLReport.pictures(run)
    if let verification = run.verification {
      files.append(("junit.xml", Data(JUnitReport.text(verification).utf8)))
    } else if let duet = run.duet {
      files.append(("junit.xml", Data(DuetJUnit.text(duet).utf8)))
    }
    if let benchmark = run.benchmark {
      files.append(("benchmarks.json", try GoogleBenchmarkFile.data(benchmark, run.provenance)))
      files.append(("bmf.json", try BencherMetricFile.data(benchmark)))
      files.append(("benchmarks.csv", Data(BenchmarkTable.csv(benchmark).utf8)))
    }
    return files
  }

  /// Writes them all, each under a temporary name first.
  /// - Returns: the names.
  /// - Throws: ``AtomicFile/Failure`` with the path and the system's reason.
  @discardableResult
  public static func write(_ run: Run, to folder: String) throws -> [String] {
    try files(run).map { file in
      try AtomicFile.write(file.data, to: "\(folder)/\(file.name)")
      return file.name
    }
  }
}
