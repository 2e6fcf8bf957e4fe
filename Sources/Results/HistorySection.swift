/// What `assay history` found: the section `history` of a run.
public struct HistorySection: Codable, Sendable {
  public struct Point: Codable, Sendable, Hashable {
    public var run: String
    public var started: String
    public var commit: String?
    public var nanoseconds: Double

    public init(run: String, started: String, commit: String?, nanoseconds: Double) {
      self.run = run
      self.started = started
      self.commit = commit
      self.nanoseconds = nanoseconds
    }
  }

  /// A place in a series where its level changed.
  public struct Change: Codable, Sendable, Hashable {
    /// The first point after it.
    public var position: Int
    /// Medians of the points before it and from it on, each up to the next change.
    public var before: Double
    public var after: Double
    /// Of the rank-sum test, times the places where the change might have been.
    public var pValue: Double
    /// Whether it is certain when all series are looked at. The others are weak: later runs confirm or dissolve them.
    public var isConfirmed: Bool
    /// What else was another from the run before it on.
    public var differences: [String]

    public init(
      position: Int, before: Double, after: Double, pValue: Double, isConfirmed: Bool, differences: [String]
    ) {
      self.position = position
      self.before = before
      self.after = after
      self.pValue = pValue
      self.isConfirmed = isConfirmed
      self.differences = differences
    }

    /// 1.1: a tenth longer than before.
    public var ratio: Double { after / before }
  }

  public struct Series: Codable, Sendable, Hashable {
    /// What must be equal for two times to be compared: CPU, cores, ISA, system, compiler, flags.
    public var key: String
    public var benchmark: String
    public var engine: String
    public var points: [Point]
    /// First positions of the segments after the first.
    public var changePoints: [Int]
    /// Confirmed and weak ones, ascending. Absent in runs of earlier versions.
    public var changes: [Change]?

    public init(key: String, benchmark: String, engine: String, points: [Point], changePoints: [Int]) {
      self.key = key
      self.benchmark = benchmark
      self.engine = engine
      self.points = points
      self.changePoints = changePoints
    }

    /// As a line names it.
    public var label: String { engine.isEmpty ? benchmark : "\(benchmark) \(engine)" }
  }

  /// A run that the history has.
  public struct Member: Codable, Sendable, Hashable {
    public var name: String
    public var started: String
    public var commit: String?
    /// Where a page of it is, as a link from the history's own page. Absent where there is none.
    public var page: String?

    public init(name: String, started: String, commit: String?, page: String? = nil) {
      self.name = name
      self.started = started
      self.commit = commit
      self.page = page
    }
  }

  public var directory: String
  public var series: [Series]
  /// Files that are no runs with benchmarks, and why.
  public var skipped: [String]
  /// The runs, earliest first. Absent in runs of earlier versions.
  public var runs: [Member]?
  /// What earlier runs timed and the last one of the same machine did not, a sentence each. Absent in runs of earlier versions.
  public var vanished: [String]?
  /// What files do not tell, a sentence each. Absent in runs of earlier versions.
  public var unknown: [String]?

  public init(directory: String, series: [Series], skipped: [String]) {
    self.directory = directory
    self.series = series
    self.skipped = skipped
  }

  /// Every change with its series, the largest first, confirmed ones before weak ones. A file from outside may hold one that is
  /// at none of its series' points: that is nothing.
  public var moved: [(series: Series, change: Change)] {
    func size(_ change: Change) -> Double { max(change.ratio, 1 / change.ratio) }
    let all = series.flatMap { series in
      (series.changes ?? []).filter { series.points.indices.contains($0.position) }.map { (series: series, change: $0) }
    }
    return all.sorted { a, b in
      if a.change.isConfirmed != b.change.isConfirmed { return a.change.isConfirmed }
      return (size(b.change), a.series.label, a.change.position) < (size(a.change), b.series.label, b.change.position)
    }
  }
}
