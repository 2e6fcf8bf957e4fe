import Problems
import Synchronization

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// Times of strategies that were measured, kept between runs in one small text file.
///
/// After a heading, a line is `CPU, instruction set, pass, problem, strategy, nanoseconds`, separated by tabs; of several for
/// the same measurement the last counts. A problem that was timed within something else says so behind it, in brackets. Times
/// of another CPU than this are not used and not touched: machines may share a home folder, and any number of processes may
/// measure at once.
public final class ConvolutionPlans: Sendable {
  private struct Key: Hashable {
    var instructionSet: InstructionSet
    var pass: ConvolutionPass
    var problem: String

    init(instructionSet: InstructionSet, pass: ConvolutionPass, problem: String) {
      self.instructionSet = instructionSet
      self.pass = pass
      self.problem = problem
    }

    init(_ instructionSet: InstructionSet, _ pass: ConvolutionPass, _ problem: Conv2dProblem, _ setting: String?) {
      self.init(
        instructionSet: instructionSet, pass: pass,
        problem: setting.map { "\(problem.text) (\($0))" } ?? problem.text)
    }
  }

  /// The file, if they are kept in one.
  public let path: String?
  private let cpu: String
  private let times: Mutex<[Key: [String: Double]]>

  /// `ASSAY_PLANS` if set (empty: none is kept), else `assay/convolution-plans` in the user's cache folder.
  public static let shared = ConvolutionPlans(path: defaultPath)

  private static var defaultPath: String? {
    func variable(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }
    if let path = variable("ASSAY_PLANS") { return path.isEmpty ? nil : path }
    if let cache = variable("XDG_CACHE_HOME"), !cache.isEmpty { return cache + "/assay/convolution-plans" }
    return variable("HOME").map { $0 + "/.cache/assay/convolution-plans" }
  }

  /// Reads the file at `path`; one that is missing or no such file is as good as empty.
  /// - Parameters:
  ///   - path: where the times are kept; `nil` keeps them in memory alone.
  ///   - cpu: the machine whose times are used and recorded.
  public init(path: String?, cpu: String = Machine.current.model) {
    self.path = path
    self.cpu = cpu.replacing("\t", with: " ")
    var found: [Key: [String: Double]] = [:]
    let text = path.flatMap { LockedTextFile($0, creates: false)?.text() } ?? ""
    var lines = text.split(separator: "\n")
    if lines.first.map(String.init) == Self.heading {
      // What follows the last line's end was not written whole.
      if !text.hasSuffix("\n") { lines.removeLast() }
      for line in lines.dropFirst() {
        let fields = line.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
        guard fields.count == 6, fields[0] == self.cpu, let instructionSet = InstructionSet(rawValue: fields[1]),
          let pass = ConvolutionPass(rawValue: fields[2]), let time = Double(fields[5]), time > 0, time.isFinite
        else { continue }
        found[Key(instructionSet: instructionSet, pass: pass, problem: fields[3]), default: [:]][fields[4]] = time
      }
    }
    times = Mutex(found)
  }

  private static let heading = "assay convolution plans 2"
  /// How files of the format before this one begin: they knew one CPU, and are begun anew.
  private static let earlierHeading = "assay convolution plans 1\t"

  /// The fastest of the strategies, or nil unless all of them have been measured: half a comparison would favour those
  /// that were.
  /// - Parameters:
  ///   - problem: what was timed.
  ///   - pass: likewise.
  ///   - instructionSet: likewise.
  ///   - setting: where it was timed, if not on its own: times of two settings are not compared.
  ///   - names: of the strategies.
  public func fastest(
    _ problem: Conv2dProblem, _ pass: ConvolutionPass, _ instructionSet: InstructionSet, setting: String? = nil,
    among names: [String]
  ) -> String? {
    let key = Key(instructionSet, pass, problem, setting)
    guard let measured = times.withLock({ $0[key] }), names.allSatisfy({ measured[$0] != nil }) else { return nil }
    return names.min { (measured[$0] ?? .infinity) < (measured[$1] ?? .infinity) }
  }

  /// Keeps a measurement, in the file too if that can be written and is one of plans.
  /// - Parameters:
  ///   - problem: what was timed.
  ///   - pass: likewise.
  ///   - instructionSet: likewise.
  ///   - setting: where it was timed, if not on its own.
  ///   - strategy: its name.
  ///   - nanoseconds: its time.
  public func record(
    _ problem: Conv2dProblem, _ pass: ConvolutionPass, _ instructionSet: InstructionSet, setting: String? = nil,
    strategy: String, nanoseconds: Double
  ) {
    let key = Key(instructionSet, pass, problem, setting)
    let line = "\(cpu)\t\(instructionSet.rawValue)\t\(pass.rawValue)\t\(key.problem)\t\(strategy)\t\(nanoseconds)\n"
    times.withLock { times in
      times[key, default: [:]][strategy] = nanoseconds
      guard let path else { return }
      Self.makeFolders(of: path)
      guard let file = LockedTextFile(path, creates: true) else { return }
      let text = file.text()
      if text.isEmpty || text.hasPrefix(Self.earlierHeading) {
        file.replace(with: "\(Self.heading)\n\(line)")
      } else if text.hasPrefix(Self.heading + "\n") {
        // A line that an earlier process did not finish ends here, and counts for nothing.
        file.append(text.hasSuffix("\n") ? line : "\n\(line)")
      }
    }
  }

  private static func makeFolders(of path: String) {
    for (index, character) in zip(path.indices, path) where character == "/" && index > path.startIndex {
      mkdir(String(path[..<index]), 0o755)
    }
  }
}
