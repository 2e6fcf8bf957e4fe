import Engines
import Foundation
import GoldenFiles
import Problems
import Tensors
import Testing

/// The reference against the golden corpus in double precision, by a yardstick that needs no bound for each element: the
/// random and exact cases are sums of at most 2¹³ terms of one size, so that two correct double results agree to 2⁻³⁸ of
/// the tensor's largest value. Adversarial ones cancel by up to 2¹⁴ more. (`assay verify` holds each element against its
/// own derived bound, in both precisions.)
@Suite struct ReferenceEngineTests {
  static let fixtures = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().appending(path: "Fixtures")

  static let files: [String] = {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: fixtures.path)) ?? []
    return names.filter { $0.hasSuffix(".h5") }.sorted()
  }()

  @Test func corpusIsThere() { #expect(!Self.files.isEmpty) }

  @Test(arguments: files)
  func agreesWithTheCorpus(name: String) throws {
    let file = try GoldenReader(trusted: nil, probe: nil).open(Self.fixtures.appending(path: name).path)
    let engine = ReferenceEngine()
    // Whole networks take minutes together; one of each kind is enough here, `assay verify` runs them all.
    let networks: Set = ["resnet", "training_run"]
    for summary in file.cases where !networks.contains(summary.operation) || summary.tags.contains("smoke") {
      let golden = try file.load(summary)
      var exercise = golden.exercise
      exercise.dtype = .float64
      exercise.passes = [.forward, .backward]
      exercise.wanted = Set(golden.expected.keys)
      do throws(EngineError) {
        let answer = try engine.compute(exercise)
        #expect(golden.expectError == nil, "\(golden.name) should have been refused")
        for (path, expected) in golden.expected {
          guard let found = answer[path] else {
            Issue.record("\(golden.name): no \(path)")
            continue
          }
          let isAdversarial = golden.fill == .adversarial
          // A sum that cancels to nothing leaves roundings of its terms, in either program.
          let least = isAdversarial ? 0x1p-10 * exercise.largestMagnitude : 0
          if let complaint = disagreement(found, expected, isAdversarial ? 0x1p-24 : 0x1p-38, least: least) {
            Issue.record("\(golden.name) \(path): \(complaint)")
          }
        }
      } catch {
        guard let expected = golden.expectError, case .refused(expected.rawValue, _) = error else {
          Issue.record("\(golden.name): \(error)")
          continue
        }
      }
    }
  }

  /// What is wrong with the first wrong element; `nil` when nothing is.
  private func disagreement(
    _ found: AnyTensor, _ expected: ExpectedTensor, _ allowed: Double, least: Double
  ) -> String? {
    guard found.shape == expected.shape else { return "shape \(found.shape), not \(expected.shape)" }
    let values = found.doubles.elements
    let pairs: [(Int, Double)] =
      switch expected.value {
      case .whole(let tensor): Array(tensor.doubles.elements.enumerated())
      case .sampled(let sampled): Array(zip(sampled.indices, sampled.values))
      }
    let scale = pairs.reduce(least) { $1.1.isFinite ? max($0, abs($1.1)) : $0 }
    for (index, wanted) in pairs {
      let got = values[index]
      let holds = wanted.isFinite ? abs(got - wanted) <= allowed * scale : wanted.isNaN ? got.isNaN : got == wanted
      if !holds { return "\(found.shape.index(ofOffset: index)): got \(got), expected \(wanted)" }
    }
    return nil
  }
}

extension Exercise {
  /// Of operands and cotangents, what is not finite left aside.
  fileprivate var largestMagnitude: Double {
    [inputs, parameters, upstream].flatMap(\.values).flatMap(\.doubles.elements).reduce(0) {
      $1.isFinite ? max($0, abs($1)) : $0
    }
  }
}
