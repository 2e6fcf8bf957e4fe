import ArgumentParser
import Convolution
import Foundation
import OperatingSystem
import Problems
import Reporting
import Results

/// `assay tune`: measures what `auto` chooses by on this machine.
struct TuneCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "tune",
    abstract: "Measure the strategies on ResNet's convolutions, so that `auto` chooses by this machine's times.",
    discussion: """
      Times every strategy within `auto`'s accuracy limit on every distinct convolution, alternately, on one thread and in
      the layout that a network keeps. The times are kept in the user's cache folder, or the file that ASSAY_PLANS names;
      without them `auto` goes by a cost model, as it always does where numbers are checked (verify, gradcheck, selftest,
      engine): verdicts do not depend on this file.

      With --network the strategies are timed within that network, layer by layer, on as many threads as are asked for: what
      whole networks (bench, evaluate) choose by. --trace writes one run with the chosen strategies in the trace-event format,
      which Perfetto and Chrome open, and prints where its time goes. --training times the three passes within steps of training
      instead, with the packing of weights that change, and says what a step takes.

      EXAMPLES:
        assay tune
        assay tune --network resnet50 --batch 1 --threads 2
        assay tune --network resnet18 --trace trace.json
        assay tune --network resnet18 --training --batch 8
        assay tune --depth 18 --batch 1,8 --pass forward
        ASSAY_ISA=avx2 assay tune --filter '*r3s3*'

      \(Outcome.exitCodes)
      """)

  @Option(help: "Depths or architectures, with commas: 18,50 or resnext50_32x4d.")
  var depth = "18,50"

  @Option(help: "Batch sizes, with commas.")
  var batch = "1"

  @Option(help: "A network to time the strategies in: resnet50, resnext50_32x4d, ….")
  var network: String?

  @Option(help: "With --network: threads that share its work, with commas.")
  var threads = "1"

  @Option(
    help: "With --network: write the trace of a run to this file, and print it.",
    completion: .file(extensions: ["json"]))
  var trace: String?

  @Flag(help: "With --network: steps of training, with Adam, in place of evaluation.")
  var training = false

  @Option(help: "Passes, with commas: \(ConvolutionPass.allCases.map(\.rawValue).joined(separator: ", ")).")
  var pass = "forward"

  @Option(help: "Only convolutions whose text matches this glob ('=NAME': a name as it is). May be repeated.")
  var filter: [String] = []

  @Option(help: "Timed runs of each strategy; the best counts.")
  var rounds = 5

  @OptionGroup var json: JSONOption

  @Flag(name: .shortAndLong, help: "No progress.")
  var quiet = false

  func validate() throws {
    try OptionRange.require(rounds, "--rounds", in: 1...1_000)
    for threads in try BenchSelection.numbers(threads, "--threads") {
      try OptionRange.require(threads, "--threads", in: OptionRange.threads)
    }
    if network == nil, training { throw ValidationError("--training needs the --network that is trained.") }
    if training, trace != nil { throw ValidationError("--trace is of evaluation: leave --training out.") }
    if network == nil, trace != nil { throw ValidationError("--trace needs the --network that is traced.") }
    if network != nil, !filter.isEmpty || pass != "forward" {
      throw ValidationError("--network times every convolution of its forward pass: leave --filter and --pass out.")
    }
  }

  func run() throws {
    try json.check()
    if let network { return try tune(network) }
    let passes = try BenchSelection.choices(pass, "--pass") as [ConvolutionPass]
    let problems = try problems()
    guard !problems.isEmpty else { throw Outcome.inconclusive.ending("no convolution matches") }
    let auto = AutoStrategy(plans: .shared)
    let path = try plansPath()
    let progress = ProgressDisplay(isQuiet: quiet)
    let work = passes.flatMap { pass in problems.map { (pass: pass, problem: $0) } }
    var rows: [[String]] = []
    var kept: [StrategyTimes] = []
    let instructionSet = try InstructionSet.selected()
    for (number, (pass, problem)) in work.enumerated() {
      progress.step(done: number, of: work.count, subject: problem.text)
      let times = try auto.measure(problem, pass, instructionSet: instructionSet, rounds: rounds)
      let chosen = auto.choice(problem, pass, instructionSet).name
      kept.append(StrategyTimes(convolution: problem.text, pass: pass.rawValue, nanoseconds: times))
      rows.append([
        problem.text, pass.rawValue, chosen, Self.milliseconds(times[chosen]), Self.milliseconds(times["direct"]),
      ])
    }
    let reread = ConvolutionPlans(path: path)
    let isKept = work.allSatisfy { reread.fastest($0.problem, $0.pass, instructionSet, among: ["direct"]) != nil }
    progress.clear()
    guard isKept else {
      throw Outcome.notWritten.ending("\(path): cannot be written: name another file in ASSAY_PLANS")
    }
    let table = TextTable(["convolution", "pass", "auto takes", "ms", "direct ms"], rows, words: 3)
    Console.print(table.text, terminator: "")
    Console.print("kept in \(path)")
    try json.write(kept)
  }

  /// Where the times are kept.
  private func plansPath() throws -> String {
    guard let path = ConvolutionPlans.shared.path else {
      throw ValidationError(
        ProcessInfo.processInfo.environment["ASSAY_PLANS"] == nil
          ? "HOME is not set, so there is no cache folder to keep times in: name a file in ASSAY_PLANS."
          : "ASSAY_PLANS is empty, so times are not kept: unset it, or name a file.")
    }
    try AtomicFile.check(path)
    return path
  }

  private func tune(_ name: String) throws {
    let path = try plansPath()
    if let trace { try AtomicFile.check(trace) }
    var tables: [String] = []
    var kept: [StrategyTimes] = []
    for batch in try BenchSelection.numbers(batch, "--batch") {
      for threads in try BenchSelection.numbers(threads, "--threads") {
        let tuning = try NetworkTuning(name, batch: batch, threads: threads, training: training)
        let progress = ProgressDisplay(isQuiet: quiet)
        if training {
          let measured = try tuning.measureTraining(rounds: rounds, plans: .shared) { done, all in
            progress.step(done: done, of: all, subject: "\(name), batch \(batch), \(threads) threads")
          }
          progress.clear()
          tables.append("\(name), training, batch \(batch), threads \(threads)\n\(measured.text)")
          kept += measured.times
          continue
        }
        let measured = try tuning.measure(rounds: rounds, plans: .shared) { done, all in
          progress.step(done: done, of: all, subject: "\(name), batch \(batch), \(threads) threads")
        }
        progress.clear()
        tables.append("\(name), batch \(batch), threads \(threads)\n\(tuning.table(measured).text)")
        kept += tuning.times(measured)
        guard let trace else { continue }
        let found = try tuning.trace(rounds: rounds, plans: .shared)
        try found.write(to: trace)
        tables.append(found.table.text)
      }
    }
    for table in tables { Console.print(table, terminator: "") }
    Console.print("kept in \(path)")
    try json.write(kept)
  }

  private func problems() throws -> [Conv2dProblem] {
    let patterns = filter.map { NamePattern($0) }
    let architectures = try BenchSelection.architectures(depth)
    let batches = try BenchSelection.numbers(batch, "--batch")
    var found: [Conv2dProblem] = []
    do throws(ProblemError) {
      for name in architectures {
        for batch in batches {
          let convolutions = try ResNetArchitecture(named: name).distinctConvolutions(batch: batch, imageSize: 224)
          for problem in convolutions.map(\.problem) where !found.contains(problem) { found.append(problem) }
        }
      }
    } catch { throw ValidationError("\(error)") }
    return found.filter { problem in patterns.isEmpty || patterns.contains { $0.matches(problem.text) } }
  }

  private static func milliseconds(_ nanoseconds: Double?) -> String {
    nanoseconds.map { String(format: "%.3f", $0 * 1e-6) } ?? "–"
  }
}
