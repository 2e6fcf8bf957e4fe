import Engines
import Foundation
import GoldenFiles
import Problems
import StrategyEngines
import Tensors
import TestSupport

/// Lines to a served engine: requests with odd members, on files that are right and on files that are not, and garbage.
struct OddRequests: OddInput {
  static let name = "engine request"
  static let share = 18
  private let folder: TemporaryDirectory
  private let server: EngineServer
  private let files: [String]

  init() throws {
    folder = try TemporaryDirectory()
    server = EngineServer(BuiltInEngines.named("direct") ?? ReferenceEngine(), limits: .unlisted)
    var files: [String] = []
    for (index, padding) in [1, 100_000, -1, Int.max].enumerated() {
      let path = folder.file("\(index).h5").path
      let asked = Exercise(
        name: "/c", operation: "conv2d", attributes: Attributes(["padding": .integer(padding)]),
        inputs: ["x": .float32(Tensor(splitMix64Uniform: [1, 2, 4, 4], seed: 1, low: -1, high: 1))],
        parameters: ["weight": .float32(Tensor(splitMix64Uniform: [2, 2, 3, 3], seed: 2, low: -1, high: 1))])
      try ExchangeFile.writeRequest(asked, case: asked.name, to: path)
      files.append(path)
    }
    self.files = files
  }

  mutating func describe(_ random: inout OddRandom) -> String { String(decoding: line(&random), as: UTF8.self) }

  mutating func react(to random: inout OddRandom) throws -> Reaction {
    let reply = server.answer(line(&random))
    let members = try JSONSerialization.jsonObject(with: reply) as? [String: Any] ?? [:]
    return members["result"] == nil ? .badData : .accepted
  }

  private func line(_ random: inout OddRandom) -> Data {
    if random.chance(10) { return Data((0..<random.below(200)).map { _ in UInt8(random.below(256)) }) }
    if random.chance(3) {
      let depth = 1 << random.below(17)
      return Data((String(repeating: "[", count: depth) + String(repeating: "]", count: depth)).utf8)
    }
    func number() -> String { random.chance(30) ? "\(random.real())" : "\(random.integer())" }
    func text() -> String {
      let data = (try? JSONSerialization.data(withJSONObject: [random.word()])) ?? Data("[\"\"]".utf8)
      return String(decoding: data.dropFirst().dropLast(), as: UTF8.self)
    }
    func value() -> String {
      switch random.below(7) {
      case 0: number()
      case 1: text()
      case 2: "null"
      case 3: "true"
      case 4: "1e\(random.below(500))"
      case 5: "[\(number())]"
      default: "{}"
      }
    }
    let method =
      random.chance(95) ? random.pick(["hello", "compute", "prepare", "time", "time", "release"]) : random.word()
    var members: [String] = []
    func add(_ name: String, _ usual: String) {
      if random.chance(4) { return }
      members.append("\"\(name)\":\(random.chance(15) ? value() : usual)")
    }
    switch method {
    case "hello": add("protocol", random.pick(["1", "2", "0"]))
    case "compute", "prepare":
      add("file", "\"\(random.chance(90) ? random.pick(files) : "/dev/zero")\"")
      add("case", random.chance(90) ? "\"/c\"" : text())
      add("dtype", random.pick(["\"float32\"", "\"float64\"", "\"int64\""]))
      add("passes", random.pick(["[\"forward\"]", "[\"forward\",\"backward\"]", "[]"]))
      add("pass", random.pick(["\"forward\"", "\"backward_data\"", "\"backward_weights\""]))
      add("layout", random.pick(["\"nchw\"", "\"native\""]))
      add("threads", random.chance(80) ? "1" : "\(random.integer())")
      add("output", "\"\(folder.file("out.h5").path)\"")
    default:
      add("handle", "\"\(1 + random.below(3))\"")
      add(
        "iterations",
        random.chance(60) ? "\(1 + random.below(5))" : "\(random.pick([-1, 0, .max, .min, 1_000_000_000_000]))")
      add("cold", "false")
    }
    if random.chance(3) { members.shuffle(using: &random) }
    let id = random.chance(90) ? "\(random.below(100))" : value()
    return Data(
      "{\"id\":\(id),\"method\":\"\(method.filter { $0 != "\"" })\",\"params\":{\(members.joined(separator: ","))}}"
        .utf8)
  }
}
