import Foundation
import HDF5
import NetworkFiles
import TestSupport

/// Files of images, of weights and of logits for the commands about networks.
struct OddImages: OddFile {
  static let name = "images or weights"
  static let share = 6
  private let folder: TemporaryDirectory

  init() throws { folder = try TemporaryDirectory() }

  mutating func react(to random: inout OddRandom) throws -> Reaction {
    let path = folder.file("odd.h5").path
    let isImages: Bool
    do { isImages = try Self.write(path, &random) } catch is HDF5Error { return .inconclusive }
    do {
      if isImages {
        _ = try ImagesFile(contentsOf: path).classCount
      } else {
        _ = try WeightsFile(contentsOf: path)
      }
      return .accepted
    } catch { return .badData }
  }

  static func write(_ path: String, _ random: inout OddRandom) throws -> Bool {
    var source = random
    defer { random = source }
    let isImages = source.chance(70)
    try HDF5File.create(path) { root in
      if isImages {
        let shape = [1 + source.below(4), source.pick([1, 3]), 2 + source.below(4), 2 + source.below(4)]
        let count = shape.reduce(1, *)
        if source.chance(50) {
          try root.createDataset("images", shape: shape, values: (0..<count).map { _ in UInt8(source.below(256)) })
        } else if source.chance(50) {
          try root.createDataset("images", shape: shape, values: (0..<count).map { _ in source.real() })
        } else {
          try root.createDataset("images", shape: [count], values: (0..<count).map { _ in source.integer() })
        }
        for name in ["labels", "split"] where source.chance(name == "labels" ? 97 : 40) {
          let length = source.chance(90) ? shape[0] : source.below(9)
          let values = (0..<length).map { _ in source.chance(85) ? source.below(2) : source.integer() }
          try root.createDataset(name, shape: [length], values: values)
        }
      } else {
        try root.setAttribute("schema", .string("assay.weights"))
        try root.setAttribute("schema_version", source.chance(90) ? .integer(1) : .float(source.real()))
        try root.setAttribute("architecture", .string(source.chance(70) ? "resnet18" : source.pick(["", "odd", "é"])))
        try root.setAttribute("num_classes", source.chance(50) ? .integer(source.integer()) : .float(source.real()))
        if source.chance(50) { try root.setAttribute("width", .integer(source.integer())) }
        let state = try root.createGroup("state_dict")
        try state.createDataset("fc.bias", shape: [2], values: [source.real(), source.real()])
        if source.chance(50) {
          let training = try root.createGroup("training")
          try training.setAttribute("epochs_done", .float(source.real()))
          let entry = try root.createGroup("optimizer").createGroup("fc.bias")
          try entry.setAttribute("step", .float(source.real()))
        }
      }
    }
    return isImages
  }
}
