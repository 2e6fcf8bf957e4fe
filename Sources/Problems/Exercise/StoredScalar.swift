import Tensors

/// A scalar that tensors of files and engines are stored in.
public protocol StoredScalar: RealScalar {
  static func stored(_ tensor: Tensor<Self>) -> AnyTensor
}

extension Float: StoredScalar {
  public static func stored(_ tensor: Tensor<Float>) -> AnyTensor { .float32(tensor) }
}

extension Double: StoredScalar {
  public static func stored(_ tensor: Tensor<Double>) -> AnyTensor { .float64(tensor) }
}
