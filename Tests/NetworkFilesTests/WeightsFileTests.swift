import Foundation
import GoldenFiles
import NetworkFiles
import Tensors
import TestSupport
import Testing

@Suite struct WeightsFileTests {
  private var file: WeightsFile {
    let weight = Tensor<Float>(splitMix64Uniform: [40, 40], seed: 1, low: -1, high: 1)
    let memory = WeightsFile.Checkpoint.Memory(step: 7, tensors: ["exp_avg": .float32(weight)])
    return WeightsFile(
      architecture: "simple_resnet", classCount: 10, width: 8,
      tensors: ["fc.weight": .float32(weight), "bn1.num_batches_tracked": .int64(Tensor(shape: [], elements: [3]))],
      checkpoint: .init(epochsDone: 2, settings: ["seed": "0"], optimizer: ["fc.weight": memory]))
  }

  @Test func comesBackAsItWas() throws {
    let folder = try TemporaryDirectory()
    let path = folder.file("weights.h5").path
    try file.write(to: path)
    #expect(try WeightsFile(contentsOf: path) == file)
  }

  @Test("who only judges reads all of a checkpoint but the optimiser's memory")
  func withoutOptimizer() throws {
    let folder = try TemporaryDirectory()
    let path = folder.file("weights.h5").path
    try file.write(to: path)
    var expected = file
    expected.checkpoint?.optimizer = [:]
    #expect(try WeightsFile(contentsOf: path, withOptimizer: false) == expected)
  }

  @Test func damageIsNeverTakenForWeights() throws {
    let folder = try TemporaryDirectory()
    let path = folder.file("weights.h5").path
    try file.write(to: path)
    let bytes = try Data(contentsOf: URL(filePath: path))
    for length in [0, 8, bytes.count / 2, bytes.count - 1] {
      try bytes.prefix(length).write(to: URL(filePath: path))
      #expect(throws: GoldenFileError.self, "cut to \(length) bytes") { try WeightsFile(contentsOf: path) }
    }
    #expect(throws: GoldenFileError.self) { try WeightsFile(contentsOf: folder.file("none.h5").path) }
    // A golden file is no weights file.
    let golden = Repository.fixtures.appending(path: "linear.h5").path
    #expect(throws: GoldenFileError.self) { try WeightsFile(contentsOf: golden) }
  }
}
