import CLibraryHost
import Problems
import Tensors

/// The elements of one tensor in memory that a library is given. Whoever allocated the memory frees it.
struct TensorBytes {
  /// Aligned to an element.
  let pointer: UnsafeMutableRawPointer
  let type: TensorType

  var count: Int { type.bytes }

  /// - Requires: a tensor of this type.
  func write(_ tensor: AnyTensor) {
    precondition(tensor.dtype == type.dtype && tensor.shape == type.shape, "a tensor of another type")
    switch tensor {
    case .float32(let tensor): copy(tensor.elements)
    case .float64(let tensor): copy(tensor.elements)
    case .packed(let tensor): copy(tensor.patterns.elements)
    case .int64(let tensor): copy(tensor.elements)
    }
  }

  private func copy<Element>(_ elements: [Element]) {
    elements.withUnsafeBytes { bytes in
      if let start = bytes.baseAddress, !bytes.isEmpty { pointer.copyMemory(from: start, byteCount: bytes.count) }
    }
  }

  /// Fills it with ``Problems/UnwrittenMark``; integers, which have none, with a number that is no index.
  func mark() {
    switch type.dtype {
    case .float32: fill(UnwrittenMark.float32)
    case .float64: fill(UnwrittenMark.float64)
    case .float16, .bfloat16: fill(UInt16(truncatingIfNeeded: type.dtype.format?.unwrittenPattern ?? 0))
    case .int64: fill(Int64.min + 0x5A5A)
    }
  }

  private func fill<Element>(_ value: Element) {
    pointer.initializeMemory(as: Element.self, repeating: value, count: type.shape.count)
  }

  /// What the memory holds.
  func tensor() -> AnyTensor {
    switch type.dtype {
    case .float32: .float32(Tensor(shape: type.shape, elements: elements()))
    case .float64: .float64(Tensor(shape: type.shape, elements: elements()))
    case .float16, .bfloat16:
      .packed(PackedTensor(type.dtype, patterns: Tensor(shape: type.shape, elements: elements())))
    case .int64: .int64(Tensor(shape: type.shape, elements: elements()))
    }
  }

  private func elements<Element>() -> [Element] {
    let count = type.shape.count
    return Array(UnsafeBufferPointer(start: pointer.bindMemory(to: Element.self, capacity: count), count: count))
  }

  /// What the memory holds, bit for bit.
  var bits: [UInt8] { Array(UnsafeRawBufferPointer(start: pointer, count: count)) }
}

extension TensorType {
  /// Bytes of a dense tensor.
  var bytes: Int { shape.count * dtype.byteCount }
}

extension DType {
  /// The number that assay.h gives the type.
  var abi: Int32 {
    switch self {
    case .float32: Int32(ASSAY_FLOAT32)
    case .float64: Int32(ASSAY_FLOAT64)
    case .float16: Int32(ASSAY_FLOAT16)
    case .bfloat16: Int32(ASSAY_BFLOAT16)
    case .int64: Int32(ASSAY_INT64)
    }
  }
}

extension TensorGroup {
  /// The number that assay.h gives the group.
  var abi: Int32 {
    switch self {
    case .inputs: Int32(ASSAY_INPUT)
    case .parameters: Int32(ASSAY_PARAMETER)
    case .buffers: Int32(ASSAY_BUFFER)
    case .upstream: Int32(ASSAY_UPSTREAM)
    case .outputs: Int32(ASSAY_OUTPUT)
    case .gradients: Int32(ASSAY_GRADIENT)
    case .buffersAfter: Int32(ASSAY_BUFFER_AFTER)
    }
  }
}
