/// What a verification was told to leave out of the cases that it chose. None of it counts as passed.
public struct LeftOutRecord: Codable, Sendable, Hashable {
  /// Cases that `--exclude` names: of the whole run, also in a shard's record.
  public var excluded = 0
  /// Cases that must be refused, under `--no-refusals`: of the whole run, also in a shard's record.
  public var refusals = 0
  /// Cases that expect nothing of the passes that `--pass` names: of this record's own part.
  public var withoutPass = 0

  public init(excluded: Int = 0, refusals: Int = 0) {
    self.excluded = excluded
    self.refusals = refusals
  }
}

extension VerificationSection {
  /// What was left out, in one line for people; `nil` where nothing was to be.
  public var leftOutText: String? {
    guard let leftOut else { return nil }
    var parts: [String] = []
    if excludes != nil { parts.append("\(leftOut.excluded) cases (--exclude)") }
    if withoutRefusals == true { parts.append("\(leftOut.refusals) cases that must be refused (--no-refusals)") }
    if let passes {
      let tensors = results.reduce(0) { $0 + ($1.notAsked?.count ?? 0) }
      parts.append(
        "\(leftOut.withoutPass) cases and \(tensors) results of other passes (--pass \(passes.joined(separator: ",")))")
    }
    return "left out: " + parts.joined(separator: ", ")
  }
}
