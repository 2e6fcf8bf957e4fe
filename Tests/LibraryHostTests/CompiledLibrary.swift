import Engines
import Foundation
import Problems
import TestSupport
import Testing
import Tensors

/// A shared library that a test compiles from `Libraries/relu.c`, and the engine that it is.
struct CompiledLibrary {
  /// The host is the built command.
  static let catalog = EngineCatalog(builtIn: [], host: Repository.command.path(percentEncoded: false))
  static let headers = Repository.root.appending(path: "Benchmarks/engines/include").path(percentEncoded: false)

  let folder: TemporaryDirectory
  let path: String

  /// - Parameter defines: which way it is wrong, as the compiler's -D has it.
  init(_ defines: String...) throws {
    folder = try TemporaryDirectory()
    path = folder.file("librelu.so").path(percentEncoded: false)
    let source = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Libraries/relu.c")
    let run = try CommandRun(
      ["-O1", "-w", "-fPIC", "-shared", "-pthread", "-I", Self.headers] + defines.map { "-D\($0)" }
        + ["-o", path, source.path(percentEncoded: false), "-lm"], of: "/usr/bin/cc")
    try #require(run.exitCode == 0, "\(run.errors)")
  }

  /// - Parameter symbols: in the word's form, with a blank ahead.
  func engine(symbols: String = "") throws -> any Engine {
    try Self.catalog.engine("library:\(path)\(symbols)", timeout: 20)
  }

  /// Of 27 elements, so that neither a vector nor a page ends where it does.
  static let x = Tensor<Float>(shape: [1, 3, 3, 3], elements: (0..<27).map { Float($0) - 13.5 })
  static let exercise = Exercise(name: "/case", operation: "relu", inputs: ["x": .float32(x)], wanted: ["outputs/y"])
  static let right = AnyTensor.float32(x.map { max($0, 0) })

  /// What the engine answers, or the error in its words.
  static func outcome(of engine: any Engine, _ exercise: Exercise = exercise) -> String {
    do throws(EngineError) {
      let answer = try engine.compute(exercise)
      return answer.outputs["y"] == right ? "right" : "wrong"
    } catch { return "\(error)" }
  }
}
