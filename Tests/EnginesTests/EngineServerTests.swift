import Engines
import Foundation
import Tensors
import TestSupport
import Testing

@Suite struct EngineServerTests {
  private func reply(_ server: EngineServer, _ request: String) -> String {
    String(decoding: server.answer(Data(request.utf8)), as: UTF8.self)
  }

  @Test func helloStatesTheEngine() throws {
    let server = EngineServer(ReferenceEngine())
    let found = reply(server, #"{"id":1,"method":"hello","params":{"protocol":1}}"#)
    #expect(found.contains(#""name":"reference""#) && found.contains("conv2d"))
    #expect(reply(server, #"{"id":1,"method":"hello","params":{"protocol":2}}"#).contains("protocol 1 is spoken here"))
  }

  @Test(arguments: [
    ("nonsense", "no request"), (#"{"id":4,"method":"dance","params":{}}"#, #""unsupported":"method dance""#),
    (#"{"id":4,"method":"compute","params":{}}"#, "invalid_argument"),
    (#"{"id":4,"method":"time","params":{"handle":"8","iterations":1,"cold":false}}"#, "no handle 8"),
    // As the tool writes it; with blanks; with an escape, which only the JSON library reads; with something behind it.
    (#"{"id":4,"method":"time","params":{"cold":false,"handle":"8","iterations":1}}"#, "no handle 8"),
    (#"{"id": 4, "method": "time", "params": {"cold": true, "handle": "8", "iterations": 1}}"#, "no handle 8"),
    (#"{"id":4,"method":"time","params":{"cold":false,"handle":"\u0038","iterations":1}}"#, "no handle 8"),
    (#"{"id":4,"method":"time","params":{"cold":false,"handle":"8","iterations":1}}}"#, "no request"),
    (#"{"id":4,"method":"time","params":{"cold":false,"handle":"8","iterations":1e0}}"#, "no handle 8"),
    (
      #"{"id":4,"method":"compute","params":{"file":"/nowhere.h5","case":"/c","dtype":"float32","passes":[],"threads":1,"output":"/o"}}"#,
      "/nowhere.h5"
    ),
  ])
  func badRequestsGetAReply(request: String, expected: String) {
    let found = reply(EngineServer(ReferenceEngine()), request)
    #expect(found.contains(expected) && !found.contains("\n"), "\(found)")
  }

  /// The built command serving over pipes computes what the engine does in this process, bit for bit.
  @Test(.enabled(if: FileManager.default.isExecutableFile(atPath: Repository.command.path(percentEncoded: false))))
  func servedEngineGivesTheSameBits() throws {
    let command = "'\(Repository.command.path(percentEncoded: false))' engine reference"
    guard let served = try? ProcessEngine(.init(name: "served", command: command)) else {
      return  // A command without the subcommand, from before it was built.
    }
    let x = Tensor<Float>(splitMix64Uniform: [2, 3, 7, 5], seed: 1, low: -1, high: 1)
    let weight = Tensor<Float>(splitMix64Uniform: [4, 3, 3, 3], seed: 2, low: -1, high: 1)
    let upstream = Tensor<Float>(splitMix64Uniform: [2, 4, 5, 3], seed: 3, low: 1, high: 2)
    let exercise = Exercise(
      name: "/conv2d/served", operation: "conv2d", inputs: ["x": .float32(x)], parameters: ["weight": .float32(weight)],
      upstream: ["y": .float32(upstream)], passes: [.forward, .backward], wanted: ["outputs/y", "gradients/x"])
    let here = try ReferenceEngine().compute(exercise)
    let there = try served.compute(exercise)
    #expect(here.outputs["y"] != nil && here.outputs == there.outputs)
    // Of an answer only what is wanted is read.
    #expect(here.gradients["x"] != nil && there.gradients == here.gradients.filter { $0.key == "x" })
    var wrong = exercise
    wrong.parameters = ["weight": .float32(Tensor(zeros: [4, 2, 3, 3]))]
    #expect {
      _ = try served.compute(wrong)
    } throws: { error in
      guard case EngineError.refused("shape_mismatch", _) = error else { return false }
      return true
    }
  }
}
