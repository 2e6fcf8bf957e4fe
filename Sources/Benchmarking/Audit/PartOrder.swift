/// The order in which contestants make the parts of their slices by turns: what a neighbour on the machine takes for longer than a
/// part it takes from all of them.
package enum PartOrder {
  /// Two go there and back (AB BA AB …), more of them round (ABC BCA CAB …), so that no part follows one of the same contestant,
  /// which would find its memory in the caches. Who has fewer parts has them spread over the others'.
  /// - Parameter parts: how many each has, in the order of the first round.
  /// - Returns: whose part comes next, by the place in `parts`.
  package static func places(_ parts: [Int]) -> [Int] {
    let rounds = parts.max() ?? 0
    return (0..<rounds).flatMap { round in
      let first = round % parts.count
      return (Array(first..<parts.count) + Array(0..<first)).filter { place in
        func due(_ round: Int) -> Int { (round * parts[place] + rounds / 2) / rounds }
        return due(round + 1) > due(round)
      }
    }
  }
}
