import Engines
import Foundation
import Problems
import Tensors

/// What a library says of itself by `assay_library`; each member has the default that assay.h states.
struct LibraryDeclaration: Decodable {
  var name: String?
  var version: String?
  var operations: [String]?
  var dtypes: [String]?
  var omits: [String]?
  var deterministic: Bool?
  var nonfinite: Bool?
  var denormals: Bool?
  var alignment: Int?
  var validates: Bool?
  private var algorithm: JSONValue?
  /// What ``algorithm`` says.
  private(set) var algorithms: [String: OperationAlgorithm] = [:]
  var info: JSONValue?

  private enum CodingKeys: CodingKey {
    case name, version, operations, dtypes, omits, deterministic, nonfinite, denormals, alignment, validates, algorithm,
      info
  }

  init() {}

  /// - Throws: ``Problems/EngineError/failed(_:detail:)`` that names the member at fault.
  init(json: String, of path: String) throws(EngineError) {
    func wrong(_ what: String) -> EngineError { .failed("library \(path): assay_library: \(what)") }
    do { self = try JSONDecoder().decode(Self.self, from: Data(json.utf8)) } catch DecodingError.typeMismatch(
      let type, let context)
    {
      let member = context.codingPath.map(\.stringValue).joined(separator: ".")
      throw wrong("\(member.isEmpty ? "expected a JSON object" : "\(member): expected \(type)"), found another value")
    } catch { throw wrong("expected one JSON object, found '\(json.prefix(200).description.printable)'") }
    if let alignment {
      guard alignment > 0, alignment & (alignment - 1) == 0, alignment <= GuardedMemory.page else {
        throw wrong("alignment: expected a power of two up to \(GuardedMemory.page), found \(alignment)")
      }
    }
    do throws(AlgorithmMessage.Failure) { algorithms = try AlgorithmMessage.read(algorithm) } catch {
      throw wrong("\(error)")
    }
    for dtype in dtypes ?? [] where DType(rawValue: dtype)?.format == nil {
      let known = DType.floats.map(\.rawValue).joined(separator: ", ")
      throw wrong("dtypes: expected some of \(known), found '\(dtype.printable)'")
    }
  }

  /// What it likes to say, by name.
  var texts: [String: String] {
    switch info {
    case .object(let members): members.mapValues(\.text)
    case nil, .null: [:]
    case let other?: ["info": other.text]
    }
  }

  /// Bytes that the first element of a tensor of this type is aligned to.
  func alignment(of dtype: DType) -> Int { max(alignment ?? 1, dtype.byteCount) }
}
