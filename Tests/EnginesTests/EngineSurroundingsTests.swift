import Engines
import Foundation
import Tensors
import TestSupport
import Testing

/// What an engine in another process sees: few variables, and in a sandbox little else.
@Suite struct EngineSurroundingsTests {
  /// Runs `line` as an engine that says hello and ends; what it printed to a file is what it saw.
  private func seen(
    _ line: String, by surroundings: EngineSurroundings
  ) throws -> [String] {
    var declaration = ProcessEngine.Declaration(
      name: "looking", command: "(\(line)) >&2; read l; echo '\(MisbehavingEngine.hello)'; read l; exit 3")
    declaration.surroundings = surroundings
    let failure = MisbehavingEngine.failure(of: try ProcessEngine(declaration))
    return failure.split(separator: "\n").map(String.init)
  }

  @Test func `variables are those that find libraries and count threads, and those that are named`() throws {
    let passed = [
      "PATH", "HOME", "TMPDIR", "LC_ALL", "OMP_PROC_BIND", "NUMEXPR_NUM_THREADS", "CUDA_VISIBLE_DEVICES", "NAMED",
    ]
    let kept = ["GITHUB_TOKEN", "AWS_SECRET_ACCESS_KEY", "SSH_AUTH_SOCK", "NAMED_TOO", "PATHS", "THREADS"]
    let environment = Dictionary(uniqueKeysWithValues: (passed + kept).map { ($0, "of \($0)") })
    let surroundings = EngineSurroundings(passedVariables: ["NAMED"])
    let found = surroundings.variables(of: environment, temporaries: "/exchange")
    #expect(found == environment.filter { passed.contains($0.key) })
  }

  /// What a process sees is that and no more; the variables of this process are not touched, which other tests read meanwhile.
  @Test func `an engine's process has these variables`() throws {
    let lines = try seen("env | cut -d= -f1 | sort | tr '\\n' ' '", by: EngineSurroundings())
    let names = try #require(lines.first { $0.contains("PATH ") }).split(separator: " ").map(String.init)
    // A shell sets these itself, and a child is known by the last.
    let own: Set = ["PWD", "OLDPWD", "SHLVL", "_", "ASSAY_DESCENDANT_OF"]
    let given = EngineSurroundings().variables(of: ProcessInfo.processInfo.environment, temporaries: "")
    #expect(Set(names).subtracting(own) == Set(given.keys).subtracting(own), "\(names)")
  }

  /// Where there can be no sandbox, the reason is what is tested.
  @Test func `a sandbox has no network, no other process, one folder to write to and no golden file`() throws {
    let folder = try TemporaryDirectory()
    let (golden, outside) = (folder.file("golden.h5").path, folder.file("outside").path)
    let hidden = folder.file("corpus")
    try FileManager.default.createDirectory(at: hidden, withIntermediateDirectories: true)
    for path in [golden, hidden.appending(path: "a.h5").path] {
      try Data("answers".utf8).write(to: URL(fileURLWithPath: path))
    }
    let sandbox: Sandbox
    do throws(Sandbox.Impossible) {
      sandbox = try Sandbox(hiding: [golden, hidden.path], environment: ProcessInfo.processInfo.environment)
    } catch {
      #expect(error.description.hasPrefix("--sandbox: expected "), "\(error)")
      #expect(error.description.count > 40)
      return
    }
    let surroundings = EngineSurroundings(sandbox: sandbox)
    let look = """
      echo interfaces $(tail -n +3 /proc/net/dev | cut -d: -f1); cat '\(golden)' 2>/dev/null | grep answers || echo no answers; \
      echo corpus $(ls '\(hidden.path)' | wc -l); touch '\(outside)' 2>/dev/null || echo read-only; \
      touch "$TMPDIR/mine" && echo written; ls /proc | grep -c '^[0-9]'
      """
    let lines = try seen(look, by: surroundings)
    #expect(lines.contains("interfaces lo") && lines.contains("no answers") && lines.contains("corpus 0"), "\(lines)")
    #expect(lines.contains("read-only") && lines.contains("written"), "\(lines)")
    #expect(!FileManager.default.fileExists(atPath: outside))
    // bubblewrap, the shells and what they run.
    #expect(lines.compactMap { Int($0) }.contains { $0 <= 8 }, "\(lines)")
  }

  @Test func `an engine answers from a sandbox, or the reason is said why there is none`() throws {
    var declaration = ProcessEngine.Declaration(
      name: "served", command: "'\(Repository.command.path(percentEncoded: false))' engine reference")
    do throws(Sandbox.Impossible) {
      declaration.surroundings.sandbox = try Sandbox(hiding: [], environment: ProcessInfo.processInfo.environment)
    } catch {
      #expect(error.description.hasPrefix("--sandbox: expected "), "\(error)")
      return
    }
    let answer = try ProcessEngine(declaration).compute(MisbehavingEngine.exercise)
    #expect(answer.outputs["y"]?.doubles.elements == [0, 2, 0, 4])
  }

  @Test func `without bubblewrap there is no sandbox`() throws {
    #expect(throws: Sandbox.Impossible.self) { try Sandbox(hiding: [], environment: ["PATH": "/nonexistent"]) }
  }
}
