import Reporting
import Results

/// The lines that a training run prints, one an epoch.
struct EpochTable {
  /// "held-out loss"
  let lossTitle: String
  /// How many epochs there are in all.
  let epochs: Int

  var headings: String { "epoch   loss     \(lossTitle)  accuracy  seconds  images/s  left" }

  /// The line of the last epoch.
  func line(_ history: TrainingHistory) -> String {
    guard let last = history.epochs.last else { return "" }
    let left = history.secondsLeft(epochs: epochs - last.epoch).map(NumberText.duration) ?? ""
    return "\(String(last.epoch).padded(5))  \(last.loss.formatted(digits: 5))  "
      + last.judgedLoss.formatted(digits: 5).padded(lossTitle.count)
      + "  \((100 * last.accuracy).formatted(digits: 2).padded(6)) %"
      + "  \((last.seconds ?? 0).formatted(digits: 1).padded(7))"
      + "  \((last.imagesPerSecond ?? 0).formatted(digits: 1).padded(8))  \(left)"
  }

  /// Which epoch is the best, in words.
  static func best(_ epoch: TrainingEpoch, judged: String) -> String {
    "epoch \(epoch.epoch), with \(judged) loss \(epoch.judgedLoss.formatted(digits: 5)) and accuracy "
      + "\((100 * epoch.accuracy).formatted(digits: 2)) %"
  }
}

extension String {
  /// Right-aligned in a column.
  func padded(_ width: Int) -> String { String(repeating: " ", count: max(0, width - count)) + self }
}
