import Foundation

extension GoldenFileProbe {
  /// The child's side: limits itself, parses each file of the request, prints one line a file.
  ///
  /// - Parameter request: the argument that the parent gave after the subcommand.
  /// - Throws: when the request is not one; files never make it throw.
  public static func serve(_ request: String) throws {
    let request = try JSONDecoder().decode(GoldenProbeRequest.self, from: Data(request.utf8))
    ProbeLimits.begin(request.resources)
    for path in request.paths {
      ProbeLimits.beginFile(request.resources)
      try ProbeLimits.answer(reply(path, limits: request.limits))
    }
  }

  private static func reply(_ path: String, limits: GoldenLimits) -> GoldenProbeReply {
    do {
      let image = try GoldenFileBytes.read(path, limits: limits)
      let file = try GoldenFile(path: path, image: image.bytes, sha256: image.sha256, isListed: false, limits: limits)
      try file.validate(skippingCostly: true)
      return GoldenProbeReply(sha256: image.sha256, caseCount: file.cases.count)
    } catch {
      return GoldenProbeReply(error: error)
    }
  }
}

/// What the parent asks of the child, as its one argument.
struct GoldenProbeRequest: Codable {
  var resources: GoldenFileProbe.Resources
  var limits: GoldenLimits
  var paths: [String]
}

/// The child's line for one file.
struct GoldenProbeReply: ProbeReply, Codable {
  var sha256 = ""
  var caseCount = 0
  var error: GoldenFileError?
  var payloadBytes: Int { 0 }
}
