import OperatingSystem
import Results

/// What one contestant's requests took on one workload, as it claims and as this program sees it. In nanoseconds.
package struct AuditLedger {
  /// One request to time, or those that a slice's parts are.
  package struct Slice {
    package var claimed: Double
    package var wall: Double
    /// CPU time of the contestant's processes; `nil` where the system does not tell.
    package var cpu: Double?
    /// Of the wall time, in which threads were ready to run and had no core.
    package var waited: Double
    /// How many there were.
    package var requests = 1
    /// Whose outputs were marked before it, of all requests.
    package var sets: Int
    package var iterations: Int
    /// Different durations among those that were claimed.
    package var distinct: Int?
    /// What the contestant's threads did; `nil` where nothing is counted.
    package var counts: [CountedEvent: UInt64]?

    package init(
      claimed: Double, wall: Double, cpu: Double?, waited: Double, sets: Int, iterations: Int? = nil,
      distinct: Int? = nil
    ) {
      self.claimed = claimed
      self.wall = wall
      self.cpu = cpu
      self.waited = waited
      self.sets = sets
      self.iterations = iterations ?? sets
      self.distinct = distinct
    }

    /// Takes in the next part of the slice.
    mutating func append(_ part: Slice) {
      claimed += part.claimed
      wall += part.wall
      cpu = cpu.flatMap { cpu in part.cpu.map { cpu + $0 } }
      waited += part.waited
      requests += part.requests
      sets += part.sets
      iterations += part.iterations
      // All that is asked of it is whether there is one alone.
      distinct = distinct.flatMap { distinct in part.distinct.map { max(distinct, $0) } }
      counts = counts.flatMap { counts in part.counts.map { counts.merging($0, uniquingKeysWith: +) } }
    }
  }

  /// What came before and after the slices of one turn.
  package struct Turn {
    package var loads: Int
    package var loadCPU: Double?
    package var collects: Int
    package var collectCPU: Double?
    /// What one iteration claims.
    package var claimed: Double

    package init(loads: Int, loadCPU: Double?, collects: Int, collectCPU: Double?, claimed: Double) {
      self.loads = loads
      self.loadCPU = loadCPU
      self.collects = collects
      self.collectCPU = collectCPU
      self.claimed = claimed
    }
  }

  /// What one of a turn's first visits of a set claims, and one of the later ones.
  package struct Visits {
    package var first: Double
    package var second: Double

    package init(first: Double, second: Double) {
      self.first = first
      self.second = second
    }
  }

  /// What a step of training that is reported claims, and the one after it, which is not.
  package struct Steps {
    package var reported: Double
    package var after: Double

    package init(reported: Double, after: Double) {
      self.reported = reported
      self.after = after
    }
  }

  /// Whether it is of training, whose steps visit no operands again.
  package let isOfSteps: Bool
  package var steps: [Steps] = []
  package var slices: [Slice] = []
  package var turns: [Turn] = []
  /// Of these, whose results were held against the reference.
  package var lookedAt = 0
  package var visits: [Visits] = []

  /// - Parameter isOfSteps: whether it is of training.
  package init(isOfSteps: Bool = false) { self.isOfSteps = isOfSteps }

  /// Of all slices, by this program's clock.
  var sliceSeconds: Double { slices.reduce(0) { $0 + $1.wall } * 1e-9 }
}
