/// Why a problem cannot be computed: one sentence with what, expected and found, under one of the four categories that
/// the golden format's `expect_error` and the engine protocol know.
public struct ProblemError: Error, Hashable, Sendable, Codable {
  public enum Category: String, Hashable, Sendable, Codable, CaseIterable {
    case shapeMismatch = "shape_mismatch"
    case invalidArgument = "invalid_argument"
    case unsupportedDType = "unsupported_dtype"
    case indexOutOfRange = "index_out_of_range"
  }

  public let category: Category
  /// The argument or tensor at fault, by its name in the golden format.
  public let subject: String
  public let expected: String
  public let found: String

  public init(_ category: Category, _ subject: String, expected: String, found: String) {
    self.category = category
    self.subject = subject
    self.expected = expected
    self.found = found
  }
}

extension ProblemError: CustomStringConvertible {
  public var description: String { "\(category.rawValue): \(subject): expected \(expected), found \(found)" }
}
