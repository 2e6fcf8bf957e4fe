import Foundation
import OperatingSystem
import Reporting

/// The whole of it: children that each take a batch of inputs under limits of memory and time, and the table of what came out.
@main
enum OddRun {
  /// Seconds that one input may take.
  static let slowest = 10.0
  /// Bytes that one input may make a process take beyond what it took before.
  static let memoryLimit = 1 << 30
  static var kinds: [any OddInput.Type] {
    [
      OddProblems.self, OddTables.self, OddRequests.self, OddGoldens.self, OddImages.self, OddSafetensors.self,
      OddPictures.self, OddCommands.self,
    ]
  }

  static func main() throws {
    let words = Array(CommandLine.arguments.dropFirst())
    switch words.first {
    case "batch": try OddBatch(kind: words[1], seed: UInt64(words[2])!, range: Int(words[3])!..<Int(words[4])!).run()
    case "show":
      guard let kind = kinds.first(where: { $0.name == words[1] }) else { return }
      var random = OddRandom(seed: UInt64(words[2])!, kind: kind.name, index: Int(words[3])!)
      var input = try kind.init()
      print(input.describe(&random))
    default:
      let count = words.first.flatMap { Int($0) } ?? 3_000
      let seed = words.dropFirst().first.flatMap { UInt64($0) } ?? 1
      var table = OddTable(seed: seed)
      for kind in kinds { table.run(kind, count: max(1, count * kind.share / 100)) }
      print(table.text)
      exit(table.findings.isEmpty ? 0 : 1)
    }
  }
}

/// A child's side: one line for each input that it has done with.
struct OddBatch {
  let kind: String
  let seed: UInt64
  let range: Range<Int>

  func run() throws {
    guard let type = OddRun.kinds.first(where: { $0.name == kind }) else { return }
    try run(type)
  }

  private func run<Input: OddInput>(_ type: Input.Type) throws {
    var input = try Input()
    limitMemory()
    for index in range {
      let before = Self.peakBytes()
      let start = ContinuousClock.now
      var random = OddRandom(seed: seed, kind: kind, index: index)
      let outcome: String
      do { outcome = "\(try input.react(to: &random).rawValue)" } catch { outcome = "\(error)" }
      let elapsed = Double((ContinuousClock.now - start) / .microseconds(1)) * 1e-6
      let line =
        "\(index)\t\(elapsed)\t\(Self.peakBytes())\t\(Self.peakBytes() - before)\t"
        + outcome.replacing("\n", with: " ") + "\n"
      FileHandle.standardOutput.write(Data(line.utf8))
    }
  }

  /// What an input makes this process take is an allocation that fails, and so a death that is seen.
  private func limitMemory() {
    #if os(Linux)
      guard let pages = try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8).split(separator: " ").first,
        let used = Int(pages)
      else { return }
      // Threads that the first input starts reserve address space for their heaps.
      let bytes = used * Int(getpagesize()) + OddRun.memoryLimit + (1 << 29)
      var bound = rlimit(rlim_cur: rlim_t(bytes), rlim_max: rlim_t(bytes))
      setrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &bound)
    #endif
    var none = rlimit(rlim_cur: 0, rlim_max: 0)
    #if os(Linux)
      setrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &none)
    #else
      setrlimit(RLIMIT_CORE, &none)
    #endif
  }

  /// Of this process, and of the largest command that it ran.
  private static func peakBytes() -> Int {
    var own = rusage()
    var children = rusage()
    #if os(Linux)
      getrusage(RUSAGE_SELF.rawValue, &own)
      getrusage(RUSAGE_CHILDREN.rawValue, &children)
      return max(own.ru_maxrss, children.ru_maxrss) * 1024
    #else
      getrusage(RUSAGE_SELF, &own)
      getrusage(RUSAGE_CHILDREN, &children)
      return max(own.ru_maxrss, children.ru_maxrss)
    #endif
  }
}

/// What came out: counts by kind and reaction, the slowest, the largest, and what must not be.
struct OddTable {
  struct Row {
    var kind: String
    var counts: [Reaction: Int] = [:]
    var bad = 0
    var slowest = (seconds: 0.0, index: 0)
    var largest = (bytes: 0, index: 0)
  }

  let seed: UInt64
  var rows: [Row] = []
  /// Each with the words that show the input.
  var findings: [String] = []

  init(seed: UInt64) { self.seed = seed }

  private static let batchSize = 500

  mutating func run(_ kind: any OddInput.Type, count: Int) {
    var row = Row(kind: kind.name)
    var next = 0
    while next < count {
      next = batch(kind.name, next..<min(next + Self.batchSize, count), &row)
    }
    rows.append(row)
  }

  /// - Returns: the first input that is still to be done: the one after the batch, or after one that ended its child.
  private mutating func batch(_ kind: String, _ range: Range<Int>, _ row: inout Row) -> Int {
    var environment = ProcessInfo.processInfo.environment
    environment["SWIFT_BACKTRACE"] = "enable=no"
    let child: ChildProcess
    do throws(ChildProcess.Failure) {
      child = try ChildProcess(
        CommandLine.arguments[0], ["batch", kind, "\(seed)", "\(range.lowerBound)", "\(range.upperBound)"],
        environment: environment)
    } catch {
      findings.append("\(kind): no child can be started: \(error)")
      return range.upperBound
    }
    guard let output = child.output else { return range.upperBound }
    var done = range.lowerBound
    var pending: [UInt8] = []
    var reason: String?
    // A second more than an input may take: commands see to their own limit.
    while done < range.upperBound {
      guard output.isReadable(within: Int32(1_000 * (OddRun.slowest + 2))) else {
        reason = "no answer within \(OddRun.slowest) s"
        child.killGroup()
        break
      }
      guard let bytes = output.read(), !bytes.isEmpty else { break }
      pending += bytes
      while let end = pending.firstIndex(of: UInt8(ascii: "\n")) {
        record(String(decoding: pending[..<end], as: UTF8.self), kind, &row)
        pending.removeSubrange(...end)
        done += 1
      }
    }
    let ending = child.wait(seconds: 10)
    guard done < range.upperBound else { return done }
    row.bad += 1
    find(kind, done, reason ?? "the process ended: \(ending.map { "\($0)" } ?? "not at all")")
    return done + 1
  }

  private mutating func record(_ line: String, _ kind: String, _ row: inout Row) {
    let parts = line.split(separator: "\t", maxSplits: 4).map(String.init)
    guard parts.count == 5, let index = Int(parts[0]), let seconds = Double(parts[1]), let bytes = Int(parts[2]),
      let growth = Int(parts[3])
    else { return find(kind, -1, "no line of a batch: '\(line)'") }
    if seconds > row.slowest.seconds { row.slowest = (seconds, index) }
    if bytes > row.largest.bytes { row.largest = (bytes, index) }
    if seconds > OddRun.slowest { find(kind, index, "\(seconds) s") }
    if growth > OddRun.memoryLimit { find(kind, index, "\(growth) bytes") }
    if let reaction = Int(parts[4]).flatMap(Reaction.init) {
      row.counts[reaction, default: 0] += 1
    } else {
      row.bad += 1
      find(kind, index, parts[4])
    }
  }

  private mutating func find(_ kind: String, _ index: Int, _ what: String) {
    findings.append("\(kind) \(index) of seed \(seed): \(what); shown by: OddInputs show '\(kind)' \(seed) \(index)")
  }

  var text: String {
    let headings = ["kind", "inputs", "0", "2", "64", "65", "anything else", "slowest", "largest process"]
    var table = TextTable(headings, words: headings.count)
    var total = 0
    for row in rows {
      let count = row.counts.values.reduce(0, +) + row.bad
      total += count
      table.add(
        [row.kind, "\(count)"] + Reaction.allCases.map { "\(row.counts[$0] ?? 0)" } + [
          "\(row.bad)", String(format: "%.2f s (%d)", row.slowest.seconds, row.slowest.index),
          String(format: "%.0f MB (%d)", Double(row.largest.bytes) / 1e6, row.largest.index),
        ])
    }
    let summary = "\(total) inputs of seed \(seed); \(findings.count) findings"
    return (table.markdown + [summary] + findings).joined(separator: "\n")
  }
}
