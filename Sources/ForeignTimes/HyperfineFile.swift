import RunAnalysis

/// What `hyperfine --export-json` writes: without a version, or with `schema_version` 2. Each run of a command is a block.
enum HyperfineFile {
  private static let version = 2.0

  static func times(_ file: ForeignJSON) throws(ForeignFault) -> StoredTimes {
    if let found = file["schema_version"] {
      let number = try found.number()
      guard number <= version else { throw found.fault(expected: "at most \(Int(version))", found: "\(number)") }
    }
    var samples = ForeignSamples()
    var met: Set<String> = []
    var next: [String: Int] = [:]
    for result in try file.required("results").list() {
      let command = try result.required("command").text()
      // The same command may be there with other parameters, which it does not show.
      var name = command
      while !met.insert(name).inserted {
        let number = next[command, default: 2]
        next[command] = number + 1
        name = "\(command) (\(number))"
      }
      // Lists of nothing leave the figures beside them to count.
      let measured = result["measurements"]
      if let times = try result["times"]?.list(), !times.isEmpty {
        for time in times { try samples.add(try time.number() * 1e9, to: name) }
      } else if let measurements = try (measured?["measurements"] ?? measured)?.list(), !measurements.isEmpty {
        for measurement in measurements {
          try samples.add(try nanoseconds(measurement.required("time_wall_clock")), to: name)
        }
      } else if let summary = result["summary"]?["time_wall_clock"] {
        let unit = try summary["unit"]?.text() ?? "second"
        try samples.add(median: try summary.required("median").number() * factor(unit, summary), to: name)
      } else {
        try samples.add(median: try result.required("median", or: "mean").number() * 1e9, to: name)
      }
    }
    let metadata = file["metadata"]
    let platform = metadata?["platform"]
    return StoredTimes(
      program: "hyperfine", started: metadata?["start_time"]?.remark ?? "",
      surroundings: [
        .init("operating system", platform?["os"]?.remark, isKey: true),
        .init("architecture", platform?["architecture"]?.remark),
        .init("hyperfine's version", metadata?["hyperfine_version"]?.remark),
      ], entries: samples.entries)
  }

  /// A number of seconds, or a value with its unit.
  private static func nanoseconds(_ time: ForeignJSON) throws(ForeignFault) -> Double {
    guard let value = time["value"] else { return try time.number() * 1e9 }
    return try value.number() * factor(try time["unit"]?.text() ?? "second", time)
  }

  private static func factor(_ unit: String, _ place: ForeignJSON) throws(ForeignFault) -> Double {
    guard let factor = TimeUnit.nanoseconds[unit] else {
      throw place.fault(expected: "a unit of time", found: "'\(unit)'")
    }
    return factor
  }
}
