import Engines
import Problems
import Tensors

/// Random problems to measure the bounds on, with the fills that a corpus would use.
struct CalibrationProblem: Sendable {
  let text: String
  /// Range of each input; the parameters are in [−1, 1].
  var low = -1.0
  var high = 1.0

  init(_ text: String, low: Double = -1, high: Double = 1) {
    self.text = text
    self.low = low
    self.high = high
  }

  /// One problem of each shape that makes the bounds differ: short and long sums, signed and positive operands.
  static let all: [CalibrationProblem] = [
    .init("conv2d n1c3h40w41 k16r3s3 stride1 pad1 bias"), .init("conv2d n2c16h20w19 k24r3s3 stride1 pad1", low: 0),
    .init("conv2d n2c64h10w9 k32r3s3 stride2 pad1 bias"), .init("conv2d n1c256h7w8 k64r1s1 stride1 pad0", low: 0),
    .init("conv2d n1c512h4w5 k32r3s3 stride1 pad1"), .init("conv2d n2c8h24w25 k8r7s7 stride2 pad3 groups8"),
    .init("linear n64c512 k64"), .init("linear n256c100 k40", low: 0), .init("linear n200c7 k300 nobias"),
    .init("batch_norm2d n8c16h14w15 training"), .init("batch_norm2d n2c64h7w6 training", low: 0),
    .init("batch_norm2d n32c4h28w27 training", low: 2, high: 4), .init("batch_norm2d n4c32h14w13"),
    .init("softmax n256c100", low: -8, high: 8), .init("softmax n16c1000", low: -4, high: 4),
    .init("softmax n4c7h20w21", low: -20, high: 20), .init("log_softmax n256c100", low: -8, high: 8),
    .init("log_softmax n16c1000", low: -4, high: 4), .init("log_softmax n4c7h20w21", low: -20, high: 20),
    .init("cross_entropy n256c100 reductionnone", low: -8, high: 8), .init("cross_entropy n64c1000", low: -4, high: 4),
    .init("cross_entropy n128c50 weighted smoothing0.1", low: -4, high: 4),
    .init("avg_pool2d n2c16h30w31 kernel3 stride2 pad1"), .init("avg_pool2d n2c16h28w27 kernel7 stride7", low: 0),
    .init("adaptive_avg_pool2d n4c32h14w15 output3x4"), .init("adaptive_avg_pool2d n4c64h7w7 output1", low: 0),
    .init("max_pool2d n2c16h30w31 kernel3 stride2 pad1"), .init("upsample2d n2c8h14w13 modebilinear scale2.0"),
    .init("upsample2d n2c8h14w13 modebilinear size29x17"), .init("upsample2d n2c8h14w13 scale2.0"),
    .init("add n4c16h20w21", low: -0.7, high: 1.9), .init("sgd_step n40c50 t5 lr0.1 momentum0.9 decay0.01"),
    .init("adam_step n40c50 t5"),
    .init("adamw_step n40c50 t5 amsgrad"),
  ]

  /// - Throws: ``ProblemError`` for a text that is not a problem.
  func exercise(seed: UInt64) throws(ProblemError) -> Exercise {
    RandomExercise(problem: try Problem.parse(text), fill: .random, seed: seed, low: low, high: high).exercise
  }
}
