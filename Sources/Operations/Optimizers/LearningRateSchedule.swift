import RealModule

/// How the learning rate changes with the epoch: a factor of the optimiser's own.
///
/// - Source: `torch.optim.lr_scheduler.StepLR` and `CosineAnnealingLR` (with a minimum of 0) in closed form.
public enum LearningRateSchedule: Hashable, Sendable {
  case constant
  /// Times `factor` after every `epochs` epochs.
  case step(epochs: Int, factor: Double)
  /// (1 + cos(π·epoch/epochs))/2, from 1 down to 0.
  case cosine(epochs: Int)

  /// Epochs after which the factor is 0, so that nothing is learnt any more; `nil` where there is no such end.
  public var length: Int? { if case .cosine(let epochs) = self { epochs } else { nil } }

  /// The factor in an epoch, counted from 0.
  public func factor(epoch: Int) -> Double {
    switch self {
    case .constant: 1
    case .step(let epochs, let factor): .pow(factor, epoch / max(epochs, 1))
    case .cosine(let epochs): (1 + .cos(.pi * Double(min(epoch, epochs)) / Double(max(epochs, 1)))) / 2
    }
  }
}
