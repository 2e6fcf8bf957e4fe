extension BenchmarkSection {
  /// A figure in a record that no measurement gives, with where it stands.
  public struct BadFigure: Error, Hashable, CustomStringConvertible {
    public let description: String
  }

  /// Holds every figure that others divide by, add up or draw to what a clock can give: above 0 and finite. Whoever reads a
  /// record from outside asks this before anything is concluded from it.
  /// - Throws: ``BadFigure`` naming the workload and the engine, or the calibration.
  public func validate() throws(BadFigure) {
    for ceiling in ceilings {
      let place = "calibration with \(ceiling.threads) thread\(ceiling.threads == 1 ? "" : "s")"
      guard ceiling.threads > 0 else { throw BadFigure(description: "\(place): expected threads from 1") }
      try Self.require(ceiling.figures, of: place)
    }
    for workload in workloads {
      try Self.require(workload.figures, of: workload.name)
      if let claimed = workload.contestants.first(where: { $0.isClaimed && workload.isAmongBest($0.engine) }) {
        throw BadFigure(
          description: "\(workload.name): expected a fastest engine whose time is not claimed, found \(claimed.engine)")
      }
      for contestant in workload.contestants {
        let place = "\(contestant.engine) on \(workload.name)"
        let isViolated = contestant.audit?.violations.isEmpty == false
        if contestant.status == .cheated, !isViolated {
          throw BadFigure(description: "\(place): expected a violated rule of a result that is cheated")
        }
        try Self.require(contestant.memory?.figures ?? [], of: place)
        for layer in contestant.layers ?? [] { try Self.require(layer.figures, of: "\(place), \(layer.layer)") }
        guard let time = contestant.time else { continue }
        guard !isViolated else { throw BadFigure(description: "\(place): expected no time where a rule is violated") }
        guard contestant.status == .timed else {
          throw BadFigure(description: "\(place): expected no time of a result that is \(contestant.status.rawValue)")
        }
        try Self.require(time.figures, of: place)
        let intervals = [
          (time.lowerNanoseconds, time.medianNanoseconds, time.upperNanoseconds),
          (time.speedupLower, time.speedup ?? 1, time.speedupUpper),
        ]
        for (lower, middle, upper) in intervals {
          guard lower ?? middle <= middle, middle <= upper ?? middle else {
            throw BadFigure(description: "\(place): expected an interval that holds its median, found one beside it")
          }
        }
      }
    }
    for total in totals {
      for entry in total.entries {
        let figures = [("nanoseconds", entry.nanoseconds)] + entry.parts.map { ($0.stage, $0.nanoseconds) }
        try Self.require(figures, of: "\(entry.engine), all convolutions of \(total.network)")
      }
    }
  }

  private static func require(_ figures: [(name: String, value: Double?)], of place: String) throws(BadFigure) {
    for case let (name, value?) in figures where !(value.isFinite && value > 0) {
      throw BadFigure(description: "\(place): expected a finite \(name) above 0, found \(value)")
    }
  }
}

extension CeilingRecord {
  fileprivate var figures: [(name: String, value: Double?)] {
    [
      ("peak_gigaflops", peakGigaflops), ("l2_gigabytes_per_second", l2GigabytesPerSecond),
      ("l3_gigabytes_per_second", l3GigabytesPerSecond), ("memory_gigabytes_per_second", memoryGigabytesPerSecond),
      ("frozen_convolution_nanoseconds", frozenConvolutionNanoseconds),
    ]
  }
}

extension BenchmarkWorkload {
  fileprivate var figures: [(name: String, value: Double?)] {
    [
      ("flops", flops), ("compulsory_bytes", compulsoryBytes), ("sets", sets.map { Double($0) }),
      ("limit_nanoseconds", limitNanoseconds),
    ]
  }
}

extension MemoryRecord {
  fileprivate var figures: [(name: String, value: Double?)] {
    [
      ("start_bytes", Double(startBytes)), ("peak_bytes", Double(peakBytes)),
      ("running_bytes", runningBytes.map { Double($0) }),
    ]
  }
}

extension LayerTime {
  fileprivate var figures: [(name: String, value: Double?)] {
    [("nanoseconds", nanoseconds), ("limit_nanoseconds", limitNanoseconds)]
  }
}

extension TimeSummary {
  fileprivate var figures: [(name: String, value: Double?)] {
    [
      ("median_nanoseconds", medianNanoseconds), ("minimum_nanoseconds", minimumNanoseconds),
      ("lower_nanoseconds", lowerNanoseconds), ("upper_nanoseconds", upperNanoseconds),
      ("equivalent_gigaflops", equivalentGigaflops), ("actual_gigaflops", actualGigaflops),
      ("peak_fraction", peakFraction), ("gigabytes_per_second", gigabytesPerSecond), ("limit_fraction", limitFraction),
      ("speedup", speedup), ("speedup_lower", speedupLower), ("speedup_upper", speedupUpper),
    ]
  }
}
