import Foundation

/// Tries golden files in a child process under limits of memory and time, so that a file which crashes or hangs the
/// library costs one error.
///
/// The child is an executable that calls ``serve(_:)``: this program itself, under a hidden subcommand. It parses each
/// file completely, reading every tensor of every case, and prints one line of JSON a file. When it dies, a new child goes
/// on from the file that it did not answer for.
public struct GoldenFileProbe: Sendable {
  /// What the child may use for one file.
  public struct Resources: Sendable, Hashable, Codable {
    /// Address space of the child, in bytes.
    public var memoryBytes: Int
    public var processorSeconds: Int
    /// How long the parent waits for an answer.
    public var wallSeconds: Double

    public init(memoryBytes: Int = 4 << 30, processorSeconds: Int = 60, wallSeconds: Double = 120) {
      self.memoryBytes = memoryBytes
      self.processorSeconds = processorSeconds
      self.wallSeconds = wallSeconds
    }
  }

  /// What the child found.
  public enum Verdict: Sendable, Hashable {
    /// Everything could be read and made sense. The digest is that of the bytes that the child parsed.
    case sound(sha256: String, caseCount: Int)
    case unsound(GoldenFileError)
  }

  /// The hidden subcommand.
  public static let subcommand = "golden-probe"

  public var executable: String
  public var resources: Resources
  public var limits: GoldenLimits

  public init(executable: String, resources: Resources = Resources(), limits: GoldenLimits = .standard) {
    self.executable = executable
    self.resources = resources
    self.limits = limits
  }

  /// The probe that runs the current executable again; nil when its path cannot be told.
  public static func ofThisExecutable() -> GoldenFileProbe? {
    Bundle.main.executablePath.map { GoldenFileProbe(executable: $0) }
  }

  /// One verdict for each path, in order.
  public func run(_ paths: [String]) -> [Verdict] {
    let runner = ProbeRunner<GoldenProbeReply>(
      executable: executable, subcommand: Self.subcommand, resources: resources
    ) { paths in
      let request = GoldenProbeRequest(resources: resources, limits: limits, paths: paths)
      return String(decoding: try JSONEncoder().encode(request), as: UTF8.self)
    }
    var verdicts: [Verdict] = []
    runner.run(paths) { verdict in
      switch verdict {
      case .success(let answer):
        verdicts.append(.sound(sha256: answer.reply.sha256, caseCount: answer.reply.caseCount))
      case .failure(let error): verdicts.append(.unsound(error))
      }
    }
    return verdicts
  }

  /// Throws unless the child found the whole file sound, and found it with this digest.
  func requireSound(_ path: String, sha256: String) throws(GoldenFileError) {
    switch run([path])[0] {
    case .unsound(let error): throw error
    case .sound(let digest, _):
      guard digest == sha256 else {
        throw GoldenFileError(
          .damaged, file: path, expected: "a file that stays as it is", found: "one that changed while it was checked",
          advice: "try again when nothing writes to it")
      }
    }
  }
}
