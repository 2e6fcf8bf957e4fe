import ArgumentParser
import Foundation
import GoldenFiles
import Problems
import Reference
import Tensors

/// What the commands about networks have in common: reading their files, and reporting what is wrong.
enum NetworkSession {
  /// Runs a command's work. Bad data ends it with its message and exit code 65, numbers that are wrong with 1.
  static func run(_ body: () throws -> Void) throws {
    do {
      try body()
    } catch let error as TrainingError {
      report("\(error)")
      switch error {
      case .lossNotFinite: throw ExitCode(1)
      case .stopped: throw ExitCode(2)
      case .problem: throw ExitCode(65)
      }
    } catch let error as any Error & CustomStringConvertible
      where error is GoldenFileError || error is ProblemError || error is StateDictMismatch
    {
      report("\(error)")
      throw ExitCode(65)
    }
  }

  static func report(_ message: String) {
    Console.error("\(message)")
    let words = CommandLine.arguments.dropFirst().map { $0.contains(" ") ? "'\($0)'" : $0 }
    Console.note("repeat: assay \(words.joined(separator: " "))")
  }

  /// The architecture of a name on the command line.
  /// - Throws: a usage error.
  static func architecture(_ name: String, width: Int?) throws -> ResNetArchitecture {
    let architecture: ResNetArchitecture
    do throws(ProblemError) { architecture = try ResNetArchitecture(named: name) } catch {
      throw ValidationError("architecture: expected \(error.expected), found \(error.found)")
    }
    guard let width else { return architecture }
    guard width >= 1, width <= 4096 else { throw ValidationError("--width: expected 1 to 4096, found \(width)") }
    return architecture.scaled(toWidth: width)
  }

  /// The architecture that a weights file names.
  static func architecture(of file: WeightsFile, _ path: String) throws -> ResNetArchitecture {
    let architecture = try ResNetArchitecture(named: file.architecture)
    guard let width = file.width else { return architecture }
    guard width >= 1, width <= 4096 else {
      throw GoldenFileError(.inconsistent, file: path, object: "/@width", expected: "1 to 4096", found: "\(width)")
    }
    return architecture.scaled(toWidth: width)
  }

  /// Some rows of a file as a network takes them: scaled, of its image size, with three channels.
  static func images(
    _ file: ImagesFile, rows: [Int], for architecture: ResNetArchitecture
  ) throws(ProblemError) -> LabelledImages<Float> {
    let images = file.images.floating(as: Float.self) ?? Tensor(zeros: [0, 3, 1, 1])
    let all = LabelledImages(images: images, labels: file.labels)
    let chosen = all.batch(rows)
    // A network for small images has one size; others take what comes.
    let preparation = ImagePreparation(scale: file.scale, imageSize: architecture.stem == .smallImage ? 32 : nil)
    return LabelledImages(images: try preparation.prepare(chosen.images), labels: chosen.labels)
  }

  /// Throws unless every label is a class.
  static func requireClasses(_ file: ImagesFile, _ path: String, classCount: Int) throws(ProblemError) {
    guard file.classCount <= classCount else {
      throw ProblemError(
        .indexOutOfRange, "\(path): labels", expected: "classes below \(classCount)", found: "\(file.classCount - 1)")
    }
  }
}

/// Progress on stderr: one line that is rewritten on a terminal, a line every ten seconds elsewhere. Nothing of what is
/// quickly done.
struct ProgressLine {
  private let clock = ContinuousClock()
  private let start = ContinuousClock.now
  private var last = ContinuousClock.now
  private let isTerminal = isatty(STDERR_FILENO) == 1

  /// - Parameter fraction: of all the work, from 0 to 1; the time left follows from it.
  mutating func show(_ text: String, fraction: Double) {
    let now = clock.now
    let pause: Duration = isTerminal ? .milliseconds(100) : .seconds(10)
    guard now - last >= pause else { return }
    last = now
    let elapsed = Double((now - start).components.seconds) + Double((now - start).components.attoseconds) * 1e-18
    let left = fraction > 0 ? Int((elapsed * (1 - fraction) / fraction).rounded()) : nil
    let eta = left.map { ", \($0 / 60):\($0 % 60 < 10 ? "0" : "")\($0 % 60) left" } ?? ""
    let line = "\(Int(fraction * 100)) %  \(text)\(eta)"
    Console.progress(isTerminal ? "\r\u{1B}[K\(line)" : "\(line)\n")
  }

  func clear() {
    if isTerminal { Console.progress("\r\u{1B}[K") }
  }
}
