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

/// Bound models of one case by the engine's algorithms and, in 16 bits, by the type.
final class BoundModelCache: @unchecked Sendable {
  struct Key: Hashable {
    let algorithms: Set<SumAlgorithm>
    /// `nil` for float32 and float64, whose operands are the same.
    let narrow: DType?
  }

  // The lock guards the dictionary; models themselves never change.
  private let lock = NSLock()
  private var models: [Key: (any BoundModel)?] = [:]

  func model(for key: Key, make: () -> (any BoundModel)?) -> (any BoundModel)? {
    lock.withLock {
      if let model = models[key] { return model }
      // A network's bounds are quickly had from its spreads, and as large as its gradients.
      let model = make().map { $0 is NetworkBounds ? $0 : RememberedBounds($0) }
      models[key] = .some(model)
      return model
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
