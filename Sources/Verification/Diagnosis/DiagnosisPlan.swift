import Results

/// Which failures of a run are looked into: enough to tell what they have in common.
struct DiagnosisPlan {
  /// Of one pattern, of one engine's failures in one operation, and of all: what decides is how alike they are, and that all
  /// of it takes seconds.
  private static let ofPattern = 6
  private static let ofOperation = 16
  static let most = 240
  /// After it no further one is begun.
  static let time = Duration.seconds(20)

  /// Positions of results in each list, the simplest first.
  let places: [(list: Int, result: Int)]

  /// - Parameter results: of each case.
  init(_ results: [[CaseResult]]) {
    struct Place: Hashable {
      var engine: String
      var operation: String
      var pattern = ""
    }
    let failing = results.indices.flatMap { list in
      results[list].indices.filter { Self.isFitting(results[list][$0]) }.map { (list: list, result: $0) }
    }.sorted { FailureGroup.order(results[$0.list][$0.result]) < FailureGroup.order(results[$1.list][$1.result]) }
    var counts: [Place: Int] = [:]
    places = Array(
      failing.filter { place in
        let found = results[place.list][place.result]
        let operation = Place(engine: found.engine, operation: found.operation)
        var pattern = operation
        pattern.pattern = FailureGroup.pattern(of: found)
        guard counts[operation, default: 0] < Self.ofOperation, counts[pattern, default: 0] < Self.ofPattern else {
          return false
        }
        counts[operation, default: 0] += 1
        counts[pattern, default: 0] += 1
        return true
      }.prefix(Self.most))
  }

  /// Results with wrong elements that nobody looked into; samples of a tensor say too little.
  private static func isFitting(_ result: CaseResult) -> Bool {
    result.status == .fail && result.diagnosis == nil && result.layers == nil
      && result.tensors.contains { !$0.passes && $0.problem.isEmpty }
      && result.tensors.allSatisfy { $0.compared == $0.shape.reduce(1, &*) }
  }
}
