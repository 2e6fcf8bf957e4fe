import Operations
import Problems
import Tensors
import Testing

@Suite struct ProblemTextTests {
  /// The canonical text of a problem parses to a problem with the same text.
  @Test(arguments: [
    "conv2d n8c64h56w56 k64r3s3 stride1 pad1",
    "conv2d n1c16h7w9 k32r3s5 bias stride2x1 pad1x2 dilation2 groups4",
    "conv2d n1c3h9w9 k4r4s4 stride1 padsame",
    "conv_transpose2d n2c4h5w6 k6r3s3 bias stride2x3 pad1 outpad1x2 dilation2 groups2",
    "batch_norm2d n8c64h56w56 training",
    "batch_norm2d n8c64h56w56 noaffine norunning momentum0.3 eps0.001",
    "group_norm n2c6h5w4 groups3", "group_norm shape2x6x5 noweight groups2 eps0.001", "group_norm n4c12 nobias groups3",
    "layer_norm n4c10 dims1", "layer_norm shape2x5x7 noaffine dims2 eps0.001",
    "relu n2c3h4w5", "add shape2x3x4", "scaled_add n2c3 alpha-0.75", "softmax n8c1000", "flatten n2c3h4w5",
    "identity shape",
    "silu n2c3h4w5", "gelu n2c3h4w5", "gelu shape2x3x4 approximatetanh",
    "max_pool2d n8c64h112w112 kernel3 stride2 pad1",
    "avg_pool2d n1c2h5w7 kernel3x2 stride2 pad1 ceil excludepad",
    "adaptive_avg_pool2d n2c8h7w7 output1",
    "upsample2d n1c2h7w7 modebilinear size14x13 aligned", "upsample2d n1c2h7w7 scale2.0",
    "linear n8c512 k1000", "linear n8c512 k1000 nobias",
    "cross_entropy n8c10 weighted reductionsum ignore3 smoothing0.1",
  ])
  func roundTrip(text: String) throws { #expect(try Problem.parse(text).text == text) }

  @Test(arguments: [
    "", "conv3d n1", "conv2d n8c64h56w56", "conv2d n8c64h56w56 k64r3s3 stride0",
    "conv2d n8c64h56w56 k64r3s3 strude1", "conv2d n8c64h5w5 k64r7s7", "conv2d n8c6h5w5 k4r1s1 groups4",
    "conv2d n1c1h9223372036854775807w2 k1r1s1", "conv2d n1c3h9w9 k4r3s3 stride2 padsame", "relu", "relu shape2xx3",
    "max_pool2d n1c1h4w4 kernel3 pad2", "max_pool2d n1c1h4w4", "batch_norm2d n1c4h1w1 training",
    "linear n1c0 k4", "cross_entropy n2c3 smoothing1.5", "upsample2d n1c1h2w2", "relu n2c3 n2c3",
    "conv2d n1c1h4w4 k1r1s1 stride1 stride1", "avg_pool2d n1c1h4w4 kernel2 divisor0",
    "silu n2c3 approximatetanh", "gelu n2c3 approximatenone2",
  ])
  func refuses(text: String) { #expect(throws: ProblemError.self) { try Problem.parse(text) } }

  /// A mistyped word is told what it may be, flags among it, and the nearest of these.
  @Test(arguments: [
    ("conv2d n2c3h9w8 k4r3s3 bais stride1", "bias", "'bais'; did you mean 'bias'?"),
    ("conv2d n2c3h9w8 k4r3s3 stide2", "stride2 or stride2x1", "'stide2'; did you mean 'stride'?"),
    ("batch_norm2d n2c3h4w5 train", "norunning", "'train'; did you mean 'training'?"),
    ("linear n2c3 k4 nobais", "nobias", "'nobais'; did you mean 'nobias'?"),
    ("conv2d n2c3h9w8 k4r3s3 bias bias", "bias once", "'bias'"), ("relu n2c3 fast", "no attribute", "'fast'"),
  ])
  func suggests(text: String, expected: String, found: String) {
    let error = #expect(throws: ProblemError.self) { try Problem.parse(text) }
    #expect(error?.expected.contains(expected) == true, "\(error?.expected ?? "")")
    #expect(error?.found == found)
  }
}
