import ArgumentParser
import Engines
import Foundation
import GoldenFiles

/// What engines in other processes see of this one: the same two options in every command that starts one.
struct EngineSurroundingsOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      """
      A variable of the environment that engines in other processes get, beside PATH, HOME, TMPDIR and those of languages, \
      threads and library paths. May be repeated.
      """, valueName: "name"))
  var passEnv: [String] = []

  @Flag(
    help: """
      Start engines in other processes without network, in a process space of their own, with a read-only file system, and \
      without golden files (bubblewrap).
      """)
  var sandbox = false

  func validate() throws {
    if let name = passEnv.first(where: { $0.isEmpty || $0.contains("=") }) {
      throw ValidationError("--pass-env: expected the name of a variable, found '\(name.printable)'.")
    }
  }

  /// - Parameter golden: the golden files of the run, which no engine in a sandbox can read; nor can it the corpus.
  /// - Throws: `ValidationError` where a sandbox is asked for and not possible.
  func surroundings(hiding golden: [String] = []) throws -> EngineSurroundings {
    var surroundings = EngineSurroundings(passedVariables: passEnv)
    guard sandbox else { return surroundings }
    do throws(Sandbox.Impossible) {
      surroundings.sandbox = try Sandbox(
        hiding: [Resources().path(GoldenCorpus.standardFolder) ?? GoldenCorpus.standardFolder] + golden,
        environment: ProcessInfo.processInfo.environment)
    } catch { throw ValidationError("\(error)") }
    return surroundings
  }

  /// The words that give them again, for commands that repeat a run.
  var words: [String] { passEnv.flatMap { ["--pass-env", $0] } + (sandbox ? ["--sandbox"] : []) }
}
