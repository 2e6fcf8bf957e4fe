import Foundation
import Results

/// `benchmarks.json`: Google Benchmark's schema, version 1, as its `compare.py`, Bencher and github-action-benchmark read it.
///
/// One aggregate entry, the median, for each contestant that has a time; figures that are no number are left out.
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
    var aggregate_name: String
    var aggregate_unit: String
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
        entries.append(
          Entry(
            name: "\(name)_median", family_index: family, per_family_instance_index: index, run_name: name,
            run_type: "aggregate", repetitions: contestant.samples.count, threads: workload.threads,
            aggregate_name: "median", aggregate_unit: "time",
            iterations: contestant.samples.reduce(0) { $0 + $1.nanoseconds.count }, real_time: time.medianNanoseconds,
            // Durations are of the wall clock: the CPU time of another process is not asked for.
            cpu_time: time.medianNanoseconds, time_unit: "ns",
            items_per_second: (time.equivalentGigaflops * 1e9).isFinite ? time.equivalentGigaflops * 1e9 : nil,
            label: contestant.isClaimed ? Trust.claimed.rawValue : nil))
      }
    }
    return try JSONText.data(File(context: context, benchmarks: entries), keys: .given)
  }
}

/// `bmf.json`: Bencher Metric Format, latency in nanoseconds with the interval's bounds. It has no place for a remark, so that
/// one about a time is part of its name.
enum BencherMetricFile {
  private struct Metric: Encodable {
    var value: Double
    var lower_value: Double?
    var upper_value: Double?
  }

  static func data(_ section: BenchmarkSection) throws -> Data {
    var benchmarks: [String: [String: Metric]] = [:]
    for workload in section.workloads {
      for contestant in workload.contestants {
        guard let time = contestant.time, time.medianNanoseconds.isFinite else { continue }
        let remark = contestant.isClaimed ? " (\(Trust.claimed.rawValue))" : ""
        benchmarks["\(workload.name)/\(contestant.engine)\(remark)"] = [
          "latency": Metric(
            value: time.medianNanoseconds, lower_value: time.lowerNanoseconds, upper_value: time.upperNanoseconds)
        ]
      }
    }
    return try JSONText.data(benchmarks, keys: .given)
  }
}
