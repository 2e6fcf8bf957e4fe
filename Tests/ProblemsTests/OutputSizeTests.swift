import Operations
import Problems
import Tensors
import Testing

@Suite struct OutputSizeTests {
  /// Output extents that PyTorch 2.15 gives.
  @Test(arguments: [
    ("conv2d n1c3h224w224 k64r7s7 stride2 pad3", [1, 64, 112, 112]),
    ("conv2d n2c1h5w5 k1r3s3 stride3 dilation2", [2, 1, 1, 1]),
    ("conv2d n1c1h6w6 k1r4s4 padsame", [1, 1, 6, 6]),
    ("conv2d n0c2h6w6 k3r3s3", [0, 3, 4, 4]),
    ("max_pool2d n1c64h112w112 kernel3 stride2 pad1", [1, 64, 56, 56]),
    // The last window would start in the trailing padding, so ceil mode drops it.
    ("max_pool2d n1c1h4w4 kernel2 stride3 pad1 ceil", [1, 1, 2, 2]),
    ("avg_pool2d n1c1h5w6 kernel2 ceil", [1, 1, 3, 3]),
    ("adaptive_avg_pool2d n1c2h7w7 output3", [1, 2, 3, 3]),
    ("upsample2d n1c2h7w5 scale1.5", [1, 2, 10, 7]),
  ])
  func matchesPyTorch(text: String, expected: [Int]) throws {
    #expect(try Problem.parse(text).outputs["y"]?.shape.dimensions == expected)
  }

  @Test func multiplyAccumulatesOfResNetStem() throws {
    #expect(try Problem.parse("conv2d n1c3h224w224 k64r7s7 stride2 pad3").multiplyAccumulates == 118_013_952)
  }
}
