/// The problems whose gradients are checked when nobody names any: every layer and loss, in training and evaluation, over
/// the edge cases that its definition has. Small, since every element is looked at.
public enum GradientCorpus {
  public static let cases: [GradientCase] =
    convolutions + normalisations + activations + poolings + resizing + linearLayers + losses + blocks

  static let convolutions: [GradientCase] = [
    GradientCase("conv2d n2c3h6w7 k4r3s3 bias stride1 pad1"),
    GradientCase("conv2d n2c3h7w6 k4r3s2 bias stride2x1 pad1x0"),
    GradientCase("conv2d n1c2h5w6 k3r1s1 stride1 pad1"),
    GradientCase("conv2d n2c2h9w8 k3r2s3 stride3 pad0"),
    GradientCase("conv2d n1c2h4w5 k2r3s3 stride1 pad3"),
    GradientCase("conv2d n1c2h9w10 k3r3s2 stride1x2 pad2x1 dilation2x3"),
    GradientCase("conv2d n2c4h5w6 k6r3s3 bias stride1 pad1 groups2"),
    GradientCase("conv2d n2c3h5w6 k6r3s3 stride1 pad1 groups3"),
    GradientCase("conv2d n1c3h6w5 k2r2s4 stride1 padsame"),
    GradientCase("conv2d n1c3h6w5 k2r3s2 stride1 padvalid"),
    GradientCase("conv2d n1c2h1w1 k3r1s1 bias stride1 pad0"),
    GradientCase("conv2d n1c2h8w7 k2r3s3 stride4 pad0"),
    GradientCase("conv2d n2c8h8w8 k8r3s3 stride1 pad1"),
    // Without a bias, beside which no difference of the outputs would show.
    GradientCase("conv2d n1c2h5w6 k3r3s3 stride1 pad1", .denormal),
  ]

  static let normalisations: [GradientCase] = [
    GradientCase("batch_norm2d n3c4h3w5 training"),
    GradientCase("batch_norm2d n3c4h3w5"),
    GradientCase("batch_norm2d n2c3h4w3 norunning"),
    GradientCase("batch_norm2d n2c3h4w3 noaffine training"),
    GradientCase("batch_norm2d n2c3h4w3 noweight training"),
    GradientCase("batch_norm2d n2c3h4w3 nobias"),
    // Of two values, the derivative is what cancels between 1 and x̂² = 1 − ε/(σ² + ε): a large ε leaves digits of it.
    GradientCase("batch_norm2d n2c2h1w1 training eps0.1"),
    GradientCase("batch_norm2d n1c2h3w4 training eps0.001"),
    GradientCase("batch_norm2d n3c2h3w4 training eps0.0"),
    GradientCase("batch_norm2d n2c3h5w4 training", .shifted),
    GradientCase("batch_norm2d n2c3h5w4 training", .narrow),
    GradientCase("batch_norm2d n8c2h14w14 training"),
  ]

  static let activations: [GradientCase] = [
    GradientCase("relu n2c3h4w5"),
    GradientCase("relu n2c3h4w5", .ties),
    GradientCase("relu shape"),
    GradientCase("identity shape2x3x5"),
    GradientCase("dropout n2c5"),
    GradientCase("flatten n2c3h2w4"),
    GradientCase("add n2c3h4w5"),
    GradientCase("softmax n3c7"),
    GradientCase("softmax n2c5h3w2"),
    GradientCase("softmax n3c4", .saturated),
    GradientCase("log_softmax n3c7"),
    GradientCase("log_softmax n2c5h3w2"),
    GradientCase("log_softmax n3c4", .saturated),
  ]

  static let poolings: [GradientCase] = [
    GradientCase("max_pool2d n2c3h7w8 kernel3 stride2 pad1"),
    GradientCase("max_pool2d n2c3h7w8 kernel3 stride2 pad1", .ties),
    GradientCase("max_pool2d n1c2h7w6 kernel2x3 stride2x1 pad1x0 ceil"),
    GradientCase("max_pool2d n1c2h9w8 kernel2 stride1 dilation3"),
    GradientCase("max_pool2d n1c2h6w6 kernel3 stride1", .ties),
    GradientCase("avg_pool2d n2c3h7w8 kernel3 stride2 pad1"),
    GradientCase("avg_pool2d n2c3h7w8 kernel3 stride2 pad1 excludepad"),
    GradientCase("avg_pool2d n1c2h7w6 kernel2x3 stride2x3 ceil"),
    GradientCase("avg_pool2d n1c2h7w6 kernel3 stride2 pad1 ceil excludepad"),
    GradientCase("avg_pool2d n1c2h7w6 kernel3 stride2 divisor5"),
    GradientCase("avg_pool2d n2c2h6w8 kernel2 stride2"),
    GradientCase("adaptive_avg_pool2d n2c3h7w7 output1"),
    GradientCase("adaptive_avg_pool2d n2c2h7w5 output3x2"),
    GradientCase("adaptive_avg_pool2d n1c2h3w2 output5x4"),
  ]

  static let resizing: [GradientCase] = [
    GradientCase("upsample2d n2c2h3w4 size6x8"),
    GradientCase("upsample2d n1c2h3w4 size7x5"),
    GradientCase("upsample2d n1c2h3w4 scale2.0"),
    GradientCase("upsample2d n2c2h3w4 modebilinear size7x5"),
    GradientCase("upsample2d n1c2h3w4 modebilinear scale2.0 aligned"),
  ]

  static let linearLayers: [GradientCase] = [
    GradientCase("linear n5c7 k6"),
    GradientCase("linear n1c1 k1"),
    GradientCase("linear n3c17 k5 nobias"),
  ]

  static let losses: [GradientCase] = [
    GradientCase("cross_entropy n5c7"),
    GradientCase("cross_entropy n5c7 reductionsum"),
    GradientCase("cross_entropy n5c7 reductionnone"),
    GradientCase("cross_entropy n9c5 weighted smoothing0.1"),
    GradientCase("cross_entropy n9c5 weighted smoothing0.1 reductionnone"),
    GradientCase("cross_entropy n4c6 probabilities"),
    GradientCase("cross_entropy n4c6 probabilities weighted smoothing0.2 reductionsum"),
    GradientCase("cross_entropy n3c1"),
    GradientCase("cross_entropy n5c4", .saturated),
    GradientCase("cross_entropy n2c3 smoothing1.0"),
  ]

  static let blocks: [GradientCase] = [
    GradientCase("basic_block n2c3h4w5 k3"),
    GradientCase("basic_block n2c2h5w6 k3 projection stride2 training"),
    GradientCase("bottleneck n2c8h4w3 k2"),
    GradientCase("bottleneck n2c4h6w5 k2 projection stride2 training"),
  ]
}
