import Foundation
import GoldenFiles
import Problems
import Results
import Tensors

/// `known_failures.toml`: defects of engines that are known and excused for a while, so that the gate stays of use.
///
///     [[known_failure]]
///     engine = "openvino"
///     case = "/conv2d/adversarial/nan*"
///     reason = "flushes denormals, openvino#12345"
///     expires = 2027-03-01
///     dtype = ["float16", "bfloat16"]
///     tensor = "gradients/*"
///
/// An entry with `dtype` excuses nothing in other types, one with `tensor` no case in which another tensor fails, too; without them
/// it excuses all.
///
/// An entry that has expired, or that no longer excuses anything, is itself a failure. The latter shows only where everything
/// that it covers was run: all its cases in the types that it names, or else in both standard ones. A shard, a filter or one precision alone decides nothing, and
/// `merge` decides by what the shards found together.
public struct KnownFailures: Sendable {
  public struct Entry: Sendable, Hashable {
    public let engine: String
    public let cases: NamePattern
    public let reason: String
    /// `yyyy-mm-dd`; the last day on which the entry holds.
    public let expires: String
    /// The types that it is restricted to.
    public let dtypes: [DType]?
    /// The tensors that it is restricted to, by path.
    public let tensor: NamePattern?

    public init(
      engine: String, cases: String, reason: String, expires: String, dtypes: [DType]? = nil, tensor: String? = nil
    ) {
      self.engine = engine
      self.cases = NamePattern(cases)
      self.reason = reason
      self.expires = expires
      self.dtypes = dtypes
      self.tensor = tensor.map { NamePattern($0) }
    }

    /// The types that all have to be run before it may be called stale.
    var decisiveTypes: [DType] { dtypes ?? VerificationPlan.allDTypes }

    func covers(_ result: CaseResult) -> Bool {
      result.engine == engine && cases.matches(result.name)
        && dtypes?.contains { $0.rawValue == result.dtype } ?? true
    }

    /// Whether a failure is the one that it is about.
    func isAbout(_ failure: CaseResult) -> Bool {
      guard let tensor else { return true }
      let failing = failure.tensors.filter { !$0.passes }
      return !failing.isEmpty && failing.allSatisfy { tensor.matches($0.path) }
    }
  }

  public let entries: [Entry]
  /// Of the file's text; `nil` where there is no file.
  public let sha256: String?

  public init(_ entries: [Entry] = []) { self.init(entries, sha256: nil) }

  package init(_ entries: [Entry], sha256: String?) {
    self.entries = entries
    self.sha256 = sha256
  }

  /// Marks the failures that an entry excuses, and says of each entry what was found of it.
  /// - Parameters:
  ///   - results: of the run; excused failures are marked in place.
  ///   - today: `yyyy-mm-dd`.
  ///   - covered: how many results there would be of an entry if everything that it covers were run; `nil` where that cannot
  ///     be told.
  public func apply(
    to results: inout [CaseResult], today: String, covered: (Entry) -> Int?
  ) -> [KnownFailureRecord] {
    entries.map { entry in
      let isExpired = entry.expires < today
      var record = KnownFailureRecord(
        engine: entry.engine, caseGlob: entry.cases.description, dtypes: entry.dtypes?.map(\.rawValue),
        tensor: entry.tensor?.description, expired: isExpired ? entry.expires : nil,
        covered: covered(entry))
      for index in results.indices where entry.covers(results[index]) {
        // What was not run may fail still.
        let isDecisive = entry.decisiveTypes.contains { $0.rawValue == results[index].dtype }
        if results[index].status != .notRun, isDecisive { record.found += 1 }
        guard [.fail, .error].contains(results[index].status), entry.isAbout(results[index]) else { continue }
        record.failing += 1
        if !isExpired { results[index].knownFailure = entry.reason }
      }
      return record
    }
  }
}
