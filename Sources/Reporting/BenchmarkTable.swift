import Foundation
import Results

/// `benchmarks.csv`: one line for each contestant, RFC 4180, every figure with all its digits.
enum BenchmarkTable {
  static let headings = [
    "workload", "problem", "pass", "layout", "threads", "engine", "status", "median_ns", "min_ns", "lower_ns",
    "upper_ns",
    "gflops_equivalent", "gflops_actual", "peak_fraction", "gigabytes_per_second", "limit_ns", "limited_by",
    "limit_fraction", "speedup", "speedup_lower", "speedup_upper", "workspace_bytes", "error_by_bound", "summary",
    "message", "trust", "limit_algorithm", "sets", "violated", "start_bytes", "peak_bytes", "running_bytes",
  ]

  static func csv(_ section: BenchmarkSection) -> String {
    var lines = [headings.joined(separator: ",")]
    for workload in section.workloads {
      for contestant in workload.contestants {
        lines.append(cells(workload, contestant).map(quoted).joined(separator: ","))
      }
    }
    return lines.map { $0 + "\r\n" }.joined()
  }

  private static func cells(_ workload: BenchmarkWorkload, _ contestant: BenchmarkContestant) -> [String] {
    let time = contestant.time
    func number(_ value: Double?) -> String { value.map { "\($0)" } ?? "" }
    let what = [
      workload.name, workload.problem, workload.pass, workload.layout, "\(workload.threads)", contestant.engine,
      contestant.status.rawValue,
    ]
    let times = [time?.medianNanoseconds, time?.minimumNanoseconds, time?.lowerNanoseconds, time?.upperNanoseconds]
    let rates = [
      time?.equivalentGigaflops, time?.actualGigaflops, time?.peakFraction, time?.gigabytesPerSecond,
      workload.limitNanoseconds,
    ]
    let ratios = [time?.limitFraction, time?.speedup, time?.speedupLower, time?.speedupUpper]
    return what + times.map(number) + rates.map(number) + [workload.limitedBy ?? ""] + ratios.map(number)
      + [
        time == nil ? "" : "\(contestant.workspaceBytes)", number(contestant.worstRatio), contestant.summary,
        contestant.message, contestant.trust?.rawValue ?? "", workload.limitAlgorithm ?? "",
        workload.sets.map(String.init) ?? "",
        contestant.audit?.violations.map(\.rule.rawValue).joined(separator: " ") ?? "",
      ]
      + [contestant.memory?.startBytes, contestant.memory?.peakBytes, contestant.memory?.runningBytes].map { bytes in
        bytes.map(String.init) ?? ""
      }
  }

  static func quoted(_ cell: String) -> String {
    guard cell.contains(where: { ",\"\r\n".contains($0) }) else { return cell }
    return "\"" + cell.replacing("\"", with: "\"\"") + "\""
  }
}
