import Foundation
import Reporting
import Results
import RunAnalysis
import TestSupport
import Testing

/// What a reader sees of whole networks: tables in every form, and pictures.
@Suite struct WholeNetworkReportTests {
  private static let section: BenchmarkSection = {
    var section = SampleBenchmark.networks()
    BenchmarkAnalysis.complete(&section)
    return section
  }()

  private static func file(_ name: String, of section: BenchmarkSection = section) throws -> String {
    let found = try ReportFolder.files(SampleBenchmark.run(section)).first { $0.name == name }
    return String(decoding: try #require(found?.data), as: UTF8.self)
  }

  @Test func speedDistanceAndMemoryHaveATableEach() throws {
    let tables = WholeNetworkTable.tables(Self.section)
    #expect(tables.map(\.rows.count) == [2, 2, 2])
    let engines = ["execution", "peer", "other"]
    #expect(tables[2].headings == ["network", "pass", "batch", "threads"] + engines)
    #expect(tables[1].headings == tables[2].headings + ["limit, ms"])
    // One image in 0.405 ms, and the peak with what of it came after the start.
    #expect(tables[0].rows[0] == ["cifar_resnet8", "inference", "1", "1", "2469", "1653", "1105"])
    #expect(tables[2].rows[0] == ["cifar_resnet8", "inference", "1", "1", "100 (60)", "300 (100)", "not measured"])
    let limit = try #require(Self.section.workloads[1].limitNanoseconds)
    let ratio = try #require(Double(tables[1].rows[1][4]))
    #expect(abs(ratio * limit / 805_000 - 1) < 0.01, "\(tables[1].rows)")
  }

  @Test func layersAloneHaveNoneOfThem() {
    var section = SampleBenchmark.section()
    BenchmarkAnalysis.complete(&section)
    #expect(WholeNetworkTable.tables(section).isEmpty)
  }

  @Test func everyFormHasTheTablesAndTheReason() throws {
    for name in ["report.md", "report.html"] {
      let text = try Self.file(name)
      for table in WholeNetworkTable.tables(Self.section) { #expect(text.contains(table.title), "\(name)") }
      #expect(text.contains("300 (100)"), "\(name)")
    }
    let markdown = try Self.file("report.md")
    #expect(markdown.contains("that of other is not measured on 2 workloads: its process ended"))
    let csv = try Self.file("benchmarks.csv")
    #expect(csv.contains(",41943040,104857600,94371840\r\n") && csv.contains(",209715200,314572800,\r\n"))
  }

  /// Times and memory of all networks, and the steps of each in the engine that tells them.
  @Test func picturesAreOfTimeMemoryAndLayers() throws {
    let names = try ReportFolder.files(SampleBenchmark.run(Self.section)).map(\.name)
    let pictures = names.filter { $0.hasPrefix("pictures/whole-networks") }
    #expect(pictures.count == 4, "\(names)")
    // One convolution alone is what these are of.
    #expect(!names.contains("pictures/layers.svg") && !names.contains("pictures/limits.svg"))
    let layers = try Self.file(try #require(pictures.last))
    #expect(layers.components(separatedBy: "<rect").count == 1 + 19 + 4, "19 steps, and the legend of four kinds")
    #expect(layers.contains("layer3.1.conv2, winograd4: 0.030 ms"))
    #expect(layers.contains("stem") && layers.contains("head") && layers.contains("pools, mean, layout"))
  }

  /// A single block has no interval, and a machine without ceilings no limit.
  @Test func picturesDoWithoutIntervalsAndLimits() throws {
    var section = SampleBenchmark.networks()
    section.ceilings = []
    for index in section.workloads.indices {
      for engine in section.workloads[index].contestants.indices {
        section.workloads[index].contestants[engine].samples.removeLast(5)
      }
    }
    BenchmarkAnalysis.complete(&section)
    #expect(WholeNetworkTable.tables(section).count == 2)
    #expect(try Self.file("report.html", of: section).contains("Time of whole networks"))
  }
}
