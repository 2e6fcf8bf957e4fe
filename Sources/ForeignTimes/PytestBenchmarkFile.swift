import RunAnalysis

/// What `pytest --benchmark-json` writes: each round is a block. What `--benchmark-save` kept without `--benchmark-save-data` has
/// figures alone, and so no interval.
enum PytestBenchmarkFile {
  static func times(_ file: ForeignJSON) throws(ForeignFault) -> StoredTimes {
    let machine = try file.required("machine_info")
    var samples = ForeignSamples()
    for entry in try file.required("benchmarks").list() {
      let name = try entry.required("fullname", or: "name").text()
      if let problem = entry["error"]?.remark {
        try samples.fail(name, because: "error: \(problem)")
        continue
      }
      let stats = try entry.required("stats")
      if let rounds = try stats["data"]?.list(), !rounds.isEmpty {
        for round in rounds { try samples.add(try round.number() * 1e9, to: name) }
      } else {
        try samples.add(median: try stats.required("median").number() * 1e9, to: name)
      }
    }
    let (cpu, commit) = (machine["cpu"], file["commit_info"])
    let system = [machine["system"]?.remark, machine["release"]?.remark].compactMap { $0 }.joined(separator: " ")
    return StoredTimes(
      program: "pytest-benchmark", started: file["datetime"]?.remark ?? "", commit: commit?["id"]?.remark,
      surroundings: [
        .init("CPU model", cpu?["brand_raw"]?.remark, isKey: true),
        .init("number of cores", cpu?["count"]?.remark, isKey: true), .init("operating system", system, isKey: true),
        .init("host", machine["node"]?.remark), .init("commit", commit?["id"]?.remark),
        .init("uncommitted changes", commit?["dirty"]?.remark),
        .init("Python", machine["python_version"]?.remark),
        .init("Python's implementation", machine["python_implementation"]?.remark),
        .init("Python's compiler", machine["python_compiler"]?.remark),
        .init("pytest-benchmark's version", file["version"]?.remark),
      ], entries: samples.entries)
  }
}
