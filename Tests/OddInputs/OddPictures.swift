import Foundation
import NetworkFiles
import OperatingSystem
import TestSupport

/// Pictures and CIFAR-10's records: sound ones of the tests, damaged, with checksums put right half of the time.
struct OddPictures: OddFile {
  static let name = "picture"
  static let share = 3
  static let ending = "picture"
  private let folder: TemporaryDirectory

  init() throws { folder = try TemporaryDirectory() }

  private static let samples = Repository.root.appending(path: "Tests/NetworkFilesTests/Samples/pictures/train")
  private static let names = [
    "cat/grey.png", "cat/palette.png", "cat/photo.jpg", "cat/small.png", "dog/bits.png", "dog/grey.jpeg",
    "dog/progressive.JPG", "dog/transparent.png",
  ]

  mutating func react(to random: inout OddRandom) throws -> Reaction {
    let path = folder.file("odd/class/odd.png").path
    try Self.write(path, &random)
    do {
      let images = try ImagesFile(at: folder.file("odd").path, pictureSide: 1 + random.below(9))
      return images.labels.count == 1 ? .accepted : .inconclusive
    } catch { return .badData }
  }

  static func write(_ path: String, _ random: inout OddRandom) throws {
    let name = random.pick(names)
    var bytes = [UInt8](try Data(contentsOf: samples.appending(path: name)))
    for _ in 0..<random.below(4) where !bytes.isEmpty { bytes = DamagedBytes(seed: random.bits(), of: bytes).bytes }
    if name.hasSuffix("png"), random.chance(60) { bytes = PNGChunks.forged(bytes) }
    try AtomicFile.write(Data(bytes), to: path)
  }
}
