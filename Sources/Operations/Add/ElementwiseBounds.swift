import Tensors

/// Operations whose every result is an input element or zero: relu, identity, dropout in evaluation, flatten.
struct SelectionBounds: BoundModel {
  private let count: Int

  init(_ operation: Operation) { count = operation.input().count }

  func isExact(_ path: String) -> Bool { true }
  func bounds(of path: String, in rounding: Rounding) -> ElementBounds? {
    ["outputs/y", "gradients/x"].contains(path) ? .none(count: count) : nil
  }
}

/// x + other: one rounding forward, none backward.
struct AddBounds: BoundModel {
  private let sums: [Double]

  init(_ operation: Operation) {
    sums = zip(operation.input().elements, operation.input("other").elements).map(+)
  }

  func isExact(_ path: String) -> Bool { true }
  func bounds(of path: String, in rounding: Rounding) -> ElementBounds? {
    switch path {
    // Addition is exact where it underflows, so there is no absolute part.
    case "outputs/y": ElementBounds(rigorous: sums.map { rounding.unit * abs($0) })
    case "gradients/x", "gradients/other": .none(count: sums.count)
    default: nil
    }
  }
}
