import Foundation
import GoldenFiles

/// Parses users' files in a child process under limits of memory and time: the headers of safetensors files, and pictures.
///
/// What the child makes of them is looked at again: a header's offsets are held against the file's size, and pixels are as many
/// as were asked for.
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
    enum Task: Codable {
      case headers(GoldenLimits)
      case pictures(PictureSize)
    }

    var task: Task
    var resources: GoldenFileProbe.Resources
    var paths: [String]
  }

  private struct HeaderReply: ProbeReply, Codable {
    /// Of the header's bytes.
    var sha256 = ""
    var header = SafetensorsHeader()
    var error: GoldenFileError?
    var payloadBytes: Int { 0 }
  }

  private struct PictureReply: ProbeReply, Codable {
    var payloadBytes = 0
    var error: GoldenFileError?
  }

  private func runner<Reply: ProbeReply>(
    _ task: Request.Task, _: Reply.Type, maximumPayload: Int = 0
  ) -> ProbeRunner<Reply> {
    ProbeRunner(
      executable: executable, subcommand: Self.subcommand, resources: resources, maximumPayload: maximumPayload
    ) { paths in
      let request = Request(task: task, resources: resources, paths: paths)
      return String(decoding: try JSONEncoder().encode(request), as: UTF8.self)
    }
  }

  /// The headers of safetensors files, as the child parsed them, and the digest of the bytes that it parsed.
  /// - Parameters:
  ///   - paths: the files.
  ///   - limits: what each may ask for.
  ///   - receive: takes each header, or why there is none, in order.
  /// - Throws: what `receive` throws.
  package func headers(
    of paths: [String], limits: GoldenLimits,
    _ receive: (Result<(header: SafetensorsHeader, sha256: String), GoldenFileError>) throws(GoldenFileError) -> Void
  ) throws(GoldenFileError) {
    try runner(.headers(limits), HeaderReply.self).run(paths) { (verdict) throws(GoldenFileError) in
      try receive(verdict.map { ($0.reply.header, $0.reply.sha256) })
    }
  }

  /// The header of a safetensors file.
  /// - Parameters:
  ///   - path: the file.
  ///   - json: the header's bytes, which must be those that the child found.
  ///   - limits: what the file may ask for.
  /// - Throws: ``GoldenFiles/GoldenFileError``.
  func header(of path: String, json: [UInt8], limits: GoldenLimits) throws(GoldenFileError) -> SafetensorsHeader {
    var header = SafetensorsHeader()
    try headers(of: [path], limits: limits) { (found) throws(GoldenFileError) in
      let found = try found.get()
      guard found.sha256 == FileDigest.sha256(of: json) else {
        throw GoldenFileError(
          .damaged, file: path, expected: "a file that stays as it is", found: "one that changed while it was checked",
          advice: "try again when nothing writes to it")
      }
      header = found.header
    }
    return header
  }

  /// Pictures as planes of red, green and blue.
  /// - Parameters:
  ///   - paths: the files.
  ///   - size: what each becomes.
  ///   - receive: takes the planes of each, or why there are none, in order.
  /// - Throws: what `receive` throws.
  package func pictures(
    _ paths: [String], _ size: PictureSize,
    _ receive: (Result<[UInt8], GoldenFileError>) throws(GoldenFileError) -> Void
  ) throws(GoldenFileError) {
    let bytes = 3 * size.side * size.side
    var done = 0
    let runner = runner(.pictures(size), PictureReply.self, maximumPayload: bytes)
    try runner.run(paths) { (verdict) throws(GoldenFileError) in
      let path = paths[done]
      done += 1
      switch verdict {
      case .failure(let error): try receive(.failure(error))
      case .success(let answer) where answer.payload.count == bytes: try receive(.success(answer.payload))
      case .success(let answer):
        try receive(
          .failure(
            GoldenFileError(
              .probeFailed, file: path, expected: "\(bytes) bytes of pixels", found: "\(answer.payload.count)",
              advice: "the file is damaged or hostile: do not use it")))
      }
    }
  }

  // MARK: The child's side

  /// Limits this process, parses each file of the request, and answers for it.
  ///
  /// - Parameter request: the argument that the parent gave after the subcommand.
  /// - Throws: when the request is not one; files never make it throw.
  public static func serve(_ request: String) throws {
    let request = try JSONDecoder().decode(Request.self, from: Data(request.utf8))
    ProbeLimits.begin(request.resources)
    for path in request.paths {
      ProbeLimits.beginFile(request.resources)
      switch request.task {
      case .headers(let limits): try ProbeLimits.answer(headerReply(path, limits: limits))
      case .pictures(let size):
        do {
          let planes = try size.planes(ofFile: path)
          try ProbeLimits.answer(PictureReply(payloadBytes: planes.count), payload: planes)
        } catch let error as GoldenFileError { try ProbeLimits.answer(PictureReply(error: error)) }
      }
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
