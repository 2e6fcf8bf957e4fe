import Results

extension RunMerge {
  /// Shards of one run of random problems: what was drawn and how it ended is added up.
  /// - Returns: the whole, and a hole for each shard that is missing.
  static func fuzzing(_ runs: [Part]) throws(Refusal) -> (FuzzingSection?, holes: [RunHole]) {
    let parts = runs.compactMap { path, run in run.fuzzing.map { (path: path, run: run, section: $0) } }
    guard let first = parts.first else { return (nil, []) }
    guard parts.count > 1 || first.section.shard != nil else { return (first.section, []) }
    var merged = first.section
    var seen: [Int: String] = [:]
    for part in parts {
      guard let shard = part.section.shard else {
        throw Refusal("\(part.path): expected a shard, found a whole run of random problems: it overlaps every other")
      }
      try refuse(part.section.differences(from: first.section), part.path, first.path)
      if let other = seen[shard.index] {
        throw Refusal(
          "\(part.path) and \(other) are the same shard, \(shard.index + 1) of \(shard.count): they overlap")
      }
      seen[shard.index] = part.path
    }
    for part in parts.dropFirst() { merged.add(part.section) }
    let count = first.section.shard?.count ?? 1
    merged.failures = told(merged.failures)
    merged.shard = nil
    merged.mergedShards = count
    let holes = (0..<count).filter { seen[$0] == nil }.map { index in
      RunHole(
        "shard \(index + 1) of \(count) of the random problems is missing",
        command: filling(index, of: count, first.run.provenance.command))
    }
    return (merged, holes)
  }

  /// One defect is one failure, in however many shards it was met: the same smallest problem, wrong in the same place.
  private static func told(_ failures: [FuzzFailure]) -> [FuzzFailure] {
    var found: [FuzzFailure] = []
    for failure in failures {
      if let place = found.firstIndex(where: { $0.isTheSame(as: failure) }) {
        found[place].count += failure.count
      } else {
        found.append(failure)
      }
    }
    return found
  }
}

extension FuzzingSection {
  /// Adds another shard.
  fileprivate mutating func add(_ other: FuzzingSection) {
    for operation in other.operations {
      if let index = operations.firstIndex(where: { $0.operation == operation.operation }) {
        operations[index].add(operation)
      } else {
        operations.append(operation)
      }
    }
    for tally in other.tallies {
      if let index = tallies.firstIndex(where: { $0.engine == tally.engine && $0.operation == tally.operation }) {
        tallies[index].add(tally)
      } else {
        tallies.append(tally)
      }
    }
    failures += other.failures
    defects += other.defects
    if let more = other.unlisted { unlisted = (unlisted ?? 0) + more }
    next += other.next
    interrupted = interrupted || other.interrupted
    seconds += other.seconds
  }
}

extension FuzzFailure {
  fileprivate func isTheSame(as other: FuzzFailure) -> Bool {
    func wrong(_ failure: FuzzFailure) -> Set<String> {
      Set(failure.result.tensors.filter { !$0.passes }.map(\.path))
    }
    return (engine, operation, dtype, problem) == (other.engine, other.operation, other.dtype, other.problem)
      && result.status == other.result.status && wrong(self) == wrong(other)
  }
}
