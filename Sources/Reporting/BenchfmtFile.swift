import Foundation
import Results

/// `benchmarks.txt`: the text of `go test -bench`, as `benchstat` reads it. One line for each block of a contestant that has a
/// time, so that it has samples to test.
///
/// - Source: golang.org/design/14313-benchmark-format, and the units of golang.org/x/perf/benchfmt.
enum BenchfmtFile {
  static func text(_ section: BenchmarkSection, _ provenance: Provenance) -> String {
    var lines = configuration(section, provenance)
    // Times are to fall and rates to rise; nothing is assumed of how either is distributed.
    lines += ["Unit ns/op better=lower assume=nothing", "Unit flop/s better=higher assume=nothing"]
    for workload in section.workloads {
      for contestant in workload.contestants {
        guard let time = contestant.time, time.medianNanoseconds.isFinite else { continue }
        let name = name(of: workload, contestant)
        for samples in contestant.samples {
          let median = samples.median
          guard median.isFinite, median > 0 else { continue }
          let rate = workload.flops / median * 1e9
          lines.append(
            "\(name) \(samples.nanoseconds.count) \(number(median)) ns/op"
              + (rate.isFinite && rate > 0 ? " \(number(rate)) flop/s" : ""))
        }
      }
    }
    return lines.map { $0 + "\n" }.joined()
  }

  /// `BenchmarkConv2d/problem=n1c64h56w56_k64r3s3/pass=forward/layout=nchw/engine=direct-2`: what follows the last dash is
  /// the number of threads, and `benchstat -col /engine` sets engines side by side.
  private static func name(of workload: BenchmarkWorkload, _ contestant: BenchmarkContestant) -> String {
    let problem = workload.problem.split(separator: " ").dropFirst().joined(separator: "_")
    let family = workload.operation.prefix(1).uppercased() + workload.operation.dropFirst()
    let parts = [
      family, "problem=\(problem)", "pass=\(workload.pass)", "layout=\(workload.layout)",
      "engine=\(contestant.engine)\(contestant.isClaimed ? "(claimed)" : "")",
    ]
    return "Benchmark" + parts.map(word).joined(separator: "/") + "-\(workload.threads)"
  }

  /// Keys begin with a small letter, and a file may say what it likes of itself.
  private static func configuration(_ section: BenchmarkSection, _ provenance: Provenance) -> [String] {
    var pairs = [
      ("assay", provenance.assayVersion), ("date", provenance.started), ("commit", provenance.gitCommit ?? ""),
      ("os", provenance.operatingSystem), ("cpu", section.machine.cpuModel), ("cores", "\(section.machine.cores)"),
      ("isa", section.machine.selectedInstructionSet), ("compiler", provenance.compiler),
      ("compiler-flags", provenance.compilerFlags), ("suite", section.suite), ("precision", section.options.dtype),
    ]
    pairs += section.engines.map { ("engine-\(word($0.name).lowercased())", $0.version) }
    pairs += (section.doubts ?? []).enumerated().map { ("doubt-\($0.offset + 1)", $0.element) }
    return pairs.filter { !$0.1.isEmpty }.map { "\($0.0): \($0.1.printable)" }
  }

  /// Names end at a blank.
  private static func word(_ text: String) -> String {
    String(text.printable.map { $0.isWhitespace ? "_" : $0 })
  }

  /// Every digit, without an exponent that a reader could miss.
  private static func number(_ value: Double) -> String {
    value == value.rounded() && value.magnitude < 1e15 ? "\(Int(value))" : "\(value)"
  }
}
