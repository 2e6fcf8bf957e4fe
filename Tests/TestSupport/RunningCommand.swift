import Foundation
import OperatingSystem
import Synchronization

/// A program while it runs, the built command or another. What it prints is taken as it comes, so that no full pipe stops it.
public final class RunningCommand: Sendable {
  private let child: ChildProcess
  private let printed: [Printed]

  /// What came out of a stream so far.
  private final class Printed: Sendable {
    private let bytes = Mutex<[UInt8]>([])
    private let isOver = DispatchSemaphore(value: 0)

    init(_ stream: Descriptor?) {
      Thread.detachNewThread { [self] in
        while let chunk = stream?.read(), !chunk.isEmpty { bytes.withLock { $0 += chunk } }
        isOver.signal()
      }
    }

    var text: String { String(decoding: bytes.withLock { $0 }, as: UTF8.self) }

    /// Waits for the stream's end.
    func finish() {
      isOver.wait()
      isOver.signal()
    }
  }

  /// - Parameters:
  ///   - program: its path, or a name to be looked up.
  ///   - environment: added to this process's, whose variables of CI systems are taken out.
  ///   - input: of its stdin; nothing for the null device.
  public init(
    _ arguments: [String], of program: String = Repository.command.path(percentEncoded: false),
    in folder: URL = Repository.root, environment: [String: String] = [:], input: [UInt8]? = nil
  ) throws {
    let sharding = [
      "TEST_", "GTEST_", "CI_NODE", "SLURM_", "GITHUB_STEP", "XML_OUTPUT", "TESTBRIDGE_", "BUILDKITE_PARALLEL",
      "CIRCLE_NODE", "SEMAPHORE_JOB", "BITBUCKET_PARALLEL", "JOB_COMPLETION", "AWS_BATCH",
    ]
    let variables = ProcessInfo.processInfo.environment
      .filter { entry in !sharding.contains { entry.key.hasPrefix($0) } }
      .merging(environment) { _, new in new }
    let isNamed = !program.contains("/")
    child = try ChildProcess(
      isNamed ? "/usr/bin/env" : program, (isNamed ? [program] : []) + arguments, environment: variables,
      directory: folder.path(percentEncoded: false), input: input == nil ? .null : .pipe, output: .pipe, errors: .pipe)
    printed = [Printed(child.output), Printed(child.errors)]
    if let input {
      child.input?.write(input)
      child.input?.close()
    }
  }

  /// A line of bash.
  public convenience init(
    shell line: String, in folder: URL = Repository.root, environment: [String: String] = [:]
  ) throws {
    try self.init(["-c", line], of: "bash", in: folder, environment: environment)
  }

  public var output: String { printed[0].text }
  public var errors: String { printed[1].text }
  public var isRunning: Bool { child.ending == nil }

  /// Waits until `isReady` holds, or the program has ended.
  /// - Parameter pause: seconds between two looks.
  public func wait(pause: Double = 0.01, until isReady: () throws -> Bool) rethrows {
    while isRunning, try !isReady() { Thread.sleep(forTimeInterval: pause) }
  }

  /// Waits until it is at work: its words are read, and it says something or has spent this much CPU time, whatever else the
  /// machine is busy with.
  /// - Parameters:
  ///   - cpuSeconds: of the program and what it started.
  ///   - seconds: for one that waits for something itself.
  public func waitForWork(cpuSeconds: Double, atMost seconds: Double) {
    let limit = ContinuousClock.now + .seconds(seconds)
    // A look at every process of the machine costs a millisecond.
    wait(pause: 0.05) {
      !output.isEmpty || ContinuousClock.now > limit
        || child.cpuNanoseconds().map { Double($0) * 1e-9 >= cpuSeconds } ?? false
    }
  }

  public func send(_ signal: Int32) {
    if isRunning { kill(child.identifier, signal) }
  }

  /// Waits for its end and that of what it prints, and kills it when it takes longer.
  /// - Returns: how it ended by itself; `nil` when it did not.
  public func ending(within seconds: Double = .infinity) -> ChildProcess.Ending? {
    let ending = child.wait(seconds: seconds)
    if ending == nil { child.killGroup() }
    for stream in printed { stream.finish() }
    return ending
  }
}
