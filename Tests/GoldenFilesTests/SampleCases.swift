import GoldenFiles
import Problems
import Tensors

/// Small cases that together use everything the format has.
enum SampleCases {
  static let header = GoldenFileHeader(
    generator: "test", generatorScript: "SampleCases.swift", oracleDType: .float64, seed: .max, text: "samples")

  static func float32(_ shape: Shape, seed: UInt64) -> AnyTensor {
    .float32(Tensor(splitMix64Uniform: shape, seed: seed, low: -1, high: 1))
  }

  static func float64(_ shape: Shape, seed: UInt64) -> AnyTensor {
    .float64(Tensor(splitMix64Uniform: shape, seed: seed, low: -1, high: 1).map { Double($0) * 1.000001 })
  }

  static func relu(_ name: String = "/relu/small", shape: Shape = [1, 2, 3, 4]) -> GoldenCase {
    GoldenCase(
      summary: GoldenCaseSummary(name: name, operation: "relu", fill: .random, tags: ["smoke"]),
      inputs: ["x": float32(shape, seed: 1)], upstream: ["y": float32(shape, seed: 2)],
      outputs: ["y": ExpectedTensor(float64(shape, seed: 3))],
      gradients: ["x": ExpectedTensor(float64(shape, seed: 4))])
  }

  static let all: [GoldenCase] = [
    relu(), relu("/relu/large", shape: [2, 3, 20, 20]),
    GoldenCase(
      summary: GoldenCaseSummary(name: "/conv2d/pair", operation: "conv2d", fill: .exact),
      attributes: Attributes([
        "stride": .integer(1), "padding": .string("same"), "dilation": .integers([1, 1]),
        "unknown": .reals([0.5, .infinity]),
      ]),
      inputs: ["x": float32([1, 2, 5, 6], seed: 5)], parameters: ["weight": float32([3, 2, 3, 3], seed: 6)],
      outputs: [
        "y": ExpectedTensor(
          .whole(float64([1, 3, 5, 6], seed: 7)),
          tolerance: ToleranceOverride(relative: 1e-3, reason: "half precision"),
          equalNaN: false, checkSignedZero: true)
      ]),
    GoldenCase(
      summary: GoldenCaseSummary(name: "/custom/twice", operation: "mine.twice"),
      attributes: Attributes(["flag": .boolean(true), "names": .strings(["a", "b"]), "scale": .real(2)]),
      inputs: ["x": float32([4], seed: 8), "index": .int64(Tensor(shape: [2], elements: [0, -1]))],
      outputs: [
        "y": ExpectedTensor(
          .sampled(
            SampledTensor(shape: [1000, 1000], indices: [0, 999_999], values: [1, 2], l2Norm: 3, sum: 4, absMax: 5)),
          tolerance: ToleranceOverride(absolute: 1e-6, maximumULPs: 4, reason: "two roundings"))
      ]),
    GoldenCase(
      summary: GoldenCaseSummary(
        name: "/conv2d/refused", operation: "conv2d", expectError: .shapeMismatch),
      inputs: ["x": float32([1, 2, 5, 6], seed: 5)], parameters: ["weight": float32([3, 4, 3, 3], seed: 6)]),
    GoldenCase(
      summary: GoldenCaseSummary(name: "/cross_entropy/scalar", operation: "cross_entropy"),
      inputs: ["x": float32([2, 3], seed: 9), "target": .int64(Tensor(shape: [2], elements: [2, 0]))],
      outputs: ["loss": ExpectedTensor(.float64(Tensor(shape: [], elements: [1.25])))]),
  ]
}
