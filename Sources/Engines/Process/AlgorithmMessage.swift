import Problems
import Tensors

/// The member `algorithm` of `hello` and of `assay_library`: how an engine computes the sums of products of each operation.
///
///     {"conv2d":{"kinds":["direct","winograd"],"winograd":{"4x3":{"points":[0,1,-1,0.5,-2]}},"strassen_levels":1,
///      "accumulate":"float32"}}
///
/// Members that it does not know are ignored.
package enum AlgorithmMessage {
  private static let direct = "direct"
  private static let winograd = "winograd"

  /// Why a declaration cannot be judged: the member at fault, what it may hold, and what it holds.
  package struct Failure: Error, Equatable, CustomStringConvertible {
    package let member: String
    package let problem: String

    package var description: String {
      (["algorithm"] + (member.isEmpty ? [] : [member])).joined(separator: ".").printable + ": \(problem)".printable
    }
  }

  package static func read(_ value: JSONValue?) throws(Failure) -> [String: OperationAlgorithm] {
    guard let value, value != .null else { return [:] }
    var algorithms: [String: OperationAlgorithm] = [:]
    for (operation, entry) in try object(value, "", of: "operations") {
      algorithms[operation] = try algorithm(object(entry, operation, of: "kinds, winograd …"), operation)
    }
    return algorithms
  }

  private static func algorithm(
    _ entry: [String: JSONValue], _ operation: String
  ) throws(Failure) -> OperationAlgorithm {
    var tiles: [SumAlgorithm] = []
    for (key, tile) in try object(entry[winograd] ?? .object([:]), "\(operation).winograd", of: "tiles such as 4x3") {
      tiles.append(.winograd(try self.tile(tile, key, "\(operation).winograd.\(key)")))
    }
    let kinds = try kinds(entry["kinds"], "\(operation).kinds", hasTiles: !tiles.isEmpty)
    if kinds.contains(winograd), tiles.isEmpty {
      throw Failure(
        member: "\(operation).kinds", problem: "winograd needs the points of its tiles in the member winograd")
    }
    var sums = Set(kinds.contains(winograd) ? tiles : [])
    if kinds.contains(direct) { sums.insert(.terms) }
    if let levels = try levels(entry["strassen_levels"], "\(operation).strassen_levels") {
      sums.formUnion([.terms, .strassen(levels: levels)])
    }
    return OperationAlgorithm(sums, accumulate: try accumulate(entry["accumulate"], "\(operation).accumulate"))
  }

  /// Absent: whatever is described, and direct sums.
  private static func kinds(_ value: JSONValue?, _ member: String, hasTiles: Bool) throws(Failure) -> Set<String> {
    let known = [direct, winograd]
    guard let value else { return hasTiles ? [direct, winograd] : [direct] }
    guard case .array(let elements) = value, !elements.isEmpty else {
      throw Failure(member: member, problem: "expected a list of \(known.joined(separator: ", ")), found \(value.text)")
    }
    for element in elements where !known.contains(element.text) {
      throw Failure(member: member, problem: "expected \(known.joined(separator: " or ")), found '\(element.text)'")
    }
    return Set(elements.map(\.text))
  }

  private static func tile(_ value: JSONValue, _ key: String, _ member: String) throws(Failure) -> WinogradTile {
    let members = try object(value, member, of: "points and channels")
    var tile = try tile(key, points: members["points"], member)
    if let channels = members["channels"] {
      guard case .integer(let least) = channels, least >= 1 else {
        throw Failure(member: "\(member).channels", problem: "expected 1 or more, found \(channels.text)")
      }
      tile.leastChannels = least
    }
    return tile
  }

  private static func tile(_ key: String, points: JSONValue?, _ member: String) throws(Failure) -> WinogradTile {
    let sizes = key.split(separator: "x", omittingEmptySubsequences: false).compactMap { Int($0) }
    do throws(WinogradTileError) {
      guard sizes.count == 2, "\(sizes[0])x\(sizes[1])" == key else { throw .notATile(key) }
      switch points {
      case .text(let name):
        guard let preset = WinogradPreset(rawValue: name) else { throw .unknownPreset(name) }
        return try WinogradTile(outputTile: sizes[0], kernelSize: sizes[1], preset: preset)
      case .array(let elements):
        let numbers = elements.compactMap(\.real)
        guard numbers.count == elements.count else { throw .unknownPreset(points?.text ?? "") }
        return try WinogradTile(outputTile: sizes[0], kernelSize: sizes[1], points: numbers)
      default: throw .unknownPreset(points?.text ?? "nothing")
      }
    } catch { throw Failure(member: member, problem: "\(error)") }
  }

  private static func levels(_ value: JSONValue?, _ member: String) throws(Failure) -> Int? {
    guard let value else { return nil }
    guard case .integer(let levels) = value, (0...SumAlgorithm.mostLevels).contains(levels) else {
      throw Failure(member: member, problem: "expected 0 to \(SumAlgorithm.mostLevels), found \(value.text)")
    }
    return levels > 0 ? levels : nil
  }

  private static func accumulate(_ value: JSONValue?, _ member: String) throws(Failure) -> DType? {
    guard let value else { return nil }
    guard let dtype = DType(rawValue: value.text), dtype.format != nil else {
      let known = DType.floats.map(\.rawValue).joined(separator: ", ")
      throw Failure(member: member, problem: "expected one of \(known), found '\(value.text)'")
    }
    return dtype
  }

  private static func object(
    _ value: JSONValue, _ member: String, of content: String
  ) throws(Failure) -> [String: JSONValue] {
    guard case .object(let members) = value else {
      throw Failure(member: member, problem: "expected an object of \(content), found \(value.text)")
    }
    return members
  }

  /// The same as JSON; `nil` where nothing is declared.
  static func write(_ algorithms: [String: OperationAlgorithm]) -> JSONValue? {
    algorithms.isEmpty ? nil : .object(algorithms.mapValues(entry))
  }

  private static func entry(_ algorithm: OperationAlgorithm) -> JSONValue {
    var members: [String: JSONValue] = [:]
    var (kinds, tiles): (Set<String>, [String: JSONValue]) = ([], [:])
    for sum in algorithm.sums {
      switch sum {
      case .terms: kinds.insert(direct)
      case .winograd(let tile):
        kinds.insert(winograd)
        let points = tile.preset.map { JSONValue.text($0.rawValue) } ?? .array(tile.points.map(JSONValue.number))
        let least = tile.leastChannels > 1 ? ["channels": JSONValue.integer(tile.leastChannels)] : [:]
        tiles[tile.key] = .object(["points": points].merging(least) { $1 })
      case .strassen(let levels): members["strassen_levels"] = .integer(levels)
      }
    }
    if !kinds.isEmpty { members["kinds"] = .array(kinds.sorted().map(JSONValue.text)) }
    if !tiles.isEmpty { members[winograd] = .object(tiles) }
    if let accumulate = algorithm.accumulate { members["accumulate"] = .text(accumulate.rawValue) }
    return .object(members)
  }
}

extension JSONValue {
  fileprivate var real: Double? {
    switch self {
    case .integer(let value): Double(value)
    case .number(let value): value
    default: nil
    }
  }
}
