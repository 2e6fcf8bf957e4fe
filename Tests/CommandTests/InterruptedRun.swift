import Foundation
import OperatingSystem
import TestSupport

/// One run of the built command that is sent signals while it works, in a temporary folder of its own for everything that it
/// leaves.
struct InterruptedRun {
  let ending: ChildProcess.Ending?
  let folder: TemporaryDirectory
  let output: String

  /// What stayed in the folder for temporaries that is this program's.
  var leftovers: [String] {
    ((try? FileManager.default.contentsOfDirectory(atPath: folder.file("tmp").path)) ?? []).filter {
      $0.hasPrefix(Leftovers.exchangePrefix)
    }
  }

  /// - Parameters:
  ///   - arguments: `FOLDER` in them stands for the run's own folder.
  ///   - ready: a file in that folder that says that the work has begun; without one it has been at work for a moment.
  ///   - signals: sent one after the other, a tenth of a second apart.
  init(_ arguments: [String], ready: String? = nil, signals: [Int32]) throws {
    folder = try TemporaryDirectory()
    let place = folder.url.path(percentEncoded: false)
    let temporaries = folder.file("tmp")
    try FileManager.default.createDirectory(at: temporaries, withIntermediateDirectories: true)
    let command = try RunningCommand(
      arguments.map { $0.replacingOccurrences(of: "FOLDER", with: place) },
      environment: ["TMPDIR": temporaries.path(percentEncoded: false), "ASSAY_PLANS": folder.file("plans").path])
    if let ready {
      let path = folder.file(ready).path(percentEncoded: false)
      let deadline = ContinuousClock.now + .seconds(60)
      command.wait { FileManager.default.fileExists(atPath: path) || ContinuousClock.now > deadline }
    } else {
      command.waitForWork(cpuSeconds: 0.8, atMost: 1.5)
    }
    for signal in signals {
      command.send(signal)
      Thread.sleep(forTimeInterval: 0.1)
    }
    // Generous: what is under way would take minutes, and other tests run beside this one.
    ending = command.ending(within: 20)
    output = command.output
  }

  /// The process whose number the engine wrote to this file.
  func process(_ name: String) throws -> pid_t? {
    pid_t(try String(contentsOf: folder.file(name), encoding: .utf8).trimmingCharacters(in: .whitespacesAndNewlines))
  }

  /// Whether a process runs a while later still; a zombie that nobody has reaped yet does not.
  static func isRunning(_ process: pid_t) -> Bool {
    for _ in 0..<100 {
      let status = (try? String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8)) ?? ""
      if kill(process, 0) != 0 || status.contains(") Z ") { return false }
      Thread.sleep(forTimeInterval: 0.05)
    }
    return true
  }
}
