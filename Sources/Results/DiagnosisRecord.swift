/// What a wrong answer is the same as: mistakes that were made on purpose on the case's own operands, and give it.
public struct DiagnosisRecord: Codable, Sendable, Hashable {
  /// Those whose results agree with the engine's in every element of each tensor that is wrong.
  public var causes: [CauseRecord]
  /// How many were tried.
  public var tried: Int

  public init(causes: [CauseRecord], tried: Int) {
    self.causes = causes
    self.tried = tried
  }
}

/// A mistake that gives what an engine gave.
public struct CauseRecord: Codable, Sendable, Hashable {
  public var name: String
  public var kind: CauseKind
  public var sureness: Sureness
  /// Whether something speaks against it, so that no number of results makes it sure: it would give wrong elements of tensors that
  /// are right, too, or it names a factor by what has that size. `nil` where nothing does.
  public var isDoubtful: Bool?

  public init(name: String, kind: CauseKind, sureness: Sureness, isDoubtful: Bool = false) {
    self.name = name
    self.kind = kind
    self.sureness = isDoubtful ? .looksLike : sureness
    self.isDoubtful = isDoubtful ? true : nil
  }
}

/// Where a mistake lies. What comes first says more, where several give the same.
public enum CauseKind: String, Codable, Sendable, CaseIterable {
  /// In the bits that are kept of operands or results.
  case rounding
  /// In what people get wrong in the operation.
  case defect
  /// In what the operation's corpus must notice.
  case perturbation
  /// In an operand or an attribute that is taken otherwise.
  case operand
  /// In the expected result, which is changed.
  case result
}

/// How sure it is that a mistake was made.
public enum Sureness: String, Codable, Sendable, CaseIterable {
  /// Its result is the engine's in every element, once rounded to its type.
  case exactly
  /// Its result is the engine's in every element, within the bounds.
  case agrees
  /// The same, but on too little, or beside others.
  case looksLike = "looks like"
}
