import Foundation
import TestSupport
import Testing

/// A Python with the peers: the environment's ASSAY_PEERS, or the one that `make peers` makes.
enum Peers {
  static let python: String? = {
    let own = Repository.root.appending(path: ".peers/bin/python3").path
    return ProcessInfo.processInfo.environment["ASSAY_PEERS"]
      ?? (FileManager.default.isExecutableFile(atPath: own) ? own : nil)
  }()

  /// Whether it has a module, by what it says itself.
  static func has(_ module: String) -> Bool {
    guard let python else { return false }
    return (try? CommandRun(["-c", "import importlib.util as i; exit(not i.find_spec('\(module)'))"], of: python))?
      .exitCode == 0
  }

  /// oneDNN's library, where `make peers` found a compiler to build it.
  static let hasLibrary = FileManager.default.fileExists(
    atPath: Repository.root.appending(path: ".peers/onednn.so").path)
}

/// What the engines in Python get wrong, or got: for a machine that has them.
@Suite(.enabled(if: Peers.python != nil, "`make peers` has not been run, and ASSAY_PEERS names no Python"))
struct PeerTrialTests {
  private func verify(_ engine: String, _ script: String, _ more: [String]) throws -> CommandRun {
    let python = try #require(Peers.python)
    return try CommandRun(
      ["verify", "--jobs", "1", "--engine", "\(engine)=\(python) Benchmarks/engines/\(script)"] + more)
  }

  private func trial(_ name: String) -> [String] {
    // The file alone: what fresh cases find of these engines is in Fixtures/README.md.
    ["--fresh", "0", "--golden", Repository.root.appending(path: "Tests/Trials/\(name).h5").path]
  }

  @Test(arguments: [
    "H2_padding_as_one_string_array", "U2_bilinear_axis_keeps_its_size", "U2_nearest_axis_keeps_its_size",
    "X_infinite_weight_padded", "X_infinite_cotangent_padded",
  ]) func `PyTorch holds`(file: String) throws {
    let run = try verify("pytorch", "pytorch.py", trial(file))
    #expect(run.exitCode == 0, "\(run.output)\(run.errors)")
  }

  @Test func `ONNX Runtime pads a dilated kernel`() throws {
    let run = try verify(
      "onnxruntime", "onnxruntime_engine.py", trial("X_same_padding_dilated") + ["--dtype", "float32"])
    #expect(run.exitCode == 0, "\(run.output)\(run.errors)")
  }

  /// Small problems of the layers that every inference engine has, those that are refused among them.
  private static let smoke =
    ["conv2d", "linear", "batch_norm2d", "relu", "avg_pool2d", "add"].flatMap { ["--filter", "/\($0)/*"] }
    + ["--dtype", "float32", "--tag", "smoke", "--fresh", "2"]

  @Test(.enabled(if: Peers.has("ncnn"), "this Python has no ncnn")) func `ncnn holds`() throws {
    let run = try verify("ncnn", "ncnn_engine.py", Self.smoke)
    #expect(run.exitCode == 0, "\(run.output)\(run.errors)")
  }

  @Test(.enabled(if: Peers.has("MNN"), "this Python has no MNN")) func `MNN holds`() throws {
    let run = try verify("mnn", "mnn_engine.py", Self.smoke)
    #expect(run.exitCode == 0, "\(run.output)\(run.errors)")
  }

  /// By the name that engines.toml gives a library.
  @Test(.enabled(if: Peers.hasLibrary, "`make peers` has built no onednn.so")) func `oneDNN holds`() throws {
    let run = try CommandRun(["verify", "--jobs", "1", "--engine", "onednn"] + Self.smoke)
    #expect(run.exitCode == 0, "\(run.output)\(run.errors)")
  }

  /// Without a size, with two, and with aligned corners where nothing is interpolated.
  @Test func `PyTorch refuses upsamplings that mean nothing`() throws {
    let run = try verify("pytorch", "pytorch.py", ["--filter", "upsample2d/refuse/*"])
    #expect(run.exitCode == 0, "\(run.output)\(run.errors)")
    #expect(!run.output.contains("excused"), "\(run.output)")
  }

  @Test func `a convolution of NumPy's holds`() throws {
    let run = try verify("numpy", "numpy_conv2d.py", ["--filter", "conv2d/*"])
    #expect(run.exitCode == 0, "\(run.output)\(run.errors)")
  }

  /// The package that engines in Python are written with has tests of its own, which use this program for verdicts.
  @Test func `the Python package passes its tests`() throws {
    let package = Repository.root.appending(path: "Benchmarks/engines/python").path
    let run = try CommandRun(
      ["-m", "unittest", "discover", "--start-directory", "\(package)/tests", "--top-level-directory", package],
      of: try #require(Peers.python), environment: ["ASSAY": Repository.command.path(percentEncoded: false)])
    #expect(run.exitCode == 0, "\(run.errors)")
  }
}
