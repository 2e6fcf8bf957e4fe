import Tensors

/// The NaN that output buffers are filled with before an engine writes them. One that survives was not written.
///
/// Quiet, with a payload that no arithmetic produces: hardware makes 0x7FC00000 or passes on an operand's payload.
public enum UnwrittenMark {
  public static let float32 = Float(bitPattern: 0x7FC5_A5A5)
  public static let float64 = Double(bitPattern: 0x7FFC_5A5A_5A5A_5A5A)

  /// Positions that still hold the mark, bit for bit.
  public static func positions(in tensor: AnyTensor) -> [Int] {
    switch tensor {
    case .float32(let tensor): tensor.elements.indices.filter { tensor.elements[$0].bitPattern == float32.bitPattern }
    case .float64(let tensor): tensor.elements.indices.filter { tensor.elements[$0].bitPattern == float64.bitPattern }
    case .packed(let tensor):
      tensor.patterns.elements.indices.filter {
        UInt32(tensor.patterns.elements[$0]) == tensor.dtype.format?.unwrittenPattern
      }
    case .int64: []
    }
  }
}
