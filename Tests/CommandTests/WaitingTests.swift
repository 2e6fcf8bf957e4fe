import Foundation
import Testing

/// For tests that spend most of their time waiting for a program: they run on threads of their own, so that the pool, which has
/// a thread for each core, goes on with tests that compute.
struct WaitingTests: SuiteTrait, TestScoping {
  func provideScope(
    for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
  ) async throws {
    try await withTaskExecutorPreference(WaitingThreads.shared) { try await function() }
  }
}

extension Trait where Self == WaitingTests {
  /// On threads of their own, two at a time.
  static var waiting: Self { Self() }
}

/// Two threads beside the pool's. Many programs at once would only wait for cores, and some of them measure time. They are no
/// queue's of Dispatch, whose threads are the pool's, too.
private final class WaitingThreads: TaskExecutor {
  static let shared = WaitingThreads()
  private let threads = DispatchSemaphore(value: 2)
  private let queue = DispatchQueue(label: "waiting tests")

  func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    queue.async { [self] in
      threads.wait()
      Thread.detachNewThread {
        job.runSynchronously(on: self.asUnownedTaskExecutor())
        self.threads.signal()
      }
    }
  }
}
