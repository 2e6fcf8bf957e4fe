import Problems
import Synchronization

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// Times of strategies that were measured on this machine, kept between runs in one small text file.
///
/// A line is `instruction set, pass, problem, strategy, nanoseconds`, separated by tabs; of several for the same
/// measurement the last counts. The first line names the CPU: times of another are not used.
public final class ConvolutionPlans: Sendable {
  private struct Key: Hashable {
    var instructionSet: InstructionSet
    var pass: ConvolutionPass
    var problem: String
  }

  /// The file, if they are kept in one.
  public let path: String?
  private let times: Mutex<[Key: [String: Double]]>

  /// `ASSAY_PLANS` if set (empty: none is kept), else `assay/convolution-plans` in the user's cache folder.
  public static let shared = ConvolutionPlans(path: defaultPath)

  private static var defaultPath: String? {
    func variable(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }
    if let path = variable("ASSAY_PLANS") { return path.isEmpty ? nil : path }
    if let cache = variable("XDG_CACHE_HOME"), !cache.isEmpty { return cache + "/assay/convolution-plans" }
    return variable("HOME").map { $0 + "/.cache/assay/convolution-plans" }
  }

  /// Reads the file at `path`; one that is missing, of another CPU or damaged is as good as empty.
  public init(path: String?) {
    self.path = path
    var found: [Key: [String: Double]] = [:]
    let lines = path.map { Machine.lines(of: $0) } ?? []
    if lines.first.map(String.init) == Self.header {
      for line in lines.dropFirst() {
        let fields = line.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
        guard fields.count == 5, let instructionSet = InstructionSet(rawValue: fields[0]),
          let pass = ConvolutionPass(rawValue: fields[1]), let time = Double(fields[4]), time > 0
        else { continue }
        found[Key(instructionSet: instructionSet, pass: pass, problem: fields[2]), default: [:]][fields[3]] = time
      }
    }
    times = Mutex(found)
  }

  private static var header: String { "assay convolution plans 1\t\(Machine.current.model)" }

  /// The fastest of the strategies, or nil unless all of them have been measured: half a comparison would favour those
  /// that were.
  public func fastest(
    _ problem: Conv2dProblem, _ pass: ConvolutionPass, _ instructionSet: InstructionSet, among names: [String]
  ) -> String? {
    let key = Key(instructionSet: instructionSet, pass: pass, problem: problem.text)
    guard let measured = times.withLock({ $0[key] }), names.allSatisfy({ measured[$0] != nil }) else { return nil }
    return names.min { (measured[$0] ?? .infinity) < (measured[$1] ?? .infinity) }
  }

  /// Keeps a measurement, in the file too if that can be written.
  public func record(
    _ problem: Conv2dProblem, _ pass: ConvolutionPass, _ instructionSet: InstructionSet, strategy: String,
    nanoseconds: Double
  ) {
    let key = Key(instructionSet: instructionSet, pass: pass, problem: problem.text)
    times.withLock { times in
      times[key, default: [:]][strategy] = nanoseconds
      guard let path else { return }
      let fresh = Machine.lines(of: path).first.map(String.init) != Self.header
      if fresh { Self.makeFolders(of: path) }
      guard let file = fopen(path, fresh ? "w" : "a") else { return }
      defer { fclose(file) }
      let line = "\(instructionSet.rawValue)\t\(pass.rawValue)\t\(key.problem)\t\(strategy)\t\(nanoseconds)\n"
      fputs(fresh ? Self.header + "\n" + line : line, file)
    }
  }

  private static func makeFolders(of path: String) {
    for (index, character) in zip(path.indices, path) where character == "/" && index > path.startIndex {
      mkdir(String(path[..<index]), 0o755)
    }
  }
}
