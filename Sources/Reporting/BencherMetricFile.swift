import Foundation
import Results

/// `bmf.json`: Bencher Metric Format, latency in nanoseconds with the interval's bounds. It has no place for a remark, so that
/// one about a time is part of its name.
enum BencherMetricFile {
  private struct Metric: Encodable {
    var value: Double
    var lower_value: Double?
    var upper_value: Double?
  }

  static func data(_ section: BenchmarkSection) throws -> Data {
    var benchmarks: [String: [String: Metric]] = [:]
    for workload in section.workloads {
      for contestant in workload.contestants {
        guard let time = contestant.time, time.medianNanoseconds.isFinite else { continue }
        let remark = contestant.isClaimed ? " (\(Trust.claimed.rawValue))" : ""
        benchmarks["\(workload.name)/\(contestant.engine)\(remark)"] = [
          "latency": Metric(
            value: time.medianNanoseconds, lower_value: time.lowerNanoseconds, upper_value: time.upperNanoseconds)
        ]
      }
    }
    return try JSONText.data(benchmarks, keys: .given)
  }
}
