import GoldenFiles
import Results
import Tensors

// A run's epochs as a tensor of a checkpoint, one row an epoch.

extension TrainingHistory {
  /// Epoch, loss, judged loss, accuracy, learning rate.
  private static let columnCount = 5

  /// (epochs, 5)
  package var tensor: AnyTensor {
    let rows = epochs.flatMap { [Double($0.epoch), $0.loss, $0.judgedLoss, $0.accuracy, $0.learningRate] }
    return .float64(Tensor(shape: [epochs.count, Self.columnCount], elements: rows))
  }

  /// - Parameters:
  ///   - tensor: what ``tensor`` gave.
  ///   - object: where in the file it stands, for messages.
  ///   - path: the file.
  /// - Throws: ``GoldenFiles/GoldenFileError`` for what no run gives.
  package init(_ tensor: AnyTensor, at object: String, of path: String) throws(GoldenFileError) {
    guard tensor.dtype == .float64, tensor.shape.rank == 2, tensor.shape[1] == Self.columnCount else {
      throw GoldenFileError(
        .inconsistent, file: path, object: object, expected: "float64 of shape (epochs, \(Self.columnCount))",
        found: "\(tensor.dtype.rawValue) of shape \(tensor.shape)")
    }
    let elements = tensor.doubles.elements
    var epochs: [TrainingEpoch] = []
    for row in 0..<tensor.shape[0] {
      let values = Array(elements[row * Self.columnCount..<(row + 1) * Self.columnCount])
      guard values.allSatisfy(\.isFinite), let epoch = Int(exactly: values[0]), epoch > epochs.last?.epoch ?? 0 else {
        throw GoldenFileError(
          .inconsistent, file: path, object: "\(object)[\(row)]",
          expected: "finite numbers, the first of them a later epoch than before", found: "\(values)")
      }
      epochs.append(
        TrainingEpoch(
          epoch: epoch, loss: values[1], judgedLoss: values[2], accuracy: values[3], learningRate: values[4]))
    }
    self.init(epochs)
  }
}
