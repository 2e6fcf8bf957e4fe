import Foundation
import GoldenFiles
import TestSupport
import Testing

import NetworkFiles

/// Damaged copies of users' files by the thousand, parsed as the command parses them: in a child process under limits.
@Suite("Damaged files of users") struct DamagedFilesTests {
  private static let count = 2_000
  private let folder: TemporaryDirectory
  private let probe: NetworkFileProbe

  init() throws {
    folder = try TemporaryDirectory()
    probe = NetworkFileProbe(
      executable: Repository.command.path,
      resources: .init(memoryBytes: 1 << 31, processorSeconds: 20, wallSeconds: 60))
  }

  /// What became of the copies.
  private struct Tally: CustomStringConvertible {
    var refused = 0
    var died = 0
    var accepted = 0

    mutating func add(_ error: GoldenFileError, of path: String) {
      #expect(error.file == path && !error.expected.isEmpty && !error.found.isEmpty, "\(error)")
      #expect(!error.found.contains("no answer") && !error.found.contains("processor time"), "a hang: \(error)")
      if error.kind == .probeFailed { died += 1 } else { refused += 1 }
    }

    var description: String { "\(refused) refused, \(died) ended the child, \(accepted) accepted" }
  }

  /// Gives the damaged copies of some bytes a hundred at a time, as files.
  private func forEach(
    _ original: [UInt8], forging: Bool = false, named name: String, _ body: ([String]) throws -> Void
  ) throws {
    for first in stride(from: 0, to: Self.count, by: 100) {
      let paths = try (first..<first + 100).map { seed in
        var bytes = DamagedBytes(seed: UInt64(seed), of: original).bytes
        if forging, seed % 2 == 0 { bytes = PNGChunks.forged(bytes) }
        let file = folder.file("\(seed)-\(name)")
        try Data(bytes).write(to: file)
        return file.path
      }
      try body(paths)
      for path in paths { try FileManager.default.removeItem(atPath: path) }
    }
  }

  private func sample(_ name: String) throws -> [UInt8] {
    [UInt8](try Data(contentsOf: try #require(Bundle.module.resourceURL).appending(path: name)))
  }

  @Test("Pictures", arguments: ["cat/palette.png", "dog/transparent.png", "cat/photo.jpg", "dog/progressive.JPG"])
  func pictures(_ name: String) throws {
    let original = try sample("pictures/train/\(name)")
    var tally = Tally()
    let size = PictureSize(side: 12)
    try forEach(original, forging: name.hasSuffix("png"), named: name.replacing("/", with: "-")) { paths in
      var done = 0
      try probe.pictures(paths, size) { found in
        switch found {
        case .success(let planes):
          #expect(planes.count == 3 * 12 * 12)
          tally.accepted += 1
        case .failure(let error): tally.add(error, of: paths[done])
        }
        done += 1
      }
      #expect(done == paths.count)
    }
    print("\(name): \(tally)")
    #expect(tally.refused + tally.died + tally.accepted == Self.count)
    #expect(tally.died == 0, "\(tally)")
  }

  @Test("Safetensors")
  func safetensors() throws {
    let original = try sample("python.safetensors")
    var tally = Tally()
    try forEach(original, named: "w.safetensors") { paths in
      var done = 0
      try probe.headers(of: paths, limits: .standard) { found in
        let path = paths[done]
        done += 1
        // This process goes by the same rules.
        let here = Result { () throws(GoldenFileError) in try SafetensorsFile(contentsOf: path) }
        switch (found, here) {
        case (.success(let sound), .success(let file)):
          #expect(file.tensors.count == sound.header.entries.count && file.metadata == sound.header.metadata)
          tally.accepted += 1
        // Elements are looked at here alone.
        case (.success, .failure(let error)): tally.add(error, of: path)
        case (.failure(let error), _):
          tally.add(error, of: path)
          #expect(throws: GoldenFileError.self) { () throws in _ = try here.get() }
        }
      }
      #expect(done == paths.count)
    }
    print("safetensors: \(tally)")
    #expect(tally.refused + tally.accepted == Self.count && tally.died == 0, "\(tally)")
  }

  @Test("CIFAR-10")
  func cifar() throws {
    var original: [UInt8] = []
    for record in 0..<3 {
      original.append(UInt8(record * 4))
      for pixel in 0..<3072 { original.append(UInt8(pixel * record % 251)) }
    }
    var tally = Tally()
    try forEach(original, named: "data_batch_1.bin") { paths in
      for path in paths {
        do throws(GoldenFileError) {
          let images = try ImagesFile(at: path, pictureSide: 32)
          #expect(images.labels.elements.allSatisfy { (0..<10).contains($0) })
          tally.accepted += 1
        } catch { tally.add(error, of: path) }
      }
    }
    print("CIFAR-10: \(tally)")
    #expect(tally.refused + tally.accepted == Self.count, "\(tally)")
  }
}
