import Engines
import Foundation
import GoldenFiles
import Operations
import Problems
import Results
import Tensors
import TestSupport
import Testing
import Verification

/// Which corpora are worthless, and which only look so.
@Suite struct VacuityTests {
  /// A case of random values, some of them replaced, with what the reference makes of it.
  private func golden(
    _ text: String, fill: Fill = .random, forwardOnly: Bool = false, _ change: (inout Exercise) -> Void = { _ in }
  ) throws -> GoldenCase {
    var exercise = try RandomExercise.of(text, fill: fill, seed: 3).exercise
    if forwardOnly {
      exercise.upstream = [:]
      exercise.passes = [.forward]
    }
    change(&exercise)
    let answer = try ReferenceEngine().compute(Self.inDoublePrecision(exercise))
    return GoldenCase(
      summary: GoldenCaseSummary(name: "/case", operation: exercise.operation, fill: fill),
      attributes: exercise.attributes, inputs: exercise.inputs, parameters: exercise.parameters,
      buffers: exercise.buffers, upstream: exercise.upstream,
      outputs: answer.outputs.mapValues { ExpectedTensor($0) },
      buffersAfter: answer.buffersAfter.mapValues { ExpectedTensor($0) },
      gradients: answer.gradients.mapValues { ExpectedTensor($0) })
  }

  private func judge(_ cases: [GoldenCase]) async throws -> VacuityRecord? {
    let folder = try TemporaryDirectory()
    let path = folder.file("corpus.h5").path
    var named = cases
    for index in named.indices {
      let summary = named[index].summary
      named[index].summary = GoldenCaseSummary(
        name: "/case/\(index)", operation: summary.operation, fill: summary.fill)
    }
    try GoldenFileWriter.write(named, header: GoldenFileHeader(generator: "test"), to: path)
    let file = try GoldenReader(trusted: nil, probe: nil).open(path)
    let records = await VacuityJudge(oracle: ReferenceEngine()).judge(
      operations: Set(cases.map(\.operation)), in: [file])
    #expect(records.count == 1)
    return records.first
  }

  private static func inDoublePrecision(_ exercise: Exercise) -> Exercise {
    func converted(_ tensors: [String: AnyTensor]) -> [String: AnyTensor] {
      tensors.mapValues { $0.converted(to: .float64) }
    }
    return Exercise(
      name: exercise.name, operation: exercise.operation, attributes: exercise.attributes,
      inputs: converted(exercise.inputs), parameters: converted(exercise.parameters),
      buffers: converted(exercise.buffers), upstream: converted(exercise.upstream), dtype: .float64,
      passes: exercise.passes)
  }

  private static func ones(_ tensors: inout [String: AnyTensor]) {
    tensors = tensors.mapValues { $0.edited { for i in $0.indices { $0[i] = 1 } } }
  }
  private static func zeros(_ tensors: inout [String: AnyTensor]) {
    tensors = tensors.mapValues { $0.edited { for i in $0.indices { $0[i] = 0 } } }
  }

  @Test func `weights of ones would not notice a flipped kernel, and one good case is enough`() async throws {
    let text = "conv2d n1c2h5w6 k3r3s2 stride1 pad1"
    let ones = try golden(text, forwardOnly: true) { Self.ones(&$0.parameters) }
    let record = try #require(try await judge([ones]))
    #expect(record.unnoticed == ["flipped kernel"])
    #expect(record.notJudged.keys.sorted() == ["dropped bias"], "there is none")
    #expect(try await judge([ones, golden(text)])?.isVacuous == false)
  }

  /// Defects that such a case cannot show, whatever its data, and that others of its operation show.
  @Test(arguments: [
    ("adaptive_avg_pool2d n2c3h7w7 output1", "shifted window"), ("softmax n8c1", "shifted input"),
    ("basic_block n2c3h1w1 k3", "flipped kernel"), ("conv2d n2c3h4w5 k2r1s1", "flipped kernel"),
  ])
  func `what cannot show is not judged`(text: String, defect: String) async throws {
    let record = try #require(try await judge([golden(text)]))
    #expect(record.unnoticed == [])
    #expect(record.notJudged[defect]?.contains("cannot show") == true, "\(record.notJudged)")
  }

  @Test func `one class has one loss`() async throws {
    #expect(try await judge([golden("cross_entropy n8c1")])?.unnoticed == [])
  }

  @Test(arguments: ["max_pool2d n1c3h10w11 kernel2 stride3", "avg_pool2d n2c3h7w9 kernel3"])
  func `the dropped term is one that a window holds`(text: String) async throws {
    let outside = try golden(text) { exercise in
      // The greatest element of all lies in a row that no window reaches.
      exercise.inputs["x"] = exercise.inputs["x"]?.edited { $0[$0.count - 1] = 100 }
    }
    #expect(try await judge([outside])?.isVacuous == false)
  }

  @Test(arguments: ["batch_norm2d n4c3h3w3 training", "conv2d n1c2h5w6 k3r3s2", "linear n3c4 k5", "relu n2c3h4w5"])
  func `cotangents of zeros notice nothing`(text: String) async throws {
    let zeros = try golden(text) { Self.zeros(&$0.upstream) }
    let record = try #require(try await judge([zeros]))
    #expect(record.unnoticed.contains("doubled gradient in gradients/x"), "\(record.unnoticed)")
    #expect(record.unnoticed.allSatisfy { $0.contains(" in gradients/") }, "the outputs are sound")
    #expect(try await judge([zeros, golden(text)])?.isVacuous == false)
  }

  @Test func `cotangents of ones leave a backward pass free to ignore them`() async throws {
    let ones = try golden("conv2d n2c2h5w6 k3r3s2") { Self.ones(&$0.upstream) }
    let record = try #require(try await judge([ones]))
    #expect(record.unnoticed.contains("cotangents of ones in gradients/x"))
    #expect(!record.unnoticed.contains("doubled gradient in gradients/x"))
  }

  @Test func `only adversarial cases are excused, but not a file of ones`() async throws {
    let text = "conv2d n1c2h5w6 k3r3s2 stride1 pad1"
    let odd = try golden(text, fill: .adversarial, forwardOnly: true) { Self.ones(&$0.parameters) }
    let excused = try #require(try await judge([odd]))
    #expect(!excused.isVacuous)
    #expect(excused.notJudged["flipped kernel"]?.contains("adversarial") == true)
    let softmax = try golden("softmax n4c5", fill: .adversarial) { exercise in
      Self.ones(&exercise.inputs)
      Self.ones(&exercise.upstream)
    }
    let worthless = try #require(try await judge([softmax]))
    #expect(worthless.unnoticed.contains("shifted input"), "\(worthless)")
    #expect(worthless.isVacuous)
    // An operation with other cases is judged by those.
    #expect(try await judge([softmax, golden("softmax n4c5")])?.isVacuous == false)
  }

  @Test func `records of older runs are read`() throws {
    let old = Data(#"{"operation": "relu", "noticedBy": {"gate dropped": ""}}"#.utf8)
    let record = try JSONDecoder().decode(VacuityRecord.self, from: old)
    #expect(record == VacuityRecord(operation: "relu", noticedBy: ["gate dropped": ""]))
  }
}
