import ArgumentParser
import Foundation
import GoldenFiles
import NetworkFiles
import Problems
import Operations
import Results
import Tensors

/// What the commands about networks have in common: reading their files, and reporting what is wrong.
enum NetworkSession {
  /// Runs a command's work. What it throws ends it with a message, the command that repeats it, and the exit code of
  /// bad data, wrong numbers, an interruption or an output that cannot be written.
  static func run(_ body: () throws -> Void) throws {
    do {
      try body()
    } catch {
      let outcome = Outcome(error)
      // Refused words, an exit code of its own, a defect: the command's end knows what to say of them.
      guard outcome != .internalError else { throw error }
      report("\(error)")
      throw ExitCode(outcome.exitCode)
    }
  }

  static func report(_ message: String) {
    Console.error(message.printable)
    Console.note("repeat: \(ShellCommand(["assay"] + CommandLine.arguments.dropFirst()))")
  }

  /// The architecture that a name on the command line stands for.
  /// - Throws: a usage error.
  static func architecture(_ name: String, width: Int?) throws -> ResNetArchitecture {
    let architecture: ResNetArchitecture
    do throws(ProblemError) { architecture = try ResNetArchitecture(named: name) } catch {
      throw ValidationError("architecture: expected \(error.expected), found \(error.found)")
    }
    guard let width else { return architecture }
    try OptionRange.require(width, "--width", in: OptionRange.width)
    return architecture.scaled(toWidth: width)
  }

  // MARK: Data

  /// A file of weights, HDF5 or safetensors; `withOptimizer` for whoever goes on training from them.
  static func weights(_ path: String, withOptimizer: Bool = false) throws(GoldenFileError) -> WeightsFile {
    try WeightsFile(contentsOf: path, probe: .ofThisExecutable(), withOptimizer: withOptimizer)
  }

  /// Images; what they leave open is said.
  /// - Parameters:
  ///   - pictureSide: height and width that the pictures of a folder get.
  ///   - isQuiet: shows no progress.
  static func images(_ path: String, pictureSide: Int, isQuiet: Bool) throws(GoldenFileError) -> ImagesFile {
    let progress = ProgressDisplay(isQuiet: isQuiet)
    defer { progress.clear() }
    let images = try ImagesFile(at: path, pictureSide: pictureSide, probe: .ofThisExecutable()) { done, count in
      progress.step(done: done, of: count, subject: "pictures")
    }
    progress.clear()
    if images.leftOutFiles > 0 {
      Console.note("note: \(path.printable): \(images.leftOutFiles) files are neither PNG nor JPEG, and left out")
    }
    if images.scaleIsAssumed {
      Console.note(
        "note: \(path.printable): the images are integers wider than a byte, without the attribute max_value: "
          + "divided by \(images.scale.formatted(digits: 0))")
    }
    return images
  }

  /// Says that images are made larger, where they are.
  static func noteEnlargement(_ images: PreparedImages, _ architecture: ResNetArchitecture) {
    guard images.enlargement > 1 else { return }
    Console.note(
      "note: images are enlarged \(images.enlargement) times to \(architecture.name)'s "
        + "\(images.imageShape[1])×\(images.imageShape[2])")
  }

  /// Says what images are normalised by.
  static func note(_ normalization: ImageNormalization?) {
    if let normalization { Console.note("note: images are normalised by \(normalization.text)") }
  }

  /// Refuses images whose values mean something else than those that the network was trained on.
  ///
  /// - Parameters:
  ///   - trained: what those were divided by; `nil` when nobody knows.
  ///   - exactly: also where one of the two were floats, which may have been divided before they were stored.
  static func requireScale(
    _ trained: Double?, of images: ImagesFile, _ path: String, exactly: Bool
  ) throws(GoldenFileError) {
    guard let trained, trained != images.scale, exactly || trained != 1 && images.scale != 1 else { return }
    throw GoldenFileError(
      .inconsistent, file: path, object: "/images", expected: "values that are divided by \(trained), as in training",
      found: "\(images.scale)", advice: "set the attribute max_value of images, or store them as floats")
  }

  /// Refuses pictures whose classes are others than those that the network was trained on.
  static func requireClassNames(_ trained: [String], of images: ImagesFile, _ path: String) throws(GoldenFileError) {
    guard !trained.isEmpty, !images.classNames.isEmpty, trained != images.classNames else { return }
    func list(_ names: [String]) -> String {
      names.prefix(5).joined(separator: ", ") + (names.count > 5 ? ", … (\(names.count))" : "")
    }
    throw GoldenFileError(
      .inconsistent, file: path, expected: "the classes of the training: \(list(trained))",
      found: list(images.classNames), advice: "name the folders as they were named then")
  }

  /// Height and width that pictures get: as in training, as asked for, or what the network is made for.
  /// - Throws: a usage error when they differ, or the images have a size of their own.
  static func pictureSide(
    _ asked: Int?, trained: Int?, _ architecture: ResNetArchitecture, data: String
  ) throws -> Int {
    if let asked, !ImagesFile.arePictures(data) {
      throw ValidationError("--image-size \(asked): \(data) is no folder of pictures, and its images have a size")
    }
    if let asked, let trained, asked != trained {
      throw ValidationError("--image-size \(asked): the weights were trained on pictures of \(trained)×\(trained)")
    }
    return asked ?? trained ?? architecture.usualImageSide
  }

  /// Throws unless every label is a class.
  static func requireClasses(_ file: ImagesFile, _ path: String, classCount: Int) throws(ProblemError) {
    guard file.classCount <= classCount else {
      throw ProblemError(
        .indexOutOfRange, "\(path): labels", expected: "classes below \(classCount)", found: "\(file.classCount - 1)")
    }
  }
}

extension ImagesFile {
  /// What the judged images are to the network.
  var judged: String { TrainingSection.judged(isHeldOut: hasSplit) }
}
