import Foundation
import HDF5
import TestSupport
import Testing

/// The exit-code table's own files, made once.
enum ExitCodeTableFiles {
  static let folder = Result { try make() }

  private static func make() throws -> TemporaryDirectory {
    let folder = try TemporaryDirectory()
    let served = "'\(Repository.command.path)' engine reference"
    let answersOnce = "read line\nprintf '%s\\n' \"$line\" | \(served)\n"
    let suite = "problems = [\"conv2d n1c16h6w6 k16r3s3 stride1 pad1\"]\nengines = [\"direct\"]\n"
    for (name, text) in [
      ("bad.h5", "nonsense"), ("bad/bad.h5", "nonsense"), ("cut/run.json", "{\"schema\":\"assay.run\","),
      ("dies.sh", answersOnce + "read line\nexit 3\n"), ("hangs.sh", answersOnce + "exec sleep 60\n"),
      // It answers in another precision than it was asked for.
      ("wrong.sh", "sed -u 's/\"float32\"/\"float64\"/' | \(served)\n"),
      ("tiny.toml", suite + "blocks = 6\nslice_ms = 0.2\n"), ("long.toml", suite + "blocks = 60\nslice_ms = 200\n"),
    ] {
      let file = folder.file(name)
      try FileManager.default.createDirectory(
        at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
      try Data(text.utf8).write(to: file)
    }
    let trials = Repository.root.appending(path: "Tests/Trials")
    try FileManager.default.createDirectory(at: folder.file("weak"), withIntermediateDirectories: true)
    try FileManager.default.copyItem(
      at: trials.appending(path: "H14_old.h5"), to: folder.file("weak").appending(path: "one.h5"))
    try slower(than: trials.appending(path: "M_old.json"), at: folder.file("slower.json"))
    try images(at: folder.file("images.h5").path)
    let out = ["--out", folder.file("weights.h5").path]
    for (words, code) in [
      (["verify", "-q", "--golden", trials.appending(path: "H14_old.h5").path, "--out", folder.file("good").path], 0),
      (
        [
          "verify", "-q", "--golden", trials.appending(path: "H12_a_star_is_a_name.h5").path, "--out",
          folder.file("failed").path,
        ], 1
      ),
      (
        [
          "verify", "-q", "--tag", "smoke", "--filter", "relu/*", "--shard", "1/2", "--out", folder.file("shard1").path,
        ], 0
      ),
      (
        [
          "train", "--data", trials.appending(path: "X_sixteen_images.h5").path, "--model", "cifar_resnet8", "--width",
          "64", "--batch", "8", "--epochs", "1",
        ] + out, 0
      ),
    ] as [([String], Int32)] {
      let run = try CommandRun(words)
      #expect(run.exitCode == code, "\(words): \(run.output)\(run.errors)")
    }
    return folder
  }

  /// The same run, in which everything took twice as long but for the calibration.
  private static func slower(than old: URL, at new: URL) throws {
    let run = try JSONSerialization.jsonObject(with: Data(contentsOf: old))
    try JSONSerialization.data(withJSONObject: doubled(run)).write(to: new)
  }

  private static func doubled(_ json: Any) -> Any {
    switch json {
    case let list as [Any]: list.map(doubled)
    case let object as [String: Any]:
      object.reduce(into: [String: Any]()) { new, entry in
        if entry.key == "ceilings" {
          new[entry.key] = entry.value
        } else if entry.key.hasSuffix("_nanoseconds"), let time = entry.value as? Double {
          new[entry.key] = 2 * time
        } else if entry.key == "samples", let blocks = entry.value as? [String] {
          new[entry.key] = blocks.map { block in
            block.split(separator: " ").map { Int($0).map { "\(2 * $0)" } ?? "\($0)" }.joined(separator: " ")
          }
        } else {
          new[entry.key] = doubled(entry.value)
        }
      }
    default: json
    }
  }

  /// Images that the network of `weights.h5` has to do with for more than ten seconds.
  private static func images(at path: String) throws {
    let shape = [1_024, 1, 128, 128]
    try HDF5File.create(path) { root in
      try root.createDataset("images", shape: shape, values: [UInt8](repeating: 0, count: shape.reduce(1, *)))
      try root.createDataset("labels", shape: [shape[0]], values: (0..<shape[0]).map { Int64($0 % 4) })
    }
  }
}
