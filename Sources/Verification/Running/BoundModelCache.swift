import Foundation
import GoldenFiles
import Operations
import Problems
import Tensors

/// What a case expects in types of 16 bits.
final class NarrowCases: @unchecked Sendable {
  // The lock guards the dictionary.
  private let lock = NSLock()
  private var known: [DType: [String: ExpectedTensor]] = [:]

  func expectations(_ dtype: DType, make: () -> [String: ExpectedTensor]) -> [String: ExpectedTensor] {
    lock.withLock {
      if let known = known[dtype] { return known }
      let made = make()
      known[dtype] = made
      return made
    }
  }
}

/// What one case is judged by.
struct CaseBounds: Sendable {
  /// `nil` where nothing is known.
  var model: (any BoundModel)?
  /// What is wrong with the oracle's own results, which the model rests on.
  var fault: String?
}

/// Bounds of one case by the engine's algorithms and, in 16 bits, by the type.
final class BoundModelCache: @unchecked Sendable {
  struct Key: Hashable {
    let algorithms: Set<SumAlgorithm>
    /// `nil` for float32 and float64, whose operands are the same.
    let narrow: DType?
  }

  // The lock guards the dictionary; models themselves never change.
  private let lock = NSLock()
  private var known: [Key: CaseBounds] = [:]

  func remember(_ bounds: CaseBounds, for key: Key) { lock.withLock { known[key] = bounds } }

  /// - Parameters:
  ///   - key: what they depend on.
  ///   - make: the model.
  ///   - check: looks for what is wrong with the oracle that made it.
  func bounds(
    for key: Key, make: () -> (any BoundModel)?, check: (any BoundModel) -> String?
  ) -> CaseBounds {
    lock.withLock {
      if let bounds = known[key] { return bounds }
      var bounds = CaseBounds()
      if let model = make() {
        if var network = model as? NetworkBounds {
          bounds.fault = check(network)
          network.forgetValues()
          // Quickly had from its spreads, and as large as its gradients.
          bounds.model = network
        } else {
          let remembered = RememberedBounds(model)
          bounds.fault = check(remembered)
          bounds.model = remembered
        }
      }
      known[key] = bounds
      return bounds
    }
  }
}

/// A model that computes each bound once: the oracle's float64 bounds serve every candidate.
private final class RememberedBounds: BoundModel, @unchecked Sendable {
  private struct Key: Hashable {
    let path: String
    let rounding: Rounding
  }

  // The lock guards the dictionary.
  private let lock = NSLock()
  private let model: any BoundModel
  private var known: [Key: ElementBounds?] = [:]

  init(_ model: any BoundModel) { self.model = model }

  func isExact(_ path: String) -> Bool { model.isExact(path) }
  func spread(of path: String) -> ErrorSpread? { model.spread(of: path) }
  func widening(of path: String) -> String? { model.widening(of: path) }
  func bounds(of path: String, in rounding: Rounding) -> ElementBounds? {
    let key = Key(path: path, rounding: rounding)
    if let bounds = lock.withLock({ known[key] }) { return bounds }
    let bounds = model.bounds(of: path, in: rounding)
    lock.withLock { known[key] = .some(bounds) }
    return bounds
  }
}
