import Foundation
import Results

/// The whole networks of a benchmark, a line each, and a column for each engine: how fast it is, how far from the limit, and what
/// it holds of memory.
public struct WholeNetworkTable {
  public let title: String
  /// What a reader of the table needs to know.
  public let caption: String
  public let headings: [String]
  public let rows: [[String]]
  /// Columns that hold words.
  public static let words = 2

  /// Those that there is something to say in; none for a run without whole networks.
  public static func tables(_ section: BenchmarkSection) -> [WholeNetworkTable] {
    let workloads = section.workloads.filter(\.isWholeNetwork)
    return [speed(workloads, section), distance(workloads, section), memory(workloads, section)].compactMap { $0 }
  }

  private init?(
    _ title: String, caption: String, _ workloads: [BenchmarkWorkload], _ section: BenchmarkSection,
    last: (heading: String, cell: (BenchmarkWorkload) -> String)? = nil,
    cell: (BenchmarkWorkload, BenchmarkContestant) -> String?
  ) {
    let cells = workloads.map { workload in
      section.engines.map { engine in workload.contestant(engine.name).flatMap { cell(workload, $0) } }
    }
    guard cells.joined().contains(where: { $0 != nil }) else { return nil }
    self.title = title
    self.caption = caption
    headings =
      ["network", "pass", "batch", "threads"] + section.engines.map(\.name) + (last.map { [$0.heading] } ?? [])
    rows = zip(workloads, cells).map { workload, cells in
      [
        BenchmarkText.network(workload), workload.pass.replacing("_", with: " "), "\(workload.batch)",
        "\(workload.threads)",
      ]
        + cells.map { $0 ?? "–" } + (last.map { [$0.cell(workload)] } ?? [])
    }
  }

  private static func speed(_ workloads: [BenchmarkWorkload], _ section: BenchmarkSection) -> WholeNetworkTable? {
    WholeNetworkTable(
      "Whole networks, images in a second", caption: "By the median time.", workloads, section
    ) { workload, contestant in
      contestant.time.map {
        BenchmarkText.ratio(Double(workload.batch) * 1e9 / $0.medianNanoseconds) + contestant.mark
      }
    }
  }

  private static func distance(_ workloads: [BenchmarkWorkload], _ section: BenchmarkSection) -> WholeNetworkTable? {
    WholeNetworkTable(
      "Whole networks, time by the limit",
      caption:
        "The median time by the sum of the limits of the network's layers: 1 is the least that Assay knows to be "
        + "possible.",
      workloads, section,
      last: ("limit, ms", { $0.limitNanoseconds.map(BenchmarkText.milliseconds) ?? "–" })
    ) { _, contestant in
      contestant.time?.limitFraction.map { BenchmarkText.ratio(1 / $0) + contestant.mark }
    }
  }

  private static func memory(_ workloads: [BenchmarkWorkload], _ section: BenchmarkSection) -> WholeNetworkTable? {
    WholeNetworkTable(
      "Whole networks, peak memory in MiB",
      caption:
        "The most that the engine's processes held in a run for nothing else; in brackets what of it came after their "
        + "start, for the network.",
      workloads, section
    ) { _, contestant in
      contestant.memory.map { memory in
        "\(BenchmarkText.wholeMebibytes(memory.peakBytes)) (\(BenchmarkText.wholeMebibytes(memory.workloadBytes)))"
      } ?? contestant.memoryMissing.map { _ in "not measured" }
    }
  }
}

extension BenchmarkWorkload {
  /// Whether it is a network, and not one layer of it.
  var isWholeNetwork: Bool { operation == "resnet" }
}
