import Results

/// Which failures of a run are looked into: enough to tell what they have in common.
struct DiagnosisPlan {
  /// Of one pattern, of one engine's failures in one operation: what decides is how alike they are.
  private static let ofPattern = 6
  private static let ofOperation = 16
  /// What all of them may cost, so that it takes seconds, and the same ones are looked into on every machine. The sixteen of a
  /// wrong convolution of the corpus cost 3.6·10⁷.
  private static let mostCost = 1e8

  /// Positions of results in each list, the simplest first.
  let places: [(list: Int, result: Int)]

  /// - Parameters:
  ///   - results: of each case.
  ///   - cost: of a case, by its place among the results.
  init(_ results: [[CaseResult]], cost: (_ list: Int) -> Double) {
    struct Place: Hashable {
      var engine: String
      var operation: String
      var pattern = ""
    }
    let failing = results.indices.flatMap { list in
      results[list].indices.filter { Self.isFitting(results[list][$0]) }.map { (list: list, result: $0) }
    }.sorted { FailureGroup.order(results[$0.list][$0.result]) < FailureGroup.order(results[$1.list][$1.result]) }
    var counts: [Place: Int] = [:]
    var spent = 0.0
    places = failing.filter { place in
      let found = results[place.list][place.result]
      let operation = Place(engine: found.engine, operation: found.operation)
      var pattern = operation
      pattern.pattern = FailureGroup.pattern(of: found)
      guard spent < Self.mostCost, counts[operation, default: 0] < Self.ofOperation,
        counts[pattern, default: 0] < Self.ofPattern
      else { return false }
      spent += cost(place.list)
      counts[operation, default: 0] += 1
      counts[pattern, default: 0] += 1
      return true
    }
  }

  /// Results with wrong elements that nobody looked into; samples of a tensor say too little.
  private static func isFitting(_ result: CaseResult) -> Bool {
    result.status == .fail && result.diagnosis == nil && result.layers == nil
      && result.tensors.contains { !$0.passes && $0.problem.isEmpty }
      && result.tensors.allSatisfy { $0.compared == $0.shape.reduce(1, &*) }
  }
}
