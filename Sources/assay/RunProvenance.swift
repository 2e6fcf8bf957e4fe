import Convolution
import Foundation
import Results

extension Provenance {
  /// Where this run comes from. The commit is that of the folder that the command runs in, if it is in a repository.
  static func current(seed: UInt64) -> Provenance {
    let commit = git(["rev-parse", "HEAD"])
    return Provenance(
      assayVersion: Assay.version, command: ["assay"] + CommandLine.arguments.dropFirst(), seed: seed,
      started: Date().ISO8601Format(), gitCommit: commit,
      gitDirty: commit == nil ? nil : git(["status", "--porcelain", "--untracked-files=no"]).map { !$0.isEmpty },
      compiler: compiler, compilerFlags: flags, operatingSystem: ProcessInfo.processInfo.operatingSystemVersionString,
      cpuModel: Machine.current.model, coreCount: ProcessInfo.processInfo.activeProcessorCount,
      instructionSet: try? InstructionSet.selected().rawValue)
  }

  private static var compiler: String {
    #if compiler(>=6.4)
      "Swift 6.4 or later"
    #elseif compiler(>=6.3)
      "Swift 6.3"
    #else
      "Swift 6.2"
    #endif
  }

  private static var flags: String {
    #if DEBUG
      "debug"
    #else
      "release"
    #endif
  }

  private static func git(_ arguments: [String]) -> String? {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = ["git"] + arguments
    let output = Pipe()
    process.standardOutput = output
    process.standardError = FileHandle.nullDevice
    guard (try? process.run()) != nil else { return nil }
    let data = output.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    guard process.terminationStatus == 0 else { return nil }
    return String(decoding: data, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
  }
}
