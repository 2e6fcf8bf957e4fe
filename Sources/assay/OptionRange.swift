import ArgumentParser
import NetworkFiles
import Operations

/// The numbers that options take: one range for each kind of number, the same in every command, so that no product of them
/// overflows and a slip of the finger is a message. What a file may also say has the range of files.
enum OptionRange {
  static let jobs = 1...1_024
  static let threads = 1...1_024
  /// Random cases of one operation.
  static let freshCases = 0...10_000
  /// Random problems of one operation.
  static let fuzzedCases = 1...10_000_000
  static let shards = 1...1_000_000
  static let batch = SavedRun.batchSizes
  /// Height and width of an image, in pixels.
  static let imageSize = 1...65_536
  static let classes = 1...65_536
  static let epochs = LearningRateSchedule.epochs
  /// Planes of a network's first stage.
  static let width = WeightsFile.widths
  /// Classes among which the right one counts.
  static let top = 1...65_536

  /// Throws a usage error unless the number, where there is one, is in the range.
  static func require(_ value: Int?, _ option: String, in range: ClosedRange<Int>) throws {
    guard let value, !range.contains(value) else { return }
    throw ValidationError("\(option): expected \(range.lowerBound) to \(range.upperBound), found \(value).")
  }

  /// Throws a usage error unless the seconds, where there are any, are above 0 and at most a day. What is no number is no
  /// time-out, and neither is what a duration cannot hold.
  static func requireTimeout(_ seconds: Double?) throws {
    guard let seconds, !(seconds > 0 && seconds <= 86_400) else { return }
    throw ValidationError("--timeout: expected seconds above 0 and at most 86400 (a day), found \(seconds).")
  }
}
