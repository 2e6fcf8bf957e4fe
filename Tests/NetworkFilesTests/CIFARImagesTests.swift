import Foundation
import GoldenFiles
import NetworkFiles
import TestSupport
import Testing

/// CIFAR-10's binary version, in a folder and alone.
@Suite struct CIFARImagesTests {
  private let folder: TemporaryDirectory

  init() throws { folder = try TemporaryDirectory() }

  /// Records of these classes, each pixel's value its place and its record's number.
  private func records(_ labels: [UInt8]) -> Data {
    var data = Data()
    for (record, label) in labels.enumerated() {
      data.append(label)
      data.append(contentsOf: (0..<3072).map { UInt8(truncatingIfNeeded: $0 / 1024 * 100 + $0 % 1024 + record) })
    }
    return data
  }

  private func write(_ name: String, _ data: Data) throws -> String {
    try data.write(to: folder.file(name))
    return folder.file(name).path
  }

  @Test func aFolderHasTrainingAndHeldOutImages() throws {
    _ = try write("data_batch_2.bin", records([3, 4]))
    _ = try write("data_batch_1.bin", records([9]))
    _ = try write("test_batch.bin", records([0, 1]))
    _ = try write("batches.meta.txt", Data("airplane\n".utf8))
    let images = try ImagesFile(at: folder.url.path, pictureSide: 1)
    #expect(images.labels.elements == [9, 3, 4, 0, 1])
    #expect(images.trainingRows == [0, 1, 2] && images.heldOutRows == [3, 4] && images.hasSplit)
    #expect(images.pixels.shape == [5, 3, 32, 32] && images.scale == 255 && !images.scaleIsAssumed)
    let second = images.pixels.images([2])
    // Record 1 of its file: red 1, 2, …, green from 101, blue from 201.
    #expect(second.shape == [1, 3, 32, 32])
    #expect([second.elements[0], second.elements[1024], second.elements[2049]] == [1, 101, 202])
  }

  @Test func aFileAloneHasNoSplit() throws {
    let images = try ImagesFile(at: write("test_batch.bin", records([5, 6])), pictureSide: 1)
    #expect(!images.hasSplit && images.trainingRows == [0, 1] && images.heldOutRows == [0, 1])
    // A folder with nothing to train on likewise.
    #expect(try !ImagesFile(at: folder.url.path, pictureSide: 1).hasSplit)
  }

  @Test(arguments: [0, 1, 3072, 3074, 6145])
  func sizesThatAreNoRecords(_ size: Int) throws {
    let path = try write("data_batch_1.bin", Data(repeating: 1, count: size))
    let error = #expect(throws: GoldenFileError.self) { try ImagesFile(at: path, pictureSide: 1) }
    #expect(error?.file == path)
    #expect(error?.advice.contains("CIFAR-100") == (size == 3074))
  }

  @Test func whatIsNotInIt() throws {
    let class10 = try write("data_batch_1.bin", records([1, 10]))
    let error = #expect(throws: GoldenFileError.self) { try ImagesFile(at: class10, pictureSide: 1) }
    #expect(error?.object == "record 1" && error?.found == "10")
    #expect(throws: GoldenFileError.self) { try ImagesFile(at: folder.file("none.bin").path, pictureSide: 1) }
    try FileManager.default.createDirectory(at: folder.file("deep/data_batch_1.bin"), withIntermediateDirectories: true)
    #expect(throws: GoldenFileError.self) { try ImagesFile(at: folder.file("deep").path, pictureSide: 1) }
    var limits = GoldenLimits.standard
    limits.maximumFileBytes = 4_000
    let large = #expect(throws: GoldenFileError.self) { try ImagesFile(at: class10, pictureSide: 1, limits: limits) }
    #expect(large?.kind == .tooLarge)
  }
}
