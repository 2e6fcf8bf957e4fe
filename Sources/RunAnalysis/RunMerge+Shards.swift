import Results

/// A section that may be one of several shards.
private protocol ShardedSection: RunSection {
  var shard: ShardRecord? { get set }
  func differences(from other: Self) -> [RunDifference]
  /// Adds another shard.
  mutating func add(_ other: Self)
}

extension RunMerge {
  /// Shards of one run of gradient checks.
  /// - Returns: the whole, and a hole for each shard that is missing.
  static func gradients(_ runs: [Part]) throws(Refusal) -> (GradientSection?, holes: [RunHole]) {
    try sharded(runs, "gradient checks") { $0.gradients }
  }

  /// Shards of one self-test.
  /// - Returns: the whole, and a hole for each shard that is missing.
  static func selfTest(_ runs: [Part]) throws(Refusal) -> (SelfTestSection?, holes: [RunHole]) {
    try sharded(runs, "self-tests") { $0.selfTest }
  }

  private static func sharded<Section: ShardedSection>(
    _ runs: [Part], _ name: String, _ section: (Run) -> Section?
  ) throws(Refusal) -> (Section?, holes: [RunHole]) {
    let parts = runs.compactMap { path, run in section(run).map { (path: path, run: run, section: $0) } }
    guard let first = parts.first else { return (nil, []) }
    guard parts.count > 1 || first.section.shard != nil else { return (first.section, []) }
    // One command made all of them.
    for part in parts.dropFirst() {
      try refuse(part.section.differences(from: first.section), part.path, first.path)
      try refuseOtherCommand(part.run, part.path, first.run, first.path)
    }
    let holes = try holes(
      parts.map { ($0.path, $0.section.shard) }, of: name, command: first.run.provenance.command)
    var merged = first.section
    for part in parts.dropFirst() { merged.add(part.section) }
    merged.shard = nil
    return (merged, holes)
  }

  /// Words that say which shard it is, where it goes and how long it may take are no difference.
  private static func refuseOtherCommand(
    _ run: Run, _ path: String, _ other: Run, _ otherPath: String
  ) throws(Refusal) {
    let commands = [run, other].map { run in
      ShellCommand(run.provenance.command).without(
        options: ["--shard", "--shards", "--out", "--json", "--junit", "--deadline", "--jobs", "--color"],
        flags: ["--resume", "--quiet", "-q", "--verbose", "-v"]
      ).description
    }
    guard commands[0] != commands[1] else { return }
    try refuse([RunDifference(name: "command", first: commands[0], second: commands[1])], path, otherPath)
  }

  /// Shards that are missing, each with the command that makes it.
  /// - Throws: ``Refusal`` for a part that is no shard, and for two that are the same.
  static func holes(
    _ parts: [(path: String, shard: ShardRecord?)], of name: String, command: [String]
  ) throws(Refusal) -> [RunHole] {
    var seen: [Int: String] = [:]
    var count = 0
    for (path, shard) in parts {
      guard let shard else {
        throw Refusal("\(path): expected a shard, found all of the \(name): it overlaps every other")
      }
      if let other = seen[shard.index] {
        throw Refusal(
          "\(path) and \(other) are the same shard, \(shard.index + 1) of \(shard.count): they overlap")
      }
      seen[shard.index] = path
      count = shard.count
    }
    return (0..<count).filter { seen[$0] == nil }.map { index in
      RunHole(
        "shard \(index + 1) of \(count) of the \(name) is missing", command: filling(index, of: count, command))
    }
  }

  /// The command of one shard, made of that of another.
  static func filling(_ index: Int, of count: Int, _ command: [String]) -> String {
    ShellCommand(command)
      .without(
        options: ["--shard", "--shards", "--out", "--json", "--junit", "--deadline"], flags: ["--resume"]
      )
      .adding("--shard", "\(index + 1)/\(count)", "--out", "shard-\(index + 1)-of-\(count)").description
  }
}

extension GradientSection: ShardedSection {
  mutating func add(_ other: GradientSection) {
    records += other.records
    badFiles += other.badFiles.filter { !badFiles.contains($0) }
    if other.interrupted == true { interrupted = true }
    seconds += other.seconds
  }
}

extension SelfTestSection: ShardedSection {
  mutating func add(_ other: SelfTestSection) {
    mutants += other.mutants
    falseAlarms += other.falseAlarms
    checksOfCorrectCode += other.checksOfCorrectCode
    seedCount += other.seedCount
    if other.interrupted == true { interrupted = true }
    seconds += other.seconds
  }
}
