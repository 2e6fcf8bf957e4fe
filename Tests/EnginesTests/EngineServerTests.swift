import Engines
import Foundation
import Problems
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
    #expect(found.contains(#""protocol":1"#))
    #expect(reply(server, #"{"id":1,"method":"hello","params":{"protocol":2}}"#).contains(#""protocol":2"#))
    #expect(
      reply(server, #"{"id":1,"method":"hello","params":{"protocol":3}}"#).contains("expected 1 to 2, found 3"))
  }

  @Test(arguments: [
    ("nonsense", "expected a request"), (#"{"id":4,"method":"dance","params":{}}"#, #""unsupported":"method dance""#),
    (#"{"id":4,"method":"compute","params":{}}"#, #""category":"internal""#),
    (#"{"id":4,"method":"time","params":{"handle":"8","iterations":1,"cold":false}}"#, "no handle 8"),
    // As the tool writes it; with blanks; with an escape, which only the JSON library reads; with something behind it.
    (#"{"id":4,"method":"time","params":{"cold":false,"handle":"8","iterations":1}}"#, "no handle 8"),
    (#"{"id": 4, "method": "time", "params": {"cold": true, "handle": "8", "iterations": 1}}"#, "no handle 8"),
    (#"{"id":4,"method":"time","params":{"cold":false,"handle":"\u0038","iterations":1}}"#, "no handle 8"),
    (#"{"id":4,"method":"time","params":{"cold":false,"handle":"8","iterations":1}}}"#, "expected a request"),
    (#"{"id":4,"method":"time","params":{"cold":false,"handle":"8","iterations":1e0}}"#, "no handle 8"),
    (
      #"{"id":4,"method":"compute","params":{"file":"/nowhere.h5","case":"/c","dtype":"float32","passes":[],"threads":1,"output":"/o"}}"#,
      "/nowhere.h5"
    ),
    // Counts are held to their ranges before anything is looked up, made or run.
    (
      #"{"id":4,"method":"time","params":{"handle":"8","iterations":-1,"cold":false}}"#,
      "iterations: expected 1 to 10000000, found -1"
    ),
    (#"{"id":4,"method":"time","params":{"cold":false,"handle":"8","iterations":1,"sets":[0,1]}}"#, "no handle 8"),
    (
      #"{"id":4,"method":"time","params":{"cold":false,"handle":"8","iterations":1,"sets":[]}}"#,
      "sets: expected at least one"
    ),
    (#"{"id":4,"method":"load","params":{"handle":"8","set":-1,"file":"/f"}}"#, "set: expected 0 to 65535, found -1"),
    (#"{"id":4,"method":"load","params":{"handle":"8","set":0,"file":"/f"}}"#, "no handle 8"),
    (#"{"id":4,"method":"collect","params":{"handle":"8","set":0,"output":"/f"}}"#, "no handle 8"),
    (
      #"{"id":4,"method":"time","params":{"handle":"8","iterations":0,"cold":false}}"#,
      "iterations: expected 1 to 10000000, found 0"
    ),
    (
      #"{"id":4,"method":"time","params":{"handle":"8","iterations":9223372036854775807,"cold":false}}"#,
      "iterations: expected 1 to 10000000, found 9223372036854775807"
    ),
    (
      #"{"id":4,"method":"compute","params":{"file":"/nowhere.h5","case":"/c","dtype":"float32","passes":[],"threads":0,"output":"/o"}}"#,
      "threads: expected 1 to 1024, found 0"
    ),
    (
      #"{"id":4,"method":"compute","params":{"file":"/nowhere.h5","case":"/c","dtype":"float32","passes":[],"threads":9223372036854775807,"output":"/o"}}"#,
      "threads: expected 1 to 1024, found 9223372036854775807"
    ),
    // Its own failure is no refusal of the input.
    (
      #"{"id":4,"method":"compute","params":{"file":"/nowhere.h5","case":"/c","dtype":"float32","passes":[],"threads":1,"output":"/o"}}"#,
      #""category":"internal""#
    ),
  ])
  func badRequestsGetAReply(request: String, expected: String) {
    let found = reply(EngineServer(ReferenceEngine()), request)
    #expect(found.contains(expected) && !found.contains("\n"), "\(found)")
  }
}
