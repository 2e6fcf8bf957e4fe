import GoldenFiles
import Problems
import Results
import Tensors

/// One case of a run: where it comes from, and what it costs.
struct VerificationJob: Sendable {
  enum Origin: Sendable { case file(GoldenFile), fresh(FreshCases) }

  let origin: Origin
  let summary: GoldenCaseSummary
  /// What a case takes that is so large that it is slow, or whose problem was named; nothing for others, which are small.
  let bytes: SaturatingCount

  init(_ origin: Origin, _ summary: GoldenCaseSummary) {
    (self.origin, self.summary) = (origin, summary)
    if case .file(let file) = origin, summary.tags.contains("slow") {
      // What is wrong with it is said when it is loaded.
      bytes = Self.bytes(try? file.problem(of: summary))
    } else if case .fresh(let fresh) = origin {
      bytes = Self.bytes(fresh.namedProblem(of: summary))
    } else {
      bytes = 0
    }
  }

  private static func bytes(_ problem: (any OperationProblem)?) -> SaturatingCount {
    (problem as? any LayeredProblem)?.bytesWhileJudged ?? problem?.cost.bytes ?? 0
  }

  var path: String {
    switch origin {
    case .file(let file): file.path
    case .fresh: FreshCases.file
    }
  }

  /// Whether it is one of the cases that have to notice defects.
  var isOfCorpus: Bool { if case .file = origin { true } else { false } }

  /// What verifying it costs beside other cases: steps of its computation, elements that are judged, and what every case
  /// takes. Nobody's seconds, but in proportion to them.
  var cost: Double {
    let problem: (any OperationProblem)? =
      switch origin {
      case .file(let file): try? file.problem(of: summary)
      case .fresh(let fresh): fresh.namedProblem(of: summary)
      }
    guard let problem else { return Self.leastCost }
    return Self.leastCost + 3 * Double(problem.work.value) + 40 * Double(problem.cost.bytes.value) / 4
  }

  private static let leastCost = 2e6

  /// - Parameter passes: what is judged of it; `nil` for all.
  /// - Returns: the case and the paths of what is not asked for; `nil` where nothing of it is.
  func load(_ passes: Set<JudgedPass>?) throws -> (item: VerificationCase, notAsked: [String])? {
    switch origin {
    case .file(let file):
      return VerificationCase(file: path, oracle: file.header.oracleDType, golden: try file.load(summary))
        .keeping(passes)
    case .fresh(let fresh):
      let golden = try fresh.golden(summary, passes: passes)
      let item = VerificationCase(file: path, oracle: .float64, golden: golden)
      guard passes != nil, let (kept, notAsked) = item.keeping(passes) else { return item.keeping(passes) }
      return (kept, (notAsked + golden.uncomputed).sorted())
    }
  }
}
