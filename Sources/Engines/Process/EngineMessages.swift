import Foundation
import Problems
import Tensors

/// The JSON objects of the engine protocol, one a line.
package enum EngineMessages {
  /// The versions that this program speaks, the preferred one last.
  static let protocolVersions = 1...2

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
    /// The version that the engine speaks from here on; absent: 1.
    var `protocol`: Int?
    var name: String
    var version: String
    var operations: [String]
    var dtypes: [String]
    var passes: [String]
    var omits: [String]?
    var nonfinite: Bool?
    var denormals: Bool?
    var deterministic: Bool?
    /// Where it computes; absent: `cpu`.
    var device: String?
    /// How it computes sums of products, by operation: ``AlgorithmMessage``.
    var algorithm: JSONValue?
    /// Whatever the engine likes to say.
    var info: JSONValue?
  }

  /// The member of `info` by which reports call what a built-in engine computes.
  package static let algorithmKey = "algorithm"
  /// The member of `info` by which an engine says what it keeps sums in where it computes in 16 bits.
  static let accumulateKey = "accumulate"

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

  struct Load: Codable, Sendable {
    var handle: String
    var set: Int
    var file: String
  }

  struct Time: Codable, Sendable {
    var handle: String
    /// Which sets are visited, in turn; absent in version 1, which knows one.
    var sets: [Int]?
    var iterations: Int
    var cold: Bool

    init(handle: String, sets: [Int]?, iterations: Int, cold: Bool) {
      self.handle = handle
      self.sets = sets
      self.iterations = iterations
      self.cold = cold
    }
  }

  struct Collect: Codable, Sendable {
    var handle: String
    var set: Int
    var output: String
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

extension EngineMessages.Description {
  /// What the engine likes to say, by name.
  var texts: [String: String] {
    switch info {
    case .object(let members): members.mapValues(\.text)
    case nil, .null: [:]
    case let other?: ["info": other.text]
    }
  }

  /// What the engine keeps sums in where it computes in 16 bits: float32 where it does not say.
  /// - Throws: ``EngineError/failed(_:detail:)`` for anything but a type of floats.
  func accumulate() throws(EngineError) -> DType {
    guard let name = texts[EngineMessages.accumulateKey] else { return .float32 }
    guard let dtype = DType(rawValue: name), dtype.format != nil else {
      let known = DType.floats.map(\.rawValue).joined(separator: ", ")
      throw .failed("hello: info.accumulate: expected one of \(known), found '\(name.printable)'")
    }
    return dtype
  }

  /// How the engine computes sums of products, by operation; nothing where it does not say, and in version 1.
  /// - Throws: ``EngineError/failed(_:detail:)`` for points that cannot serve, and the like.
  func algorithms(version: Int) throws(EngineError) -> [String: OperationAlgorithm] {
    guard version > 1 else { return [:] }
    do throws(AlgorithmMessage.Failure) { return try AlgorithmMessage.read(algorithm) } catch {
      throw .failed("hello: \(error)")
    }
  }
}
