import Foundation

/// The JSON objects of the engine protocol, version 1, one a line.
enum EngineMessages {
  static let protocolVersion = 1

  struct Request<Parameters: Codable & Sendable>: Codable, Sendable {
    var id: Int
    var method: String
    var params: Parameters
  }

  /// The part of a request that is read before its parameters are known.
  struct Envelope: Codable, Sendable {
    var id: Int
    var method: String
  }

  struct Hello: Codable, Sendable { var `protocol`: Int }

  struct Description: Codable, Sendable {
    var name: String
    var version: String
    var operations: [String]
    var dtypes: [String]
    var passes: [String]
    var omits: [String]?
    var nonfinite: Bool?
    var deterministic: Bool?
    /// Facts that the engine states about itself, in its own words.
    var info: JSONValue?
  }

  struct Compute: Codable, Sendable {
    var file: String
    var `case`: String
    var dtype: String
    var passes: [String]
    /// What is compared, as `outputs/y`; everything of `passes` when it is empty or absent. An engine may ignore it.
    var wanted: [String]?
    var threads: Int
    var output: String
  }

  struct Prepare: Codable, Sendable {
    var file: String
    var `case`: String
    var dtype: String
    var pass: String
    var layout: String
    var threads: Int
  }

  struct Prepared: Codable, Sendable {
    var handle: String
    var workspaceBytes: Int?
    var description: String?

    enum CodingKeys: String, CodingKey {
      case handle
      case workspaceBytes = "workspace_bytes"
      case description
    }
  }

  struct Time: Codable, Sendable {
    var handle: String
    var iterations: Int
    var cold: Bool
  }

  struct Times: Codable, Sendable { var nanoseconds: [Double] }

  struct Release: Codable, Sendable { var handle: String }

  /// An empty object.
  struct Nothing: Codable, Sendable {
    private enum Keys: CodingKey {}

    init() {}

    init(from decoder: any Decoder) throws { _ = try decoder.container(keyedBy: Keys.self) }

    func encode(to encoder: any Encoder) throws { _ = encoder.container(keyedBy: Keys.self) }
  }

  /// A refusal when the category is one of `expect_error`'s; a failure of the engine with any other.
  struct Refusal: Codable, Sendable {
    static let failure = "internal"

    var category: String
    var message: String
  }

  struct Reply<Result: Codable & Sendable>: Codable, Sendable {
    var id: Int?
    var result: Result?
    var unsupported: String?
    var error: Refusal?
  }

  /// What every reply has, whatever was asked.
  struct ReplyEnvelope: Codable, Sendable {
    var id: Int?
    var unsupported: String?
    var error: Refusal?
  }

  static func encode(_ value: some Encodable) throws -> Data {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return try encoder.encode(value)
  }
}
