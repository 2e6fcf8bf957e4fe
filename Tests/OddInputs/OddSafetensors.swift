import Foundation
import NetworkFiles
import OperatingSystem
import TestSupport

/// Weights as safetensors: headers of parts that fit each other, or nearly do, and what is no header at all.
struct OddSafetensors: OddFile {
  static let name = "safetensors"
  static let share = 3
  static let ending = "safetensors"
  private let folder: TemporaryDirectory

  init() throws { folder = try TemporaryDirectory() }

  mutating func react(to random: inout OddRandom) throws -> Reaction {
    let path = folder.file("odd.safetensors").path
    try Self.write(path, &random)
    do {
      let file = try WeightsFile(contentsOf: path)
      _ = try file.network(from: path)
      return .accepted
    } catch { return .badData }
  }

  static func write(_ path: String, _ random: inout OddRandom) throws {
    var data: [UInt8] = []
    var members: [String] = []
    if random.chance(60) {
      let metadata = ["schema": "assay.weights", "architecture": "resnet18", "num_classes": "2", "epochs_done": "1"]
      let texts = metadata.sorted { $0.key < $1.key }.filter { _ in random.chance(90) }.map { key, text in
        "\(quoted(key, &random)):\(quoted(random.chance(85) ? text : random.word(), &random))"
      }
      members.append("\"__metadata__\":{\(texts.joined(separator: ","))}")
    }
    for _ in 0..<random.below(5) {
      let name =
        random.chance(70)
        ? random.pick(["fc.weight", "fc.bias", "optimizer.fc.bias.step", "training.history", "layer1.0.conv1.weight"])
        : random.word()
      let shape = (0..<random.below(4)).map { _ in random.chance(92) ? 1 + random.below(4) : random.integer() }
      let type = random.pick([("F32", 4), ("F16", 2), ("I64", 8), ("BOOL", 1), ("F64", 8), ("U64", 8), ("F8_E4M3", 1)])
      let count = shape.reduce(type.1) { (0...1 << 16).contains($0) && (0...64).contains($1) ? $0 * $1 : 1 << 16 }
      let length = random.chance(92) ? count : random.below(40)
      let begin = random.chance(95) ? data.count : random.integer()
      let end = random.chance(95) ? begin &+ length : random.integer()
      data += (0..<length).map { _ in random.chance(50) ? 0 : UInt8(random.below(256)) }
      members.append(
        "\(quoted(name, &random)):{\"dtype\":\"\(type.0)\",\"shape\":\(shape),\"data_offsets\":[\(begin),\(end)]}")
    }
    var header = Array("{\(members.joined(separator: ","))}".utf8)
    if random.chance(15), !header.isEmpty {
      header = DamagedBytes(seed: random.bits(), of: header, start: header.count).bytes
    }
    let length =
      random.chance(92) ? UInt64(header.count) : random.chance(50) ? random.bits() : UInt64(random.below(300))
    let start = (0..<8).map { UInt8(truncatingIfNeeded: length >> (8 * UInt64($0))) }
    try AtomicFile.write(Data(start + header + data), to: path)
  }

  /// A text as JSON has it, or nearly.
  private static func quoted(_ text: String, _ random: inout OddRandom) -> String {
    random.chance(95) ? "\"\(text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\""))\"" : "\"\(text)\""
  }
}
