import Foundation
import Results
import Testing

/// What failures look like together: mistakes that give each of them.
@Suite struct FailureCauseTests {
  private func result(
    _ name: String, _ pattern: String, _ causes: [CauseRecord]?, operation: String = "op", fill: String = "random"
  ) -> CaseResult {
    var result = CaseResult(
      file: "a.h5", name: name, operation: operation, fill: fill, engine: "mine", dtype: "float32", status: .fail,
      tensors: [
        TensorResult(path: "outputs/y", shape: [8], compared: 8, failing: 2, worstRatio: 4, pattern: pattern)
      ])
    result.diagnosis = causes.map { DiagnosisRecord(causes: $0, tried: 60) }
    return result
  }

  private func cause(_ name: String, _ kind: CauseKind = .defect, _ sureness: Sureness = .agrees) -> CauseRecord {
    CauseRecord(name: name, kind: kind, sureness: sureness)
  }

  private func titles(_ results: [CaseResult]) -> [String] {
    FailureGroup.groups(
      of: VerificationSection(
        engines: [], files: [], results: results, vacuity: [], staleKnownFailures: [], lambda: 8, filters: [], tags: [],
        shard: nil, strict: false, seconds: 1)
    ).map(\.title)
  }

  @Test func `a mistake that gives every failure is the reason, whatever elements show it`() {
    let found = titles([
      result("/a", "2 of 8 elements, spread out", [cause("bias dropped"), cause("tap dropped")]),
      result("/b", "every element", [cause("bias dropped")]), result("/c", "every element", nil),
    ])
    #expect(
      found == [
        "all 3 results of mine are wrong: outputs/y: every element (2); spread out (1); "
          + "agrees with: bias dropped"
      ])
  }

  @Test func `mistakes that nothing tells apart are what it looks like`() {
    let found = titles([result("/a", "every element", [cause("first"), cause("second")])])
    #expect(found == ["the only result of mine is wrong: outputs/y: every element; looks like: first, or second"])
  }

  @Test func `a mistake that does not give every failure is never sure`() {
    let found = titles([
      result("/a", "every element", [cause("first", .defect, .exactly)]), result("/b", "one element", []),
    ])
    #expect(
      found == [
        "1 of 2 results of mine is wrong: outputs/y: every element; looks like: first",
        "1 of 2 results of mine is wrong: outputs/y: one element",
      ])
  }

  @Test func `no number of results makes sure what something speaks against`() {
    func found(_ doubtful: Set<Int>) -> String? {
      let causes = (0..<5).map { index in
        CauseRecord(name: "halved", kind: .result, sureness: .agrees, isDoubtful: doubtful.contains(index))
      }
      return FailureCause(causes.enumerated().map { result("/\($0)", "every element", [$1]) }, isPart: false)?.text
    }
    #expect(found([]) == "agrees with: halved")
    #expect(found([3]) == "looks like: halved")
    #expect(found([0, 1, 2, 3, 4]) == "looks like: halved")
  }

  @Test func `rounding is named before what the operation knows, across operations`() {
    let found = titles(
      ["conv", "linear"].map { operation in
        result(
          "/\(operation)", "every element",
          [
            cause("inputs of \(operation) rounded", .defect, .exactly),
            cause("operands rounded to 11 bits", .rounding, .exactly),
          ], operation: operation)
      })
    #expect(
      found == [
        "all 2 results of mine are wrong: outputs/y: every element; is exactly what comes of: operands rounded to 11 bits"
      ])
  }

  @Test func `a diagnosis survives the file`() throws {
    let stored = try JSONEncoder().encode(result("/a", "every element", [cause("x", .rounding, .looksLike)]))
    let read = try JSONDecoder().decode(CaseResult.self, from: stored)
    #expect(read.diagnosis?.causes == [cause("x", .rounding, .looksLike)])
    #expect(read.cause?.text == "looks like: x")
  }
}
