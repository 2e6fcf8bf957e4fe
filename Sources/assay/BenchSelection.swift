import ArgumentParser
import Benchmarking
import Engines
import Foundation
import Problems
import Results
import StrategyEngines
import Tensors

/// What `assay bench` times: a suite's file, changed by the command line.
struct BenchSelection: ParsableArguments {
  static let standardSuite = "Benchmarks/resnet.toml"
  static let quickSuite = "Benchmarks/quick.toml"

  @Option(
    help: "The suite (default: \(BenchSelection.standardSuite), with --quick \(BenchSelection.quickSuite)).",
    completion: .file(extensions: ["toml"]))
  var suite: String?

  @Flag(help: "A suite of minutes, not hours.")
  var quick = false

  @Option(help: "Depths or architectures, with commas: 18,50 or resnext50_32x4d.")
  var depth: String?

  @Option(
    help: """
      A problem of any operation in its text form, such as 'batch_norm2d n8c64h56w56 training', in place of the suite's, on one \
      thread from NCHW to NCHW where nothing else is said. May be repeated.
      """)
  var operation: [String] = []

  @Flag(
    inversion: .prefixedNo,
    help: """
      Time networks whole, in evaluation from images to logits or with --pass training_step a step of training, or their \
      distinct convolutions (default: as the suite says).
      """)
  var networks: Bool?

  @Option(help: "Batch sizes, with commas.")
  var batch: String?

  @Option(help: "Thread counts, with commas.")
  var threads: String?

  @Option(help: "Passes, with commas: \(TimingRequest.TimedPass.allCases.map(\.rawValue).joined(separator: ", ")).")
  var pass: String?

  @Option(help: "Layouts, with commas: nchw, native.")
  var layout: String?

  @Option(
    help: """
      The type of operands and results: \(DType.floats.map(\.rawValue).joined(separator: ", ")) (default: float32). The built-in \
      convolutions are float32 alone; peaks are float32's.
      """)
  var dtype: Precisions?

  @OptionGroup var engines: EngineOptions

  @Option(help: "Only workloads whose name matches this glob ('=NAME': a name as it is). May be repeated.")
  var filter: [String] = []

  @Option(help: "Interleaved blocks a workload.")
  var blocks: Int?

  @Option(help: "The least milliseconds of one slice.")
  var sliceMs: Double?

  @Flag(help: "Flush the caches before each iteration.")
  var cold = false

  @Option(help: "Seed of operands and of the order of slices.")
  var seed: UInt64 = 1

  @OptionGroup var limits: CaseLimitOptions

  func validate() throws {
    if let dtype, dtype.dtypes.count != 1 || !DType.floats.contains(dtype.dtypes[0]) {
      let known = DType.floats.map(\.rawValue).joined(separator: ", ")
      throw ValidationError("--dtype: expected one of \(known); a run times one.")
    }
    try OptionRange.require(blocks, "--blocks", in: 1...10_000)
    if let sliceMs, !(sliceMs > 0 && sliceMs <= 60_000) {
      throw ValidationError("--slice-ms: expected milliseconds above 0 and at most 60000 (a minute), found \(sliceMs).")
    }
    if !operation.isEmpty, depth != nil || networks == true {
      throw ValidationError("--operation names a problem: give --depth or --networks in another run.")
    }
    if suite != nil, quick { throw ValidationError("--quick names a suite: give --quick or --suite, not both.") }
  }

  /// The suite with everything that the command line says otherwise.
  /// - Throws: `ExitCode` 65 for a bad file, `ValidationError` for a bad word.
  func resolved() throws -> BenchmarkSuite {
    let path = try suite ?? Self.path(of: quick ? Self.quickSuite : Self.standardSuite)
    var found = try BenchmarkSuite.read(URL(fileURLWithPath: path))
    // Whatever the command line changes, a problem of the file's own is the file's fault.
    do throws(BenchmarkSuite.Invalid) { _ = try BenchmarkPlan(found, limits: limits.limits()) } catch {
      throw Outcome.badData.ending("\(path): \(error)")
    }
    if let depth {
      found.networks = try Self.architectures(depth)
      found.problems = []
    }
    if !operation.isEmpty {
      var own = BenchmarkSuite(name: found.name)
      (own.problems, own.blocks, own.sliceMilliseconds) = (operation, found.blocks, found.sliceMilliseconds)
      found = own
    }
    if let networks, found.timesWholeNetworks != networks {
      // Who does the one does not do the other, and in other passes.
      found.timesWholeNetworks = networks
      found.passes = networks ? [.inference] : [.forward]
      found.engines = []
    }
    if found.timesWholeNetworks {
      guard found.problems.isEmpty else {
        throw ValidationError("--networks: the suite has problems besides; name networks with --depth.")
      }
    }
    if let batch { found.batches = try Self.numbers(batch, "--batch") }
    if let threads { found.threads = try Self.numbers(threads, "--threads") }
    if let pass { found.passes = try Self.choices(pass, "--pass") }
    if found.timesWholeNetworks, let other = found.passes.first(where: { !BenchmarkSuite.networkPasses.contains($0) }) {
      let known = BenchmarkSuite.networkPasses.map(\.rawValue).joined(separator: " or ")
      throw ValidationError("--pass: expected \(known) with --networks, found \(other.rawValue).")
    }
    try found.set(layout: layout)
    if let type = dtype?.dtypes.first { found.dtype = type }
    if !engines.words.isEmpty { found.engines = engines.words }
    if let blocks { found.blocks = blocks }
    if let sliceMs { found.sliceMilliseconds = sliceMs }
    if cold { found.cold = true }
    let cores = ProcessInfo.processInfo.activeProcessorCount
    if threads == nil { found.threads.removeAll { $0 > cores } }
    if let many = found.threads.first(where: { $0 > cores }) {
      throw ValidationError("--threads \(many): this machine has \(cores) cores.")
    }
    if found.threads.isEmpty { found.threads = [1] }
    if found.engines.isEmpty {
      let asked = found.operations
      found.engines = BuiltInEngines.all.map(\.description).filter { !$0.operations.isDisjoint(with: asked) }.map(
        \.name)
      // The reference takes minutes a network; and convolutions are what the strategies do that `execution` chooses from.
      if found.timesWholeNetworks { found.engines.removeAll { $0 == "reference" } }
      if asked == [Conv2dProblem.operation] { found.engines.removeAll { $0 == "execution" } }
    }
    return found
  }

  func plan(_ suite: BenchmarkSuite) throws -> BenchmarkPlan {
    do throws(BenchmarkSuite.Invalid) {
      return try BenchmarkPlan(suite, filters: filter.map { NamePattern($0) }, limits: limits.limits())
    } catch { throw ValidationError(error.description) }
  }

  /// What was probably meant by filters that choose no workload.
  func hints(_ suite: BenchmarkSuite) throws -> [String] {
    guard !filter.isEmpty else { return [] }
    let names = try BenchmarkPlan(suite, limits: limits.limits()).items.map(\.name)
    return filter.compactMap { PatternHint.text($0, option: "--filter", among: names) }
  }

  /// A suite that comes with the program.
  static func path(of name: String) throws(Resources.Missing) -> String {
    try Resources().require(name, option: "--suite")
  }

  /// A suite as its file has it, for commands that change nothing of it but the layout.
  /// - Throws: ``BenchmarkSuite/Invalid`` for a bad file, `ExitCode` 2 where no workload matches.
  static func plan(
    suite path: String, layout: String? = nil, filters: [String]
  ) throws -> (suite: BenchmarkSuite, plan: BenchmarkPlan) {
    var suite = try BenchmarkSuite.read(URL(fileURLWithPath: path))
    try suite.set(layout: layout)
    let plan = try BenchmarkPlan(suite, filters: filters.map { NamePattern($0) }, limits: .standard)
    if let item = plan.items.first(where: { $0.pass == .trainingStep && suite.timesWholeNetworks }) {
      throw ValidationError("\(path): \(item.name): steps of training are timed by `assay bench` alone.")
    }
    guard !plan.items.isEmpty else { throw Outcome.inconclusive.ending("no workload matches") }
    return (suite, plan)
  }

  /// The architectures that `--depth` names.
  static func architectures(_ text: String) throws -> [String] {
    try words(text, "--depth").map { Int($0) == nil ? $0 : "resnet\($0)" }
  }

  private static func words(_ text: String, _ option: String) throws -> [String] {
    let words = text.split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) }
    guard !words.isEmpty, !words.contains("") else { throw ValidationError("\(option) takes values with commas.") }
    return words
  }

  static func numbers(_ text: String, _ option: String) throws -> [Int] {
    try words(text, option).map { word in
      guard let number = Int(word), (1...65_536).contains(number) else {
        throw ValidationError("\(option): expected numbers from 1 to 65536, found '\(word)'.")
      }
      return number
    }
  }

  static func choices<Choice: RawRepresentable & CaseIterable>(
    _ text: String, _ option: String
  ) throws -> [Choice] where Choice.RawValue == String {
    try words(text, option).map { word in
      guard let choice = Choice(rawValue: word) else {
        let known = Choice.allCases.map(\.rawValue).joined(separator: ", ")
        throw ValidationError("\(option): expected \(known), found '\(word)'.")
      }
      return choice
    }
  }
}

extension BenchmarkSuite {
  /// Takes the value of `--layout`, if there is one, in place of the file's.
  fileprivate mutating func set(layout: String?) throws {
    guard let layout else { return }
    guard !timesWholeNetworks else {
      throw ValidationError("--layout: whole networks go from and to NCHW: leave it out.")
    }
    layouts = try BenchSelection.choices(layout, "--layout")
  }
}
