import Convolution
import Problems
import Tensors

// Pools of an activation as a network keeps it.

extension BlockedMaxPool {
  init(
    _ problem: MaxPool2dProblem, reading input: BlockedLayout, _ options: ConvolutionOptions
  ) throws(ExecutionError) {
    self = try translating { () throws(ConvolutionError) in
      try BlockedMaxPool(problem, inputHalo: input.halo, options: options)
    }
  }
}

extension BlockedMean {
  init(reading input: BlockedLayout, _ options: ConvolutionOptions) throws(ExecutionError) {
    let shape = Shape(input.batch, input.channels, input.height, input.width)
    self = try translating { () throws(ConvolutionError) in
      try BlockedMean(shape, inputHalo: input.halo, options: options)
    }
  }
}
