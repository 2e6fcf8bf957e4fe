import ArgumentParser
import Execution
import Problems
import Operations
import Tensors

extension NetworkSession {
  // MARK: Judging

  /// The network after its last epoch.
  /// - Throws: ``TrainingError``: `stopped`, or `diverged` where an image gives numbers that are not finite.
  static func validate(
    _ training: Training<Float>, _ images: PreparedImages, threads: Int, lastBatch: Int, onExecution: Bool
  ) throws(TrainingError) -> Validation {
    do throws(Validation.Failure) {
      let (options, state) = (training.options, training.step.state)
      let result = try naming(images) { () throws(Validation.Failure) in
        guard onExecution else {
          return try Validation.run(
            options.architecture, classCount: options.classCount, state: state, data: images, threads: threads,
            shouldStop: { Task.isCancelled })
        }
        let size = max(1, min(options.batchSize, images.count))
        let classifier: ExecutionClassifier
        do throws(ExecutionError) {
          classifier = try ExecutionClassifier(
            options.architecture, weights: state.stateDict { .float32($0) }, classCount: options.classCount,
            imageShape: images.imageShape, batch: size, threads: threads)
        } catch { throw .problem(ExecutionTrainer.translated(error)) }
        return try Validation.run(
          classCount: options.classCount, data: images, batchSize: size, shouldStop: { Task.isCancelled },
          network: classifier.logits)
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
