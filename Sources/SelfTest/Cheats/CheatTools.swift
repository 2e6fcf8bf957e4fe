import Engines
import Foundation
import OperatingSystem
import Problems
import Results

/// What builds and starts engines that cheat: a C compiler, a Python with NumPy and h5py, and their sources.
public struct CheatTools: Sendable {
  /// Why a way has no engines here: one sentence.
  public struct Missing: Error, CustomStringConvertible, Hashable {
    public let description: String
  }

  private let sources: URL
  private let program: String
  private let compiler: Result<String, Missing>
  private let python: Result<String, Missing>
  /// Where libraries are built; gone with the last copy of this.
  private let folder: TemporaryFolder

  /// - Parameters:
  ///   - sources: the folder `Benchmarks/engines`.
  ///   - program: the path of `assay`, whose `host` command holds libraries.
  ///   - environment: this process's: `ASSAY_PYTHON` names the interpreter, else one of `.peers` or on the path is taken.
  public init(sources: URL, program: String, environment: [String: String] = ProcessInfo.processInfo.environment) {
    self.sources = sources
    self.program = program
    folder = TemporaryFolder()
    let folders = (environment["PATH"] ?? "").split(separator: ":").map(String.init)
    func found(_ name: String) -> [String] { folders.map { "\($0)/\(name)" }.filter { access($0, X_OK) == 0 } }
    compiler =
      found("cc").first.map { .success($0) } ?? .failure(Missing(description: "no C compiler (cc) is on the path"))
    let peers = sources.appending(path: "../../.peers/bin/python3").standardizedFileURL.path(percentEncoded: false)
    let candidates = environment["ASSAY_PYTHON"].map { [$0] } ?? [peers] + found("python3")
    python =
      candidates.first { ChildProcess.output(of: $0, ["-c", "import h5py, numpy"]) != nil }.map { .success($0) }
      ?? .failure(
        Missing(
          description: "no Python with NumPy and h5py: tried \(candidates.joined(separator: ", ")) (see ASSAY_PYTHON)"))
  }

  /// Starts one.
  /// - Parameters:
  ///   - cheat: which.
  ///   - name: what reports call it, where that is not its own name.
  ///   - protocolVersion: the highest that is spoken with it; `nil` for the highest of all.
  /// - Throws: ``Missing`` without the tool that it needs; ``Problems/EngineError`` where it does not start, a mistake of its own.
  func engine(_ cheat: Cheat, named name: String? = nil, protocolVersion: Int? = nil) throws -> any Engine {
    let name = name ?? cheat.engineName
    if cheat.way == .training {
      guard let trick = TrainingCheat.Trick(rawValue: cheat.trick) else {
        preconditionFailure("\(cheat.trick) is no trick of training")
      }
      return TrainingCheat(trick, name: name)
    }
    var declaration: ProcessEngine.Declaration
    switch cheat.way {
    case .library:
      let library = LibraryWord(library: "\(name)=\(try compiled(cheat.trick))")
      declaration = try EngineCatalog(builtIn: [], host: program).declaration(of: library)
    default:
      let script = sources.appending(path: "cheats/cheats.py").path(percentEncoded: false)
      let words = [try python.get(), script, "--trick", cheat.trick]
      declaration = ProcessEngine.Declaration(name: name, command: "exec \(ShellCommand(words))")
    }
    if let protocolVersion { declaration.highestProtocol = protocolVersion }
    return try ProcessEngine(declaration)
  }

  private func compiled(_ trick: String) throws -> String {
    let library = folder.path + "/\(trick).so"
    let include = sources.appending(path: "include").path(percentEncoded: false)
    let source = sources.appending(path: "cheats/cheats.c").path(percentEncoded: false)
    let words = ["-O2", "-fPIC", "-shared", "-pthread", "-DTRICK=\(trick)", "-I", include, "-o", library, source]
    guard ChildProcess.output(of: try compiler.get(), words) != nil else {
      throw Missing(description: "\(try compiler.get()) does not compile \(source) for \(trick)")
    }
    return library
  }
}

/// A folder of temporaries that is removed with its owner, or when the program ends.
private final class TemporaryFolder: Sendable {
  let path: String

  init() {
    path = FileManager.default.temporaryDirectory.appending(path: Leftovers.uniqueName("assay-cheats")).path(
      percentEncoded: false)
    Leftovers.register(path: path)
    // One that cannot be made is noticed when something is built in it.
    try? FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit { Leftovers.remove(path: path) }
}
