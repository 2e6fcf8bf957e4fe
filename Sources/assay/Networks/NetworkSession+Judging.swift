import ArgumentParser
import Problems
import Operations
import Tensors

extension NetworkSession {
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
}
