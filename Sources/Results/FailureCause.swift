/// What failures that are wrong likewise look like, by what was tried on some of them.
package struct FailureCause: Sendable, Hashable {
  /// The mistakes that give each of the results that were looked at; more than one where these do not tell them apart.
  package let names: [String]
  package let sureness: Sureness
  /// How many results were looked at.
  package let looked: Int

  private static let most = 3
  private static let enough = 4

  /// - Parameters:
  ///   - results: those that are wrong likewise.
  ///   - isPart: whether the engine fails otherwise, too, on the same operation.
  /// - Returns: `nil` where none was looked at, or no mistake gives all of them.
  package init?(_ results: [CaseResult], isPart: Bool) {
    let diagnoses = results.compactMap(\.diagnosis)
    guard let first = diagnoses.first else { return nil }
    func records(_ name: String) -> [CauseRecord]? {
      let found = diagnoses.compactMap { diagnosis in diagnosis.causes.first { $0.name == name } }
      return found.count == diagnoses.count ? found : nil
    }
    let common = first.causes.filter { records($0.name) != nil }
    guard let kind = CauseKind.allCases.first(where: { kind in common.contains { $0.kind == kind } }) else {
      return nil
    }
    names = common.filter { $0.kind == kind }.map(\.name)
    looked = diagnoses.count
    let records = names.flatMap { records($0) ?? [] }
    let found = Set(records.map(\.sureness))
    // What is seen of the results themselves, again and again, needs no telling numbers.
    let isThin = found == [.looksLike] && !(kind == .result && looked >= Self.enough)
    let isDoubtful = isPart || names.count > 1 || isThin || records.contains { $0.isDoubtful == true }
    sureness = isDoubtful ? .looksLike : found == [.exactly] ? .exactly : .agrees
  }

  /// Those that are named where there are many.
  package var shown: ArraySlice<String> { names.prefix(Self.most) }

  /// `agrees with: bias dropped`.
  package var text: String {
    let more = names.count > Self.most ? ", or \(names.count - Self.most) others" : ""
    return "\(sureness.words): \(shown.joined(separator: ", or "))\(more)".printable
  }

  /// How many results it rests on.
  package var basis: String {
    looked == 1 ? "in the one result that was looked into" : "in each of the \(looked) results that were looked into"
  }
}

extension Sureness {
  package var words: String {
    switch self {
    case .exactly: "is exactly what comes of"
    case .agrees: "agrees with"
    case .looksLike: "looks like"
    }
  }
}

extension CaseResult {
  /// What this result alone looks like; `nil` where nothing was found.
  package var cause: FailureCause? { FailureCause([self], isPart: false) }
}
