import GoldenFiles
import Problems
import Operations
import Tensors

extension WeightsFile {
  /// Planes that the first stage of a network in a file may have.
  public static let widths = 1...4_096

  /// The network that the file is of.
  /// - Parameter path: where it was read, for messages.
  /// - Throws: ``Problems/ProblemError`` for an architecture that does not exist,
  ///   ``GoldenFiles/GoldenFileError`` for a width that none has.
  public func network(from path: String) throws -> ResNetArchitecture {
    guard let architecture else {
      throw GoldenFileError(
        .missing, file: path, expected: "the names and shapes of a network that Assay knows", found: "others",
        advice: "--model NAME says what differs from that one")
    }
    let found = try ResNetArchitecture(named: architecture)
    guard let width else { return found }
    guard Self.widths.contains(width) else {
      throw GoldenFileError(
        .inconsistent, file: path, object: "/@width",
        expected: "\(Self.widths.lowerBound) to \(Self.widths.upperBound)", found: "\(width)")
    }
    return found.scaled(toWidth: width)
  }

  /// The values of a network that the file has to fit.
  /// - Throws: ``Operations/StateDictMismatch``, or ``GoldenFiles/GoldenFileError`` for a value that no network has.
  public func state(of plan: NetworkPlan, from path: String) throws -> NetworkState<Float> {
    var state = NetworkState<Float>(zerosOf: plan)
    try load(into: &state, of: plan, from: path, strict: true)
    return state
  }

  /// Puts what fits into a network.
  /// - Returns: what did not fit.
  /// - Throws: ``GoldenFiles/GoldenFileError`` for a value that no network has; where strict, ``Operations/StateDictMismatch``.
  @discardableResult
  public func load(
    into state: inout NetworkState<Float>, of plan: NetworkPlan, from path: String, strict: Bool = false
  ) throws -> StateDictMismatch {
    let mismatch = try state.load(tensors, into: plan, strict: strict)
    if let defect = state.defect {
      throw GoldenFileError(
        .inconsistent, file: path, object: "/state_dict/\(defect.name)[\(defect.index)]", expected: defect.expected,
        found: defect.found, advice: "the run that wrote it may have diverged")
    }
    return mismatch
  }
}
