import Foundation
import Results

/// `benchmarks.json`: Google Benchmark's schema, version 1, as its `compare.py`, Bencher and github-action-benchmark read it.
///
/// Each block of a contestant that has a time is a repetition, since `compare.py` wants the samples (nine or more of them) for
/// its U test; mean, median, standard deviation and coefficient of variation follow as Google Benchmark's own aggregates.
/// Figures that are no number are left out.
enum GoogleBenchmarkFile {
  private struct File: Encodable {
    var context: Context
    var benchmarks: [Entry]
  }

  private struct Context: Encodable {
    var date: String
    var host_name: String
    var executable: String
    var num_cpus: Int
    var mhz_per_cpu: Int
    var cpu_scaling_enabled: Bool
    var caches: [Cache]
    var load_avg: [Double]
    var library_version: String
    var library_build_type: String
    var json_schema_version: Int
  }

  private struct Cache: Encodable {
    var type: String
    var level: Int
    var size: Int
    var num_sharing: Int
  }

  private struct Entry: Encodable {
    var name: String
    var family_index: Int
    var per_family_instance_index: Int
    var run_name: String
    var run_type: String
    var repetitions: Int
    var repetition_index: Int?
    var threads: Int
    var aggregate_name: String?
    var aggregate_unit: String?
    var iterations: Int
    var real_time: Double
    var cpu_time: Double
    var time_unit: String
    var items_per_second: Double?
    var label: String?
  }

  static func data(_ section: BenchmarkSection, _ provenance: Provenance) throws -> Data {
    let machine = section.machine
    let sizes = [(1, "Data", machine.l1DataBytes), (2, "Unified", machine.l2Bytes), (3, "Unified", machine.l3Bytes)]
    let context = Context(
      date: provenance.started, host_name: "", executable: "assay", num_cpus: machine.cores, mhz_per_cpu: 0,
      cpu_scaling_enabled: machine.governor.map { $0 != "performance" } ?? false,
      caches: sizes.compactMap { level, type, size in
        size.map { Cache(type: type, level: level, size: $0, num_sharing: level == 3 ? machine.cores : 1) }
      },
      load_avg: machine.loadBefore.map { [$0] } ?? [], library_version: provenance.assayVersion,
      library_build_type: "release", json_schema_version: 1)
    var entries: [Entry] = []
    for (family, workload) in section.workloads.enumerated() {
      for (index, contestant) in workload.contestants.enumerated() {
        guard let time = contestant.time, time.medianNanoseconds.isFinite else { continue }
        let name = "\(workload.name)/\(contestant.engine)"
        let blocks = contestant.samples.map(\.median)
        let flops = time.equivalentGigaflops * time.medianNanoseconds
        func entry(_ kind: String, _ suffix: String = "", time value: Double, iterations: Int) -> Entry {
          let rate = flops / value * 1e9
          return Entry(
            name: name + suffix, family_index: family, per_family_instance_index: index, run_name: name, run_type: kind,
            repetitions: blocks.count, threads: workload.threads, iterations: iterations, real_time: value,
            // Durations are of the wall clock: the CPU time of another process is not asked for.
            cpu_time: value, time_unit: "ns", items_per_second: rate.isFinite && rate > 0 ? rate : nil,
            label: contestant.isClaimed ? Trust.claimed.rawValue : nil)
        }
        for (block, median) in blocks.enumerated() where median.isFinite {
          var repetition = entry("iteration", time: median, iterations: contestant.samples[block].nanoseconds.count)
          repetition.repetition_index = block
          entries.append(repetition)
        }
        for aggregate in aggregates(blocks, median: time.medianNanoseconds) where aggregate.value.isFinite {
          var entry = entry(
            "aggregate", "_\(aggregate.name)", time: aggregate.value, iterations: blocks.count)
          entry.aggregate_name = aggregate.name
          entry.aggregate_unit = aggregate.unit
          if aggregate.isSpread { entry.items_per_second = nil }
          entries.append(entry)
        }
      }
    }
    return try JSONText.data(File(context: context, benchmarks: entries), keys: .given)
  }

  private struct Aggregate {
    var name: String
    var value: Double
    var unit = "time"
    var isSpread = false
  }

  /// Google Benchmark's four, in its order; the spreads need two repetitions.
  private static func aggregates(_ blocks: [Double], median: Double) -> [Aggregate] {
    let count = Double(blocks.count)
    let mean = blocks.reduce(0, +) / count
    var found = [Aggregate(name: "mean", value: mean), Aggregate(name: "median", value: median)]
    guard blocks.count > 1 else { return found }
    let deviation = (blocks.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / (count - 1)).squareRoot()
    found.append(Aggregate(name: "stddev", value: deviation, isSpread: true))
    found.append(Aggregate(name: "cv", value: deviation / mean, unit: "percentage", isSpread: true))
    return found
  }
}
