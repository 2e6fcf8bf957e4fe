import RunAnalysis

/// What `--benchmark_out=FILE --benchmark_out_format=json` of Google Benchmark writes, and `benchmarks.json` of a run.
///
/// Each repetition is a block. Of benchmarks that are only there as aggregates the median counts, or else the mean, without
/// an interval.
enum GoogleBenchmarkReader {
  static func times(_ file: ForeignJSON) throws(ForeignFault) -> StoredTimes {
    let context = try file.required("context")
    var samples = ForeignSamples()
    // Benchmarks whose median was met.
    var medians: Set<String> = []
    for entry in try file.required("benchmarks").list() {
      let name = try entry.required("run_name", or: "name").text()
      if entry["error_occurred"]?.isTrue == true {
        try samples.fail(name, because: "error: \(entry["error_message"]?.remark ?? "not told")")
        continue
      }
      if entry["skipped"]?.isTrue == true {
        try samples.fail(name, because: "skipped: \(entry["skip_message"]?.remark ?? "not told")")
        continue
      }
      let unit = try entry["time_unit"]?.text() ?? "ns"
      guard let factor = TimeUnit.nanoseconds[unit] else {
        throw entry.fault(expected: "time_unit ns, us, ms or s", found: "'\(unit)'")
      }
      if entry["run_type"]?.remark == "aggregate" {
        let kind = entry["aggregate_name"]?.remark ?? ""
        guard kind == "median" || kind == "mean" && !medians.contains(name) else { continue }
        if kind == "median" { medians.insert(name) }
        try samples.add(median: try entry.required("real_time").number() * factor, to: name)
      } else {
        try samples.add(try entry.required("real_time").number() * factor, to: name)
      }
    }
    return StoredTimes(
      program: "Google Benchmark", started: context["date"]?.remark ?? "",
      surroundings: [
        .init("number of cores", context["num_cpus"]?.remark, isKey: true), .init("host", context["host_name"]?.remark),
        .init("MHz", context["mhz_per_cpu"]?.remark),
        .init("frequency scaling", context["cpu_scaling_enabled"]?.remark),
        .init("library version", context["library_version"]?.remark),
        .init("library build", context["library_build_type"]?.remark),
      ], entries: samples.entries)
  }
}
