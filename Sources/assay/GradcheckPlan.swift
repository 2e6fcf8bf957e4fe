import ArgumentParser
import Engines
import GoldenFiles
import GradientChecking
import Operations
import Problems
import Results
import Tensors
import Verification

/// The checks of one `assay gradcheck`, in order. Each is made ready when its turn comes: memory holds one case at a time.
struct GradcheckPlan {
  /// A problem, or a golden case, with every engine and precision that it is checked in.
  struct Item: Sendable {
    var name: String
    /// The golden file that it is of.
    var file: String?
    /// In proportion to what it takes beside others.
    var cost = Item.cost(of: nil)
    /// Hands over a record after each check.
    var run: @Sendable (_ note: (GradientRecord) -> Void) throws -> Void
  }

  var items: [Item] = []
  /// Which part of the checks these are; all where there is none.
  var shard: ShardRecord?
  /// What is wrong with golden files that could not be opened.
  var errors: [GoldenFileError] = []

  /// What was probably meant by patterns that choose nothing.
  private(set) var hints: [String] = []

  /// Of the golden files, by what a condition of a run that goes on calls them.
  var digests: [String: String] = [:]
  /// Of the engines, by name.
  var versions: [String: String] = [:]

  /// Items whose names match one of these; all where there are none.
  mutating func select(_ patterns: [NamePattern]) {
    guard !patterns.isEmpty else { return }
    let names = items.map(\.name)
    hints = patterns.compactMap { PatternHint.text($0.description, option: "--filter", among: names) }
    items.removeAll { item in !patterns.contains { $0.matches(item.name) } }
  }

  /// Keeps one machine's part.
  mutating func keep(_ shard: Shard?) {
    guard let shard else { return }
    items = shard.part(of: items, key: \.key, cost: \.cost)
    self.shard = shard.record
  }

  /// What every check of a command line has in common.
  struct Settings: Sendable {
    var options: GradientCheck.Options
    /// By the words of the command line; none is the reference itself.
    var engines: [(word: String, engine: any Engine)]
    /// As they were asked for; none where each engine's own are meant.
    var dtypes: [DType]
    /// How many threads engines are asked with; `nil` for each engine's standard.
    var threads: [Int]?
    /// Limits of a problem's memory and work; the reader has those of golden cases.
    var limits: CaseLimits
    var spoil: String?
    var reproduction: GradcheckReproduction

    /// The precisions that an engine is checked in, `nil` standing for the reference.
    func dtypes(of engine: (any Engine)?) -> [DType] {
      guard dtypes.isEmpty else { return dtypes }
      return [engine?.description.dtypes.contains(.float64) ?? true ? .float64 : .float32]
    }

    /// The check of an engine with each number of threads, one after the other. The first that does not pass is the verdict.
    func record(
      of engine: any Engine, _ check: (_ threads: Int) throws -> GradientRecord
    ) rethrows -> (record: GradientRecord, threads: Int?) {
      let counts = threads ?? engine.description.standardThreads
      var covered: [Int] = []
      var last: GradientRecord?
      for count in counts {
        var record = try check(count)
        covered.append(count)
        record.threads = covered
        record.seconds += last?.seconds ?? 0
        guard record.verdict == .pass else {
          guard counts != [1] else { return (record, nil) }
          let note = "with \(count) \(count == 1 ? "thread" : "threads")"
          record.reason = record.reason.map { "\(note): \($0)" } ?? note
          return (record, count)
        }
        last = record
      }
      guard let last else { preconditionFailure("expected a number of threads, found none") }
      return (last, nil)
    }
  }

  /// - Throws: ``ProblemError`` for a text that is not a problem.
  init(_ cases: [GradientCase], _ settings: Settings) throws(ProblemError) {
    let chosen: [(word: String, engine: any Engine)?] = settings.engines.isEmpty ? [nil] : settings.engines
    for gradientCase in cases {
      try settings.limits.require(Problem.parse(gradientCase.text))
      items.append(
        Item(name: gradientCase.name, cost: Item.cost(of: try? Problem.parse(gradientCase.text))) { note in
          for choice in chosen {
            for dtype in settings.dtypes(of: choice?.engine) {
              func check(_ threads: Int) throws -> GradientRecord {
                do throws(ProblemError) {
                  return try gradientCase.check(
                    engine: choice?.engine, threads: threads, precision: dtype, options: settings.options,
                    spoilt: settings.spoil
                  ).run()
                } catch { throw ValidationError("\(error)") }
              }
              var (record, threads) =
                if let choice { try settings.record(of: choice.engine, check) } else { (try check(1), Int?.none) }
              record.engine = choice?.engine.description.name ?? "reference"
              record.reproduce = settings.reproduction.command(
                gradientCase, engine: choice?.word, dtype: dtype, threads: threads)
              note(record)
            }
          }
        })
    }
  }

  /// - Parameter onNothing: called with the name of each case that has no gradients, and why.
  init(
    golden paths: [String], reader: GoldenReader, _ settings: Settings,
    onNothing: @escaping @Sendable (_ name: String, _ reason: String) -> Void
  ) {
    for path in paths {
      let file: GoldenFile
      do throws(GoldenFileError) { file = try reader.open(path) } catch {
        errors.append(error)
        continue
      }
      digests["SHA-256 of \(path)"] = file.sha256
      for summary in file.cases where summary.expectError == nil {
        items.append(
          Item(name: summary.name, file: path, cost: Item.cost(of: try? file.problem(of: summary))) { note in
            let golden = try file.load(summary)
            guard let gradients = GoldenGradients(golden, oracle: file.header.oracleDType) else {
              onNothing(summary.name, GoldenGradients.nothingToCheck(in: golden) ?? "")
              return
            }
            var stored = gradients.storedRecord(options: settings.options)
            stored.reproduce = settings.reproduction.command(path, summary.name)
            note(stored)
            for (word, engine) in settings.engines {
              for dtype in settings.dtypes(of: engine) {
                var (record, threads) = settings.record(of: engine) {
                  gradients.record(of: engine, dtype: dtype, threads: $0, options: settings.options)
                }
                record.reproduce = settings.reproduction.command(
                  path, summary.name, engine: word, dtype: dtype, threads: threads)
                note(record)
              }
            }
          })
      }
    }
  }
}

extension GradcheckPlan.Item {
  /// How records of it are found again.
  var key: String { "\(file ?? "")\n\(name)" }

  /// A check asks for the function once for each of some dozens of directions; that and its elements are what it takes.
  static func cost(of problem: (any OperationProblem)?) -> Double {
    let least = 1e6
    guard let problem else { return least }
    return least + 100 * Double(problem.work.value) + 100 * Double(problem.cost.bytes.value)
  }
}

/// The commands that repeat single checks, with everything of a command line that a verdict depends on.
struct GradcheckReproduction: Sendable {
  var seed: UInt64
  var method: GradientCheck.Method
  var skipContracts: Bool
  var exhaustive: Bool
  var timeout: Double?
  /// `--threads`, where it was given.
  var threads: [Int]?
  /// `--pass-env` and `--sandbox`, where they were given.
  var surroundings: [String]
  /// `--max-memory` and `--max-work`, where they were given.
  var limits: [String]
  var spoil: String?

  /// A case of the corpus with special values is named in the corpus, since its text does not say them.
  /// - Parameter threads: with which it does not pass.
  func command(_ gradientCase: GradientCase, engine: String?, dtype: DType, threads: Int? = nil) -> String {
    command(
      gradientCase.fill == .random
        ? Self.option("--operation", gradientCase.text)
        : Self.option("--filter", NamePattern.literal(gradientCase.name)),
      engine: engine, dtype: dtype, threads: threads)
  }

  /// - Parameter engine: nothing where the file's own values are at fault.
  func command(
    _ path: String, _ name: String, engine: String? = nil, dtype: DType? = nil, threads: Int? = nil
  ) -> String {
    // `--golden` takes words up to the next option, which a path must not look like.
    let path = path.hasPrefix("-") ? "./" + path : path
    return command(
      ["--golden", path] + Self.option("--filter", NamePattern.literal(name)), engine: engine, dtype: dtype,
      threads: threads)
  }

  private func command(_ subject: [String], engine: String?, dtype: DType?, threads: Int?) -> String {
    var words = ["assay", "gradcheck"] + subject
    if let engine { words += EngineOptionWords.words(for: engine) }
    if let engine, let timeout, !engine.isEmpty { words += ["--timeout", "\(timeout)"] }
    if let engine, !engine.isEmpty {
      if let counts = threads.map({ [$0] }) ?? self.threads {
        words += ["--threads", counts.map(String.init).joined(separator: ",")]
      }
      words += surroundings
    }
    if let dtype { words += ["--dtype", dtype.rawValue] }
    words += ["--seed", "\(seed)"]
    if method != .automatic { words += ["--method", method.rawValue] }
    if skipContracts { words.append("--skip-contracts") }
    if exhaustive { words.append("--exhaustive") }
    words += limits
    if let spoil { words += Self.option("--spoil", spoil) }
    return ShellCommand(words).description
  }

  /// An option's value that begins with a dash would be taken for an option.
  private static func option(_ name: String, _ value: String) -> [String] {
    value.hasPrefix("-") ? ["\(name)=\(value)"] : [name, value]
  }
}
