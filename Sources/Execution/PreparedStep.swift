import Convolution

/// One step of a run, ready: what it does, and the pieces of memory between which it does it.
struct PreparedStep: Sendable {
  enum Work: Sendable {
    /// The images, NCHW, to the first activation.
    case pack(LayoutConversion)
    case convolution(any PreparedConvolution)
    case maxPool(BlockedMaxPool)
    case mean(BlockedMean)
    case convert(BlockConversion)
    /// An activation to a result's NCHW.
    case unpack(LayoutConversion)
  }

  let name: String
  let work: Work
  /// Positions among the network's buffers; the first step reads the images instead.
  var input: Int
  var output: Int
  var residual: Int?

  /// What computes it, for a person.
  var kind: String {
    switch work {
    case .pack: "pack"
    case .convolution(let prepared): prepared.strategyName
    case .maxPool: "max pool"
    case .mean: "mean"
    case .convert: "convert"
    case .unpack: "unpack"
    }
  }

  func run(_ images: UnsafeBufferPointer<Float>, _ buffers: [AlignedBuffer]) throws(ConvolutionError) {
    let input = UnsafeBufferPointer(buffers[input].buffer)
    let output = buffers[output].buffer
    switch work {
    case .pack(let conversion): try conversion.pack(images, into: output)
    case .convolution(let prepared):
      try prepared.run(
        input: input, output: output, residual: residual.map { UnsafeBufferPointer(buffers[$0].buffer) })
    case .maxPool(let pool): try pool.run(input: input, output: output)
    case .mean(let mean): try mean.run(input: input, output: output)
    case .convert(let conversion): try conversion.run(input: input, output: output)
    case .unpack(let conversion): try conversion.unpack(input, into: output)
    }
  }
}
