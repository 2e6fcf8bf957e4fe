import Foundation
import GoldenFiles
import ImageCodecs
import TestSupport
import Testing

import NetworkFiles

/// Pictures in a folder for each class.
@Suite struct PictureTests {
  private let folder: TemporaryDirectory
  private let probe = NetworkFileProbe(executable: Repository.command.path)

  init() throws { folder = try TemporaryDirectory() }

  private func sample(_ name: String) throws -> URL {
    try #require(Bundle.module.resourceURL).appending(path: name)
  }

  private func images(_ path: String, _ side: Int = 24, probe: NetworkFileProbe?) throws -> ImagesFile {
    try ImagesFile(at: path, pictureSide: side, probe: probe)
  }

  /// The library's own tests run where both libraries are: `make deps` installs them.
  @Test(arguments: ImageCodec.allCases) func theLibraryIsThere(_ codec: ImageCodec) { #expect(codec.isBuiltIn) }

  /// Every kind of picture, byte for byte as Pillow and torchvision have it.
  @Test func picturesAreWhatTorchvisionMakesOfThem() throws {
    let expected = [UInt8](try Data(contentsOf: sample("pictures24.raw")))
    for probe in [nil, probe] {
      let found = try images(sample("pictures").path, probe: probe)
      #expect(found.classNames == ["cat", "dog"] && found.hasSplit && found.leftOutFiles == 0)
      #expect(found.labels.elements == [0, 0, 0, 0, 1, 1, 1, 1, 0, 0, 1])
      #expect(found.trainingRows == Array(0..<8) && found.heldOutRows == Array(8..<11))
      #expect(found.pixels.shape == [11, 3, 24, 24] && found.scale == 255)
      for row in 0..<11 {
        let bytes = found.pixels.images([row]).elements.map { UInt8($0) }
        #expect(bytes == Array(expected[row * 1728..<(row + 1) * 1728]), "picture \(row)")
      }
    }
  }

  @Test func aPictureOfTheSizeIsTakenAsItIs() throws {
    let image = RGBImage(width: 2, height: 2, pixels: Array(1...12))
    #expect(PictureSize(side: 2).planes(of: image) == [1, 4, 7, 10, 2, 5, 8, 11, 3, 6, 9, 12])
    #expect(PictureSize(side: 224).resized == 256 && PictureSize(side: 32).resized == 37)
  }

  @Test func aFolderOfClassesAloneHasNoSplit() throws {
    let path = try sample("pictures/train").path
    let found = try images(path, 8, probe: probe)
    #expect(!found.hasSplit && found.labels.count == 8 && found.heldOutRows.count == 8)
  }

  private func put(_ name: String, _ source: String = "pictures/train/cat/small.png") throws {
    let target = folder.file(name)
    try FileManager.default.createDirectory(at: target.deletingLastPathComponent(), withIntermediateDirectories: true)
    try FileManager.default.copyItem(at: sample(source), to: target)
  }

  @Test func classesAreSortedByTheirBytesAndOtherFilesLeftOut() throws {
    for name in ["b/1.png", "B/1.png", "é/1.png", "10/1.png", "9/1.png", "b/.hidden.png"] { try put(name) }
    for name in ["b/notes.txt", "b/2.bmp", "outside.png"] { try put(name) }
    let found = try images(folder.url.path, 4, probe: nil)
    #expect(found.classNames == ["10", "9", "B", "b", "é"])
    #expect(found.leftOutFiles == 2 && found.labels.elements == [0, 1, 2, 3, 4])
  }

  @Test func foldersThatAreNoClasses() throws {
    func refuses(_ reason: String) {
      let error = #expect(throws: GoldenFileError.self) { try images(folder.url.path, probe: nil) }
      #expect(error.map { "\($0)".contains(reason) } == true, "\(String(describing: error))")
    }
    refuses("0 folders")
    try put("train/cat/1.png")
    try FileManager.default.createDirectory(at: folder.file("test"), withIntermediateDirectories: true)
    refuses("others: cat")
    try put("test/cat/1.png")
    _ = try images(folder.url.path, probe: nil)
    try put("test/dog/1.png")
    refuses("others: dog")
    try FileManager.default.createDirectory(at: folder.file("train/dog"), withIntermediateDirectories: true)
    refuses("train/dog: expected 1 to")
    try put("train/dog/1.png")
    try put("val/cat/1.png")
    refuses("one of test and val")
  }

  @Test func whatIsNoPictureIsOneError() throws {
    func refuses(_ name: String, _ bytes: [UInt8], _ kind: GoldenFileError.Kind, _ reason: String) throws {
      let path = folder.file(name).path
      try Data(bytes).write(to: URL(filePath: path))
      var found: Result<[UInt8], GoldenFileError>?
      try probe.pictures([path], PictureSize(side: 8)) { found = $0 }
      let error = #expect(throws: GoldenFileError.self) { try found?.get() }
      #expect(error?.kind == kind && error?.file == path, "\(String(describing: error))")
      #expect(error.map { "\($0)".contains(reason) } == true, "\(String(describing: error))")
    }
    let png = [UInt8](try Data(contentsOf: sample("pictures/train/cat/small.png")))
    let jpeg = [UInt8](try Data(contentsOf: sample("pictures/train/cat/photo.jpg")))
    try refuses("text.png", Array("not a picture".utf8), .wrongType, "PNG or JPEG")
    try refuses("empty.png", [], .notAGoldenFile, "empty")
    try refuses("cut.png", Array(png.dropLast(30)), .damaged, "too soon")
    try refuses("cut.jpg", Array(jpeg.dropLast(200)), .damaged, "remature end")
    try refuses("start.jpg", Array(jpeg.prefix(3)), .damaged, "libjpeg-turbo")
    try refuses("cmyk.jpg", [UInt8](Data(contentsOf: sample("cmyk.jpg"))), .damaged, "color conversion")
    // Sizes that nobody would store, with sound checksums.
    for (width, reason) in [(UInt32(1 << 17), "Invalid IHDR data"), (1 << 16, "65536×65536")] {
      var large = png
      for (place, shift) in zip(16..<24, [24, 16, 8, 0, 24, 16, 8, 0] as [UInt32]) {
        large[place] = UInt8(truncatingIfNeeded: width >> shift)
      }
      try refuses("large.png", PNGChunks.forged(large), reason.contains("IHDR") ? .damaged : .tooLarge, reason)
    }
  }

  @Test func moreThanTheMemoryAllowed() throws {
    var limits = GoldenLimits.standard
    limits.maximumTensorBytes = 1_000
    let error = #expect(throws: GoldenFileError.self) {
      try ImagesFile(at: sample("pictures").path, pictureSide: 24, limits: limits)
    }
    #expect(error?.kind == .tooLarge)
  }
}
