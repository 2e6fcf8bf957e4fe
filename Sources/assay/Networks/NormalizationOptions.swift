import ArgumentParser
import Operations
import Problems

/// What images are normalised by, as words.
struct NormalizationOptions: ParsableArguments {
  @Option(
    help: """
      What is taken from each channel after values are scaled to 0 … 1: R,G,B or one number for all. Goes with --std, and is \
      stored with the weights.
      """)
  var mean: String?

  @Option(help: "What each channel is divided by after that: R,G,B or one number for all.")
  var std: String?

  func validate() throws {
    guard (mean == nil) == (std == nil) else { throw ValidationError("--mean and --std go together") }
    _ = try normalization()
  }

  /// - Throws: a usage error.
  func normalization() throws -> ImageNormalization? {
    guard let mean, let std else { return nil }
    let (means, stds) = (try Self.numbers(mean, "--mean"), try Self.numbers(std, "--std"))
    do throws(ProblemError) { return try ImageNormalization(mean: means, std: stds) } catch {
      throw ValidationError("--\(error.subject): expected \(error.expected), found \(error.found)")
    }
  }

  private static func numbers(_ text: String, _ option: String) throws -> [Double] {
    let numbers = text.split(separator: ",", omittingEmptySubsequences: false).map { Double($0) }
    let found = numbers.compactMap { $0 }
    guard found.count == numbers.count, [1, 3].contains(found.count) else {
      throw ValidationError("\(option) '\(text)': expected R,G,B or one number for all channels")
    }
    return found.count == 1 ? [found[0], found[0], found[0]] : found
  }

  /// What the weights were trained with, or else what was asked for.
  /// - Throws: a usage error when they differ.
  func normalization(of weights: ImageNormalization?) throws -> ImageNormalization? {
    guard let given = try normalization() else { return weights }
    if let weights, weights != given {
      throw ValidationError(
        "--mean and --std: the weights were trained on images of \(weights.text); leave the options out")
    }
    return given
  }
}

extension ImageNormalization {
  /// "mean 0.485, 0.456, 0.406 and standard deviation 0.229, 0.224, 0.225"
  var text: String {
    func list(_ values: [Double]) -> String { values.map { "\(($0 * 1e6).rounded() / 1e6)" }.joined(separator: ", ") }
    return "mean \(list(mean)) and standard deviation \(list(std))"
  }
}
