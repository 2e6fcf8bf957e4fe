import Engines
import Problems
import Results
import RunAnalysis

/// Where the time of a network goes.
enum LayerTrace {
  /// So many, that one of them may be interrupted.
  private static let runs = 9

  /// The steps of a run, each with the median of its times.
  /// - Parameters:
  ///   - operation: that is ready.
  ///   - set: that is loaded.
  /// - Throws: `EngineError` of the engine.
  static func layers(of operation: any TracedOperation, set: Int) throws(EngineError) -> [LayerTime] {
    var traces: [[LayerTime]] = []
    for _ in 0..<runs { traces.append(try operation.trace(set: set)) }
    return (traces.first ?? []).enumerated().map { index, step in
      var step = step
      step.nanoseconds = OrderStatistics.median(traces.map { $0[index].nanoseconds }) ?? step.nanoseconds
      return step
    }
  }
}
