import GoldenFiles
import HDF5
import Tensors

/// What a network makes of images, as a file: datasets `logits` (N, classes) and `labels` (N), in the order of the images.
public struct LogitsFile: Sendable {
  public let logits: Tensor<Float>
  public let labels: Tensor<Int64>

  public init(logits: Tensor<Float>, labels: Tensor<Int64>) {
    self.logits = logits
    self.labels = labels
  }

  /// Writes the file under a temporary name and renames it.
  /// - Throws: ``GoldenFiles/GoldenFileError`` of kind `cannotWrite`.
  public func write(to path: String) throws(GoldenFileError) {
    try creating(path) { root in
      try root.createDataset("logits", shape: logits.shape.dimensions, values: logits.elements)
      try root.createDataset("labels", shape: labels.shape.dimensions, values: labels.elements)
    }
  }
}
