import ArgumentParser
import Foundation
import GoldenFiles
import Problems
import Operations
import Tensors

extension NetworkSession {
  // MARK: Weights

  /// The values of a network from a file that has to fit.
  /// - Throws: ``StateDictMismatch``, or ``GoldenFileError`` for a value that no network has.
  static func state(of file: WeightsFile, _ path: String, _ plan: NetworkPlan) throws -> NetworkState<Float> {
    var state = Initialization(seed: 0).state(of: plan, as: Float.self)
    try load(file, path, into: &state, plan, strict: true)
    return state
  }

  /// Takes from a file what fits.
  /// - Returns: what did not.
  @discardableResult
  static func load(
    _ file: WeightsFile, _ path: String, into state: inout NetworkState<Float>, _ plan: NetworkPlan,
    strict: Bool = false
  ) throws -> StateDictMismatch {
    let mismatch = try state.load(file.tensors, into: plan, strict: strict)
    if let defect = state.defect {
      throw GoldenFileError(
        .inconsistent, file: path, object: "/state_dict/\(defect.name)[\(defect.index)]", expected: defect.expected,
        found: defect.found, advice: "the run that wrote it may have diverged")
    }
    return mismatch
  }

  // MARK: Judging

  /// The network after its last epoch.
  /// - Throws: ``TrainingError``: `stopped`, or `diverged` where an image gives numbers that are not finite.
  static func validate(
    _ training: Training<Float>, _ images: PreparedImages, threads: Int, lastBatch: Int
  ) throws(TrainingError) -> Validation {
    do throws(Validation.Failure) {
      let result = try naming(images) { () throws(Validation.Failure) in
        try Validation.run(
          training.options.architecture, classCount: training.options.classCount, state: training.step.state,
          data: images, threads: threads, shouldStop: { Task.isCancelled })
      }
      if result.count == images.count { return result }
    } catch {
      switch error {
      case .problem(let problem): throw .problem(problem)
      case .notFinite(let found):
        throw .diverged(epoch: training.epochsDone, batch: lastBatch, finding: "after it \(found)")
      }
    }
    throw .stopped(epoch: training.epochsDone, batch: lastBatch)
  }

  /// Puts an image's row in its file in place of its number among those that are judged.
  static func naming<Result>(
    _ images: PreparedImages, _ body: () throws(Validation.Failure) -> Result
  ) throws(Validation.Failure) -> Result {
    do { return try body() } catch {
      guard case .notFinite(let found) = error else { throw error }
      throw .notFinite(.init(image: images.rows[found.image], subject: found.subject, found: found.found))
    }
  }

  // MARK: Options

  /// A share that can be reached, or missed.
  static func requireShare(_ share: Double?) throws {
    guard let share, !(share >= 0 && share <= 1) else { return }
    throw ValidationError("--require-accuracy \(share): expected a share from 0 to 1")
  }

  /// Whether a file can be made there: asked before work that takes long.
  static func requireWritable(_ path: String) throws(GoldenFileError) {
    let folder = URL(fileURLWithPath: path).deletingLastPathComponent().path
    var isFolder: ObjCBool = false
    let exists = FileManager.default.fileExists(atPath: path, isDirectory: &isFolder)
    guard !(exists && isFolder.boolValue), FileManager.default.isWritableFile(atPath: folder) else {
      throw GoldenFileError(
        .cannotWrite, file: path, expected: "a file that can be written",
        found: exists && isFolder.boolValue ? "a folder" : "a folder that is missing or cannot be written",
        advice: "make the folder, or name another file")
    }
  }
}
