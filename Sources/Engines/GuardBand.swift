import Tensors

/// What lies behind the last element of every tensor that an engine is given for judging: NaN, so that a kernel that reads
/// past the end and uses what it finds gets a wrong answer, and not one that depends on the heap.
public enum GuardBand {
  /// Elements; more than the widest vector register holds.
  public static let count = 64

  /// The same values in storage of their own, with the band behind them. (Ahead of them lies the array's header.)
  public static func behind(_ tensor: AnyTensor) -> AnyTensor {
    switch tensor {
    case .float32(let tensor): .float32(guarded(tensor, by: .nan))
    case .float64(let tensor): .float64(guarded(tensor, by: .nan))
    case .packed(let tensor):
      .packed(
        PackedTensor(
          tensor.dtype,
          patterns: guarded(tensor.patterns, by: UInt16(truncatingIfNeeded: tensor.dtype.format?.pattern(.nan) ?? 0))))
    case .int64: tensor
    }
  }

  /// - Parameter filler: what is put behind the values.
  package static func guarded<Element>(_ tensor: Tensor<Element>, by filler: Element) -> Tensor<Element> {
    var elements: [Element] = []
    elements.reserveCapacity(tensor.count + count)
    elements += tensor.elements
    elements += repeatElement(filler, count: count)
    // Removing leaves capacity and bits as they are.
    elements.removeLast(count)
    return Tensor(shape: tensor.shape, elements: elements)
  }
}
