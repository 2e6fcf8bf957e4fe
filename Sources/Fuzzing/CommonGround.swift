/// What failing cases have in common and passing ones have not: `W mod 16 = 15 and K > 64`.
package struct CommonGround: Sendable, Hashable {
  /// One thing that is so, or not, of a case.
  package enum Condition: Sendable, Hashable {
    case remainder(String, modulus: Int, Int)
    case above(String, Int)
    case below(String, Int)
    case equal(String, Int)
    case word(String, String)

    package func holds(of traits: ProblemTraits) -> Bool {
      switch self {
      case .remainder(let name, let modulus, let rest): traits.numbers[name].map { $0 % modulus == rest } ?? false
      case .above(let name, let limit): traits.numbers[name].map { $0 > limit } ?? false
      case .below(let name, let limit): traits.numbers[name].map { $0 < limit } ?? false
      case .equal(let name, let number): traits.numbers[name] == number
      case .word(let name, let word): traits.words[name] == word
      }
    }
  }

  package let conditions: [Condition]
  /// Passing cases of which all conditions hold, too: what decides is something else, or the operands.
  package let exceptions: Int

  /// So many conditions at most: more would fit anything.
  private static let mostConditions = 3
  /// The largest first: numbers that share a remainder by 16 would do so by chance if it were 2 that decides.
  private static let moduli = [64, 32, 16, 8, 4, 3, 2]

  /// - Parameters:
  ///   - failing: cases that fail.
  ///   - passing: cases of the same operation that do not.
  /// - Returns: `nil` without both.
  package init?(failing: [ProblemTraits], passing: [ProblemTraits]) {
    guard let first = failing.first, !passing.isEmpty else { return nil }
    let candidates = first.names.flatMap { Self.candidates($0, failing, passing) }
    var rest = passing
    var chosen: [Condition] = []
    while !rest.isEmpty, chosen.count < Self.mostConditions {
      // Of those that exclude equally many the first: names and forms come in the order of preference.
      let excluded = candidates.map { condition in rest.count { !condition.holds(of: $0) } }
      guard let most = excluded.max(), most > 0, let best = excluded.firstIndex(of: most) else { break }
      chosen.append(candidates[best])
      rest.removeAll { !candidates[best].holds(of: $0) }
    }
    conditions = chosen
    exceptions = rest.count
  }

  /// Everything about one trait that is so of every failing case.
  private static func candidates(
    _ name: String, _ failing: [ProblemTraits], _ passing: [ProblemTraits]
  ) -> [Condition] {
    if failing.allSatisfy({ $0.words[name] != nil }) {
      let words = Set(failing.compactMap { $0.words[name] })
      return words.count == 1 ? words.map { .word(name, $0) } : []
    }
    let numbers = failing.compactMap { $0.numbers[name] }
    guard numbers.count == failing.count, let least = numbers.min(), let most = numbers.max() else { return [] }
    let others = passing.compactMap { $0.numbers[name] }
    var found: [Condition] = []
    // As near to the failing cases as the passing ones tell.
    found.append(.above(name, others.filter { $0 < least }.max() ?? least - 1))
    found.append(.below(name, others.filter { $0 > most }.min() ?? most + 1))
    for modulus in moduli {
      let rests = Set(numbers.map { $0 % modulus })
      // A remainder that is the number itself says no more than the number.
      if rests.count == 1, let rest = rests.first, most >= modulus {
        found.append(.remainder(name, modulus: modulus, rest))
      }
    }
    if least == most { found.append(.equal(name, least)) }
    return found
  }

  func holds(of traits: ProblemTraits) -> Bool { conditions.allSatisfy { $0.holds(of: traits) } }
}

extension CommonGround: CustomStringConvertible {
  package var description: String {
    guard !conditions.isEmpty else { return "nothing that was looked at tells failing problems from the others" }
    let words = conditions.map(\.description).joined(separator: " and ")
    return exceptions == 0
      ? "fails only where \(words)" : "fails only where \(words), but not always: \(exceptions) such problems pass"
  }
}

extension CommonGround.Condition: CustomStringConvertible {
  package var description: String {
    switch self {
    case .remainder(let name, let modulus, let rest): "\(name) mod \(modulus) = \(rest)"
    case .above(let name, let limit): "\(name) > \(limit)"
    case .below(let name, let limit): "\(name) < \(limit)"
    case .equal(let name, let number): "\(name) = \(number)"
    case .word(let name, let word): "\(name) = \(word)"
    }
  }
}
