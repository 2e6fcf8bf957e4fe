import Engines
import Foundation
import Problems
import Tensors
import TestSupport

/// Engines that a shell can be: each says hello as it should and then behaves as the test wants.
enum MisbehavingEngine {
  static let hello =
    #"{"id":1,"result":{"name":"sh","version":"1","operations":["relu"],"dtypes":["float32"],"passes":["forward"]}}"#

  /// A command that reads the hello, answers it, reads one more request and runs `behaviour`.
  static func command(_ behaviour: String) -> String { "read l; echo '\(hello)'; read l; \(behaviour)" }

  static func engine(_ behaviour: String, timeout: Double = 20) throws(EngineError) -> ProcessEngine {
    try ProcessEngine(.init(name: "bad", command: command(behaviour), timeout: timeout))
  }

  static let exercise = Exercise(
    name: "/relu/case", operation: "relu",
    inputs: ["x": .float32(Tensor(shape: [1, 1, 2, 2], elements: [-1, 2, -3, 4]))])

  static func failure(of engine: ProcessEngine) -> String {
    do throws(EngineError) {
      _ = try engine.compute(exercise)
      return "no error"
    } catch { return "\(error)" }
  }
}
