/// Why a file, or an object in it, could not be read or written: one error, whatever libhdf5's error stack looked like.
public struct HDF5Error: Error, Sendable, Equatable, CustomStringConvertible {
  public enum Kind: String, Sendable {
    /// No such file, or no such object in the file.
    case missing
    /// A directory, or another thing that is not a regular file.
    case notAFile
    /// A file of no bytes.
    case empty
    /// A file without HDF5's signature.
    case notHDF5
    /// libhdf5 could not make sense of the file: cut short, bits flipped, a checksum that disagrees.
    case damaged
    /// libhdf5 does not know the version of some structure: the file is newer than the library, or damaged there.
    case newerFormat
    /// The stored type is not what was asked for, or a number does not fit what was asked for.
    case wrongType
    /// The stored shape is not what was asked for.
    case wrongShape
    /// Readable in principle but not trusted: soft, external and user links, external storage, virtual datasets.
    case refused
    /// Larger than the limits given at opening.
    case tooLarge
    /// The file or object could not be written.
    case cannotWrite
  }

  public let kind: Kind
  /// The path of the file, as it was given.
  public let file: String
  /// The path of the object inside the file; "/" for the file itself.
  public let object: String
  public let expected: String
  public let found: String
  /// What the reader of the message can do about it.
  public let advice: String
  /// libhdf5's own words, innermost first; empty when the library had no part in it.
  public let libraryMessages: [String]

  public init(
    kind: Kind, file: String, object: String, expected: String, found: String, advice: String,
    libraryMessages: [String] = []
  ) {
    self.kind = kind
    self.file = file
    self.object = object
    self.expected = expected
    self.found = found
    self.advice = advice
    self.libraryMessages = libraryMessages
  }

  /// The same as an error of a file that is being made, in which a failure of the library never means that what is there is
  /// damaged: the disk took no more of it.
  var whileWriting: HDF5Error {
    guard kind == .damaged || kind == .newerFormat else { return self }
    return HDF5Error(
      kind: .cannotWrite, file: file, object: object, expected: "\(expected) to be written", found: found,
      advice: "check that the disk has room", libraryMessages: libraryMessages)
  }

  public var description: String {
    let place = object.isEmpty || object == "/" ? file : "\(file): \(object)"
    var text = "\(place): expected \(expected), found \(found)"
    if let innermost = libraryMessages.first { text += " (libhdf5: \(innermost))" }
    if !advice.isEmpty { text += "; \(advice)" }
    return text
  }
}
