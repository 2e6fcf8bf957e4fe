import Problems

/// A direct convolution's ways from NCHW to NCHW.
package enum DenseForm: CaseIterable, Sendable {
  /// Pixels in the lanes: ``PlanarDirectConvolution``.
  case planar
  /// Piece by piece: ``DenseDirectConvolution``.
  case inPieces
}

extension PreparedConvolution {
  /// One of a direct convolution's ways from NCHW to NCHW; `nil` where it has it not.
  package func dense(_ form: DenseForm) throws(ConvolutionError) -> (any PreparedConvolution)? {
    try (self as? DirectConvolution)?.dense(form)
  }
}

/// What all of these ways take from the convolution that they are a form of.
protocol DenseDirectForm: PreparedConvolution {
  var direct: DirectConvolution { get }
}

extension DenseDirectForm {
  var problem: Conv2dProblem { direct.problem }
  var pass: ConvolutionPass { direct.pass }
  var epilogue: ConvolutionEpilogue { direct.epilogue }
  var strategyName: String { direct.strategyName }
  var plan: GatherPlan { direct.plan }
}

/// Some rows of an image's output, with all output channels: a task of a form.
struct DensePiece {
  var image: Int
  /// Of the output.
  var rows: Range<Int>

  /// - Parameters:
  ///   - images: the batch.
  ///   - height: rows of an image's output.
  ///   - largest: rows of which the operands stay in the cache; one at least is taken.
  ///   - threads: that share the pieces.
  /// - Returns: the pieces, and the most rows of one, which is known of an empty batch, too.
  static func cut(images: Int, height: Int, atMost largest: Int, threads: Int) -> (pieces: [DensePiece], most: Int) {
    let rows = max(1, height)
    // All filters in each piece, or its rows would be converted again for every part of them.
    let chunks = TaskCut(
      rows: rows, atMost: max(1, largest), pairs: 1, whole: max(1, images), threads: threads, weights: 0, input: 0,
      work: 1
    ).chunks
    let pieces = (0..<images).flatMap { image in
      (0..<chunks).map { DensePiece(image: image, rows: height * $0 / chunks..<height * ($0 + 1) / chunks) }
    }
    return (pieces, (rows + chunks - 1) / chunks)
  }
}
