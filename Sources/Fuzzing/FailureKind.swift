import Results

/// How a case fails: two cases that fail alike show one defect, as far as one can tell.
struct FailureKind: Hashable, Sendable {
  /// What is seen of a failure in one place.
  struct Symptom: Hashable, Sendable {
    /// The tensor; empty for the answer as a whole.
    let path: String
    /// What is wrong there: `a wrong value`, `NaN`, `not written`, what the engine said.
    let manner: String
  }

  let status: VerificationStatus
  let symptoms: Set<Symptom>

  init(_ result: CaseResult) {
    status = result.status
    let failing = result.tensors.filter { !$0.passes }
    var symptoms = Set(failing.map { Symptom(path: $0.path, manner: Self.manner(of: $0)) })
    // A message about a tensor says what its symptom says; any other one is of the answer as a whole.
    if !failing.contains(where: { result.message.contains($0.path) }) {
      symptoms.insert(Symptom(path: "", manner: Self.withoutNumbers(result.message)))
    }
    self.symptoms = symptoms
  }

  private static func manner(of tensor: TensorResult) -> String {
    // `shape 3×2, expected 3×1`, `not written: …`: what stands first says what kind of problem it is.
    guard tensor.problem.isEmpty else {
      return withoutNumbers(String(tensor.problem.prefix { $0 != ":" && $0 != "," }))
    }
    guard let worst = tensor.worst else { return "a wrong value" }
    return switch (worst.got.isFinite, worst.expected.isFinite) {
    case (true, true): "a wrong value"
    case (true, false): "finite where it should not be"
    case (false, _): worst.got.isNaN ? "NaN" : "infinite"
    }
  }

  /// What differs from case to case is in numbers.
  private static func withoutNumbers(_ message: String) -> String {
    String(message.filter { !$0.isNumber }.prefix(80))
  }

  /// Whether another case fails alike: in one of the same places in the same manner.
  func isMet(by result: CaseResult) -> Bool { isMet(by: FailureKind(result)) }

  func isMet(by other: FailureKind) -> Bool { status == other.status && !symptoms.isDisjoint(with: other.symptoms) }

  /// Whether another case fails alike or is wrong in one of the same tensors, in whatever manner: a kernel that leaves something out
  /// gives a wrong value of numbers and a finite one of NaN.
  func sharesPlace(with other: FailureKind) -> Bool {
    isMet(by: other) || status == other.status && !tensors.isDisjoint(with: other.tensors)
  }

  private var tensors: Set<String> { Set(symptoms.map(\.path)).subtracting([""]) }
}
