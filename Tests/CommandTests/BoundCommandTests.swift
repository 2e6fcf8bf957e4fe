import Foundation
import TestSupport
import Testing

/// `assay bound` as a person meets it.
@Suite struct BoundCommandTests {
  private struct Figures: Decodable {
    struct Spread: Decodable {
      let minimum: Double
      let median: Double
      let maximum: Double
    }
    struct Tensor: Decodable {
      let path: String
      let elements: Int
      let rootMeanSquare: Double
      let widening: String?
      let statistical: Spread?
      let rigorous: Spread
      let bound: Spread
      let tolerance: [String: Double]
      let measured: Measurement?
    }
    struct Measurement: Decodable {
      let engine: String
      let worstError: Double
      let rootMeanSquareError: Double
      let worstRatio: Double
      let rootMeanSquareRatio: Double
    }
    let problem: String
    let algorithms: [String]
    let seed: Int
    let tensors: [Tensor]
  }

  private func figures(_ arguments: String...) throws -> Figures {
    let run = try CommandRun(["bound"] + arguments + ["--json"])
    try #require(run.exitCode == 0, "\(run.output)\(run.errors)")
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    return try decoder.decode(Figures.self, from: Data(run.output.utf8))
  }

  private static let convolution = "conv2d n1c32h9w8 k8r3s3 stride1 pad1"

  @Test func `a tolerance is nowhere below the bounds`() throws {
    let run = try CommandRun(["bound", Self.convolution, "--gradients"])
    #expect(run.exitCode == 0 && run.errors.isEmpty, "\(run.errors)")
    for words in [
      "\(Self.convolution)\nfloat32, direct, random operands of seed 1", "outputs/y: 576 elements", "gradients/weight",
      "statistical bound", "rigorous bound", "measured: reference is off by",
      "assert_close(got, expected, rtol=5.97e-08, atol=",
    ] {
      #expect(run.output.contains(words), "\(words): \(run.output)")
    }
    let found = try figures(Self.convolution)
    let tensor = try #require(found.tensors.first)
    #expect(found.tensors.count == 1 && tensor.elements == 576 && tensor.widening == nil)
    let absolute = try #require(tensor.tolerance["absolute"])
    #expect(absolute <= 1.01 * tensor.bound.maximum && absolute > 0.9 * tensor.bound.maximum)
    #expect(absolute == Double(String(format: "%.2e", absolute)), "three digits, rounded up")
    #expect(try #require(tensor.tolerance["excess"]) >= 1)
    #expect(tensor.bound.maximum <= tensor.rigorous.maximum)
    #expect(try #require(tensor.measured).worstRatio < 1)
  }

  @Test func `points, types and seeds change the figures`() throws {
    let direct = try #require(figures(Self.convolution).tensors.first)
    let textbook = try figures(Self.convolution, "--algorithm", "winograd4:textbook")
    let wide = try #require(textbook.tensors.first)
    #expect(textbook.algorithms == ["winograd 4x3 (textbook)"] && wide.widening == "winograd 4x3 (textbook)")
    #expect(wide.bound.median > 3 * direct.bound.median)
    let ours = try #require(figures(Self.convolution, "--algorithm", "winograd4").tensors.first)
    #expect(ours.measured?.engine == "winograd4" && ours.bound.median < wide.bound.median)
    let half = try #require(figures(Self.convolution, "--dtype", "float16").tensors.first)
    #expect(half.bound.median > 10 * direct.bound.median && half.tolerance["relative"] == 4.89e-4)
    let narrow = try #require(figures(Self.convolution, "--dtype", "float16", "--accumulate", "float16").tensors.first)
    #expect(narrow.bound.median > 10 * half.bound.median)
    let other = try figures(Self.convolution, "--seed", "2")
    #expect(other.seed == 2 && other.tensors.first?.rootMeanSquare != direct.rootMeanSquare)
  }

  /// Its declared points decide whose bounds stand beside its errors; gradients that it does not give are not measured.
  @Test func `an engine is measured beside the bounds of what it declares`() throws {
    let assay = Repository.command.path
    let own = try #require(figures(Self.convolution, "--algorithm", "winograd4").tensors.first)
    for words in [["--engine", "winograd4"], ["--engine", "mine=\(assay) engine winograd4"]] {
      let run = try CommandRun(["bound", Self.convolution, "--json"] + words)
      try #require(run.exitCode == 0, "\(run.errors)")
      let decoder = JSONDecoder()
      decoder.keyDecodingStrategy = .convertFromSnakeCase
      let found = try #require(decoder.decode(Figures.self, from: Data(run.output.utf8)).tensors.first)
      let measured = try #require(found.measured)
      #expect(found.bound.maximum == own.bound.maximum && found.bound.median == own.bound.median)
      #expect(measured.worstError == own.measured?.worstError && measured.worstError > 0)
      #expect(measured.rootMeanSquareError > 0 && measured.rootMeanSquareError < measured.worstError)
      #expect(measured.rootMeanSquareRatio > 0 && measured.rootMeanSquareRatio < measured.worstRatio)
      #expect(measured.worstRatio < 1)
    }
    let backward = try figures(Self.convolution, "--engine", "winograd4", "--gradients")
    #expect(backward.tensors.count == 3 && backward.tensors.allSatisfy { $0.measured != nil })
    let direct = try #require(figures(Self.convolution, "--engine", "winograd4", "--algorithm", "direct").tensors.first)
    #expect(direct.bound.maximum != own.bound.maximum && direct.measured?.worstError == own.measured?.worstError)
  }

  @Test func `equality, and an algorithm that does not apply, are said`() throws {
    let relu = try CommandRun(["bound", "relu n1c1h2w3"])
    #expect(relu.exitCode == 0 && relu.output.contains("nothing is rounded: assert equality"), "\(relu.output)")
    let strided = try CommandRun(["bound", "conv2d n1c4h9w9 k4r3s3 stride2 pad1", "--algorithm", "winograd4:textbook"])
    #expect(strided.exitCode == 0 && strided.output.contains("the definition's holds"), "\(strided.output)")
  }

  @Test(arguments: [
    (["conv2d n1c4h9w9"], 65, "conv2d"), (["fft n4"], 65, "problem text"), ([], 64, "problem"),
    (["relu n1c1h2w3", "--algorithm", "winograd4:fast"], 64, "expected points or one of"),
    (["relu n1c1h2w3", "--dtype", "int64"], 64, "--dtype"),
    (["relu n1c1h2w3", "--accumulate", "float16"], 64, "--accumulate"),
    (["conv2d n64c512h224w224 k512r3s3 stride1 pad1"], 65, "--max-memory raises the limit"),
    (["relu n1c1h2w3", "--engine", "direct"], 2, "direct does not do relu"),
    (["relu n1c1h2w3", "--engine", "reference", "--engine", "direct"], 64, "expected one"),
    (["relu n1c1h2w3", "--engine", "nosuch"], 64, "nosuch"),
    (
      ["conv2d n1c4h9w9 k4r3s3 stride1 pad1", "--engine", "direct", "--dtype", "float64"], 2,
      "direct does not do float64"
    ),
    (["conv2d n1c4h9w9 k4r3s3 stride2 pad1", "--engine", "winograd4"], 2, "winograd4 does not do conv2d so"),
  ])
  func `what cannot be answered`(arguments: [String], code: Int32, message: String) throws {
    let run = try CommandRun(["bound"] + arguments)
    #expect(run.exitCode == code && run.errors.contains(message), "\(run.exitCode) \(run.errors)")
    #expect(run.output.isEmpty)
  }
}
