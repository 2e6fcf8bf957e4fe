import Problems
import Results

/// What is wrong with a golden file: one sentence with the file, the object in it, what was expected and what was found.
///
/// Every problem with a file, its manifest or an exchange file ends as one of these; commands map it to exit code 65.
public struct GoldenFileError: Error, Sendable, Hashable, Codable, CustomStringConvertible {
  public enum Kind: String, Sendable, Hashable, Codable {
    /// No such file, or a case, group, dataset or attribute that must be there is not.
    case missing
    /// A directory, a pipe, a file without bytes or without HDF5's signature.
    case notAGoldenFile
    /// A schema newer than this reader's.
    case newerSchema
    /// The digest is not the manifest's: the file was changed or is incomplete.
    case checksum
    /// Cut short, bits flipped, a wrong number of cases.
    case damaged
    /// A type that cannot be read as what is meant.
    case wrongType
    /// Shapes or attributes that disagree with the operation or with each other.
    case inconsistent
    /// Links that are not hard, cycles, external or virtual storage, other filters: not read from any file.
    case refused
    /// Larger than the limits allow.
    case tooLarge
    /// A case that would take more memory or work than the limits allow; the file may be sound.
    case tooCostly
    /// Written in a version of HDF5's format that the linked library does not know.
    case newerFormat
    /// The child process that tries unlisted files died, or took too long.
    case probeFailed
    case cannotWrite
  }

  public var kind: Kind
  public var file: String
  /// The object's path in the file, with `@name` for an attribute; "/" for the file itself.
  public var object: String
  public var expected: String
  public var found: String
  public var advice: String

  public init(
    _ kind: Kind, file: String, object: String = "/", expected: String, found: String, advice: String = ""
  ) {
    self.kind = kind
    self.file = file
    self.object = object
    self.expected = expected
    self.found = found
    self.advice = advice
  }

  /// One line that may stand on a terminal and in a log: names and texts of the file are escaped.
  public var description: String {
    let place = object == "/" || object.isEmpty ? file : "\(file): \(object)"
    return PrintableText.escaped(
      "\(place): expected \(expected), found \(found)" + (advice.isEmpty ? "" : "; \(advice)"))
  }
}

extension GoldenFileError {
  /// A case that its own operation refuses, although the file does not say that it must be refused.
  init(_ error: ProblemError, file: String, object: String, operation: String) {
    self.init(
      .inconsistent, file: file, object: object, expected: "\(error.expected) for \(error.subject) of \(operation)",
      found: error.found,
      advice: "correct the case, or give it expect_error = \"\(error.category.rawValue)\" if it must be refused")
  }
}
