import Foundation
import GoldenFiles

/// Parses what users' files say of themselves in a child process under limits of memory and time: the header of a
/// safetensors file. The numbers after it are copied by this process, which looks at every offset again.
public struct NetworkFileProbe: Sendable {
  /// The hidden subcommand.
  public static let subcommand = "network-file-probe"

  public var executable: String
  public var resources: GoldenFileProbe.Resources

  public init(
    executable: String,
    resources: GoldenFileProbe.Resources = .init(memoryBytes: 1 << 31, processorSeconds: 30, wallSeconds: 120)
  ) {
    self.executable = executable
    self.resources = resources
  }

  /// The probe that runs the current executable again; nil when its path cannot be told.
  public static func ofThisExecutable() -> NetworkFileProbe? {
    Bundle.main.executablePath.map { NetworkFileProbe(executable: $0) }
  }

  /// What the child is asked.
  private struct Request: Codable {
    var resources: GoldenFileProbe.Resources
    var limits: GoldenLimits
    var paths: [String]
  }

  private struct HeaderReply: ProbeReply, Codable {
    /// Of the header's bytes.
    var sha256 = ""
    var header = SafetensorsHeader()
    var error: GoldenFileError?
    var payloadBytes: Int { 0 }
  }

  /// The header of a safetensors file, as the child parsed it.
  /// - Parameters:
  ///   - path: the file.
  ///   - json: the header's bytes, which must be those that the child found.
  ///   - limits: what the file may ask for.
  /// - Throws: ``GoldenFiles/GoldenFileError``.
  func header(of path: String, json: [UInt8], limits: GoldenLimits) throws(GoldenFileError) -> SafetensorsHeader {
    let runner = ProbeRunner<HeaderReply>(
      executable: executable, subcommand: Self.subcommand, resources: resources
    ) { paths in
      let request = Request(resources: resources, limits: limits, paths: paths)
      return String(decoding: try JSONEncoder().encode(request), as: UTF8.self)
    }
    var header = SafetensorsHeader()
    try runner.run([path]) { (verdict) throws(GoldenFileError) in
      let reply = try verdict.get().reply
      guard reply.sha256 == FileDigest.sha256(of: json) else {
        throw GoldenFileError(
          .damaged, file: path, expected: "a file that stays as it is", found: "one that changed while it was checked",
          advice: "try again when nothing writes to it")
      }
      header = reply.header
    }
    return header
  }

  // MARK: The child's side

  /// Limits this process, parses each file of the request, and prints one line a file.
  ///
  /// - Parameter request: the argument that the parent gave after the subcommand.
  /// - Throws: when the request is not one; files never make it throw.
  public static func serve(_ request: String) throws {
    let request = try JSONDecoder().decode(Request.self, from: Data(request.utf8))
    ProbeLimits.begin(request.resources)
    for path in request.paths {
      ProbeLimits.beginFile(request.resources)
      try ProbeLimits.answer(headerReply(path, limits: request.limits))
    }
  }

  private static func headerReply(_ path: String, limits: GoldenLimits) -> HeaderReply {
    do throws(GoldenFileError) {
      let start = SafetensorsHeader.lengthBytes
      let (first, fileBytes) = try GoldenFileBytes.regularFile(path, limits: limits, start: start)
      let length = try SafetensorsHeader.length(first, fileBytes: fileBytes, file: path)
      let (bytes, _) = try GoldenFileBytes.regularFile(path, limits: limits, start: start + length)
      let json = Array(bytes.dropFirst(start))
      let header = try SafetensorsHeader(json: json, file: path, limits: limits)
      try header.validate(dataBytes: fileBytes - start - length, file: path, limits: limits)
      return HeaderReply(sha256: FileDigest.sha256(of: json), header: header)
    } catch { return HeaderReply(error: error) }
  }
}
