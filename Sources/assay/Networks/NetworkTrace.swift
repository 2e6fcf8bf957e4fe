import Execution
import Foundation
import OperatingSystem
import Reporting

/// Where the time of a network's run goes: a table, and a file in the trace-event format that Chrome and Perfetto open.
struct NetworkTrace {
  let steps: [InferenceNetwork.StepTime]

  /// The run that took the median time, of several.
  /// - Throws: ``Execution/ExecutionError``.
  init(_ runs: [[InferenceNetwork.StepTime]]) {
    let sorted = runs.sorted { Self.total($0) < Self.total($1) }
    steps = sorted.isEmpty ? [] : sorted[sorted.count / 2]
  }

  private static func total(_ steps: [InferenceNetwork.StepTime]) -> Int { steps.reduce(0) { $0 + $1.nanoseconds } }
  var nanoseconds: Int { Self.total(steps) }

  /// One line a step, with its share of the whole and, of a convolution, the direct algorithm's arithmetic over its time.
  var table: TextTable {
    let rows = steps.map { step -> [String] in
      let rate = step.problem.map { 2 * Double($0.multiplyAccumulates) / Double(max(step.nanoseconds, 1)) }
      return [
        step.layer, step.problem?.text ?? "", step.kind, String(format: "%.3f", Double(step.nanoseconds) * 1e-6),
        String(format: "%.1f %%", 100 * Double(step.nanoseconds) / Double(max(nanoseconds, 1))),
        rate.map { String(format: "%.0f", $0) } ?? "",
      ]
    }
    return TextTable(["step", "convolution", "by", "ms", "share", "GF/s"], rows, words: 3)
  }

  /// An event of the trace-event format; times in microseconds.
  private struct Event: Encodable {
    let name: String
    let cat: String
    let ph = "X"
    let ts: Double
    let dur: Double
    let pid = 1
    let tid = 1
    let args: [String: String]
  }

  /// - Throws: what writing a file throws.
  func write(to path: String) throws {
    var start = 0.0
    var events: [Event] = []
    for step in steps {
      let duration = Double(step.nanoseconds) * 1e-3
      events.append(
        Event(
          name: step.name, cat: step.kind, ts: start, dur: duration,
          args: step.problem.map { ["problem": $0.text, "strategy": step.kind] } ?? [:]))
      start += duration
    }
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys]
    try AtomicFile.write(try encoder.encode(["traceEvents": events]), to: path)
  }
}
