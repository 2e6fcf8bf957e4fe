import Engines
import Foundation
import Problems
import Tensors
import TestSupport
import Testing

/// What an engine says of its algorithms when it is greeted.
@Suite struct AlgorithmMessageTests {
  /// An engine that says this, by a version of the protocol.
  private func engine(_ algorithm: String, version: Int = 2) throws(EngineError) -> ProcessEngine {
    let hello = MisbehavingEngine.hello.replacingOccurrences(
      of: #""name""#, with: #""protocol":\#(version),"algorithm":\#(algorithm),"name""#)
    return try ProcessEngine(.init(name: "foreign", command: "read l; echo '\(hello)'; cat > /dev/null", timeout: 20))
  }

  private func tile(_ outputs: Int, _ points: [Double]) throws -> SumAlgorithm {
    .winograd(try WinogradTile(outputTile: outputs, kernelSize: 3, points: points))
  }

  @Test func `points, presets, levels and sums`() throws {
    let description = try engine(
      #"""
      {"conv2d":{"kinds":["direct","winograd"],"winograd":{"4x3":{"points":[0,1,-1,0.5,-2]},"6x3":{"points":"ncnn"}},
       "strassen_levels":1,"accumulate":"float16"},"linear":{"strassen_levels":0},"relu":{},"later":{"kinds":["direct"]}}
      """#.replacingOccurrences(of: "\n", with: " ")
    ).description
    #expect(
      description.sums(of: "conv2d") == [
        .terms, try tile(4, [0, 1, -1, 0.5, -2]),
        .winograd(try WinogradTile(outputTile: 6, preset: .ncnn)), .strassen(levels: 1),
      ])
    #expect(description.accumulate(of: "conv2d") == .float16 && description.accumulate(of: "relu") == .float32)
    #expect(description.sums(of: "linear") == [.terms] && description.sums(of: "batch_norm2d").isEmpty)
  }

  @Test func `without kinds, what is described and direct sums`() throws {
    let only = try engine(#"{"conv2d":{"kinds":["winograd"],"winograd":{"2x3":{"points":"textbook"}}}}"#).description
    let either = try engine(#"{"conv2d":{"winograd":{"2x3":{"points":"textbook"}},"new":[7]}}"#).description
    let winograd = SumAlgorithm.winograd(try WinogradTile(outputTile: 2, preset: .textbook))
    #expect(only.sums(of: "conv2d") == [winograd] && either.sums(of: "conv2d") == [winograd, .terms])
  }

  @Test func `a tile from some channels of a group on`() throws {
    let description = try engine(#"{"conv2d":{"winograd":{"4x3":{"points":"ncnn","channels":9}}}}"#).description
    var tile = try WinogradTile(outputTile: 4, preset: .ncnn)
    tile.leastChannels = 9
    #expect(description.sums(of: "conv2d") == [.winograd(tile), .terms])
  }

  @Test func `protocol 1 has none`() throws {
    let description = try engine(#"{"conv2d":{"winograd":{"2x3":{"points":"textbook"}}}}"#, version: 1).description
    #expect(description.algorithms.isEmpty)
  }

  @Test(arguments: [
    (#"7"#, "algorithm: expected an object of operations, found 7"),
    (#"{"conv2d":[]}"#, "algorithm.conv2d: expected an object"),
    (#"{"conv2d":{"kinds":"direct"}}"#, "algorithm.conv2d.kinds: expected a list"),
    (#"{"conv2d":{"kinds":["fft"]}}"#, "expected direct or winograd, found"),
    (#"{"conv2d":{"kinds":["winograd"]}}"#, "winograd needs the points of its tiles"),
    (#"{"conv2d":{"winograd":{"4":{"points":"ncnn"}}}}"#, "algorithm.conv2d.winograd.4: expected outputs x taps"),
    (#"{"conv2d":{"winograd":{"4x3":{"points":"fast"}}}}"#, "expected points or one of assay, textbook, lavin, ncnn"),
    (#"{"conv2d":{"winograd":{"4x3":{"points":"ncnn","channels":0}}}}"#, "4x3.channels: expected 1 or more, found 0"),
    (#"{"conv2d":{"winograd":{"4x3":{}}}}"#, "expected points or one of"),
    (#"{"conv2d":{"winograd":{"5x3":{"points":"ncnn"}}}}"#, "the preset ncnn has no points for it"),
    (#"{"conv2d":{"winograd":{"4x3":{"points":[0,1,-1,2]}}}}"#, "5 finite points, found 4"),
    (#"{"conv2d":{"winograd":{"4x3":{"points":[0,1,-1,2,16]}}}}"#, "of magnitude 1/8 to 8, found 16"),
    (#"{"conv2d":{"winograd":{"6x3":{"points":[0,1,-1,2,-2,3,-3]}}}}"#, "at most 64 times a direct sum"),
    (#"{"conv2d":{"strassen_levels":3}}"#, "algorithm.conv2d.strassen_levels: expected 0 to 2, found 3"),
    (#"{"conv2d":{"accumulate":"int64"}}"#, "algorithm.conv2d.accumulate: expected one of"),
  ])
  func `a declaration that breaks a rule names the member`(json: String, message: String) {
    let error = #expect(throws: EngineError.self) { _ = try engine(json) }
    #expect(error.map { "\($0)".contains(message) } == true, "\(String(describing: error))")
  }

  /// What is written is what is read: an engine of this program that is served.
  @Test func `a served strategy declares its own`() throws {
    let command = "'\(Repository.command.path(percentEncoded: false))' engine winograd4"
    let served = try ProcessEngine(.init(name: "served", command: command)).description
    let ours = SumAlgorithm.winograd(try WinogradTile(outputTile: 4, preset: .assay))
    #expect(served.algorithms == ["conv2d": OperationAlgorithm([ours])])
  }
}
