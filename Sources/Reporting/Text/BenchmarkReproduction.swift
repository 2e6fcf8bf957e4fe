import Results

/// The command that verifies and times one contestant on one workload again.
public enum BenchmarkReproduction {
  /// The same of several contestants of a stored run, timed against each other.
  static func command(
    _ contestants: [BenchmarkContestant], on workload: BenchmarkWorkload, of section: BenchmarkSection,
    _ provenance: Provenance
  ) -> ShellCommand {
    command(
      contestants.map(\.engine), on: workload, of: section, seed: provenance.seed,
      given: ShellCommand(provenance.command))
  }

  /// The same of a stored run, which has its seed and the command that made it.
  static func command(
    _ contestant: BenchmarkContestant, on workload: BenchmarkWorkload, of section: BenchmarkSection,
    _ provenance: Provenance
  ) -> ShellCommand {
    command(
      contestant, on: workload, of: section, seed: provenance.seed, given: ShellCommand(provenance.command))
  }

  /// - Parameters:
  ///   - contestant: which engine and algorithm.
  ///   - workload: what it computes.
  ///   - section: the run's benchmark.
  ///   - seed: of the operands.
  ///   - given: the command of the run, which has what engines see of their surroundings, and the file that the workloads came
  ///     from; without one, that of the suite's name among those that Assay brings.
  public static func command(
    _ contestant: BenchmarkContestant, on workload: BenchmarkWorkload, of section: BenchmarkSection, seed: UInt64,
    given: ShellCommand
  ) -> ShellCommand {
    command([contestant.engine], on: workload, of: section, seed: seed, given: given)
  }

  private static func command(
    _ engines: [String], on workload: BenchmarkWorkload, of section: BenchmarkSection, seed: UInt64, given: ShellCommand
  ) -> ShellCommand {
    var words = ["assay", "bench"]
    let suite = given.value(of: "--suite")
    let network = section.networks.first { network in
      network.batch == workload.batch && network.layers.contains { $0.problem == workload.problem }
    }
    let setting = [
      ("--threads", "\(workload.threads)"), ("--pass", workload.pass), ("--layout", workload.layout),
    ]
    if given.value(of: "--operation") != nil {
      words += ["--operation", workload.problem] + setting.flatMap { [$0, $1] }
    } else if let network, suite == nil {
      words += ["--depth", network.name, "--batch", "\(workload.batch)"] + setting.flatMap { [$0, $1] }
    } else {
      words += ["--suite", suite ?? "Benchmarks/\(section.suite).toml"]
      // What the command line had in place of the suite's.
      words += setting.filter { given.value(of: $0.0) != nil }.flatMap { [$0, $1] }
    }
    if section.options.dtype != "float32" { words += ["--dtype", section.options.dtype] }
    if section.options.cold { words.append("--cold") }
    if seed != 1 { words += ["--seed", "\(seed)"] }
    words += given.values(of: "--pass-env").flatMap { ["--pass-env", $0] }
    if given.words.contains("--sandbox") { words.append("--sandbox") }
    for name in engines {
      words += EngineOptionWords.words(for: section.engines.first { $0.name == name }?.command ?? name)
    }
    return ShellCommand(words + ["--filter", workload.name])
  }
}
