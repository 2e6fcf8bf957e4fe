import Foundation
import GoldenFiles
import Problems
import Tensors
import TestSupport
import Testing

/// A sound golden file and how many damaged copies of it are tried.
struct CorruptionSource: Sendable, CustomTestStringConvertible {
  let testDescription: String
  let count: Int
  /// Written with checksums on all metadata (the corpus, and what this package writes), unlike h5py's default.
  let hasChecksums: Bool
  let write: @Sendable (URL) throws -> Void

  static let all = [
    corpus("relu", 500), corpus("softmax", 300), corpus("adaptive_avg_pool2d", 300), corpus("max_pool2d", 250),
    corpus("linear", 150), corpus("conv2d_resnet", 100),
    CorruptionSource(testDescription: "this package's writer", count: 500, hasChecksums: true) {
      try GoldenFileWriter.write(SampleCases.all, header: SampleCases.header, to: $0.path)
    },
    CorruptionSource(testDescription: "h5py's oldest format", count: 500, hasChecksums: false) {
      let sample = try #require(Bundle.module.url(forResource: "h5py", withExtension: "h5"))
      try FileManager.default.copyItem(at: sample, to: $0)
    },
  ]

  private static func corpus(_ name: String, _ count: Int) -> CorruptionSource {
    CorruptionSource(testDescription: "Fixtures/\(name).h5", count: count, hasChecksums: true) {
      try FileManager.default.copyItem(at: Repository.fixtures.appending(path: "\(name).h5"), to: $0)
    }
  }
}

@Suite("Damaged golden files")
struct CorruptionTests {
  /// What became of the damaged copies of one file.
  struct Tally: CustomStringConvertible {
    var refused = 0
    var died = 0
    var identical = 0
    var changed = 0
    var byKind: [String: Int] = [:]

    var description: String {
      "\(refused + died + identical + changed) damaged: \(refused) refused, \(died) killed the child, "
        + "\(identical) unchanged in content, \(changed) changed where nothing in the file can tell; changed by kind: "
        + byKind.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }.joined(separator: ", ")
    }
  }

  @Test("At least 2,000 copies are tried")
  func count() { #expect(CorruptionSource.all.reduce(0) { $0 + $1.count } >= 2000) }

  @Test(
    "Listed, every damaged copy is refused; unlisted, none crashes, hangs or takes the parent with it",
    arguments: CorruptionSource.all)
  func damaged(source: CorruptionSource) throws {
    let folder = try TemporaryDirectory()
    let sound = folder.file("sound.h5")
    try source.write(sound)
    let original = [UInt8](try Data(contentsOf: sound))
    let reader = GoldenReader(trusted: nil, probe: nil)
    let file = try reader.open(sound.path)
    var cases: [String: GoldenCase] = [:]
    for summary in file.cases { cases[summary.name] = try file.load(summary) }
    let anatomy = FileAnatomy(original)
    #expect(anatomy.messages.isEmpty == !source.hasChecksums, "the headers that are to be forged were found")
    var probe = GoldenFileProbe(executable: Repository.command.path)
    probe.resources = GoldenFileProbe.Resources(memoryBytes: 2 << 30, processorSeconds: 20, wallSeconds: 60)
    probe.limits.maximumTensorBytes = 1 << 28
    probe.limits.computation = .unlisted
    var tally = Tally()
    var made = 0
    var seed = UInt64(truncatingIfNeeded: source.count) << 32
    while made < source.count {
      var batch: [(corruption: Corruption, path: String)] = []
      while batch.count < min(100, source.count - made) {
        let kind = Corruption.Kind.allCases[Int(seed % UInt64(Corruption.Kind.allCases.count))]
        if let corruption = Corruption(kind, seed: seed, of: original, anatomy) {
          let url = folder.file("\(kind)-\(seed).h5")
          try Data(corruption.bytes).write(to: url)
          batch.append((corruption, url.path))
        }
        seed += 1
      }
      made += batch.count
      let verdicts = probe.run(batch.map(\.path))
      #expect(verdicts.count == batch.count)
      for ((corruption, path), verdict) in zip(batch, verdicts) {
        checkListed(path, file)
        try check(verdict, corruption, path, cases, source, &tally)
        try FileManager.default.removeItem(atPath: path)
      }
    }
    print("\(source.testDescription): \(tally)")
  }

  /// Under a manifest that lists the sound content, the damaged one is an error before it is parsed.
  private func checkListed(_ path: String, _ sound: GoldenFile) {
    let entry = GoldenManifest.Entry(
      path: URL(fileURLWithPath: path).lastPathComponent, sha256: sound.sha256, caseCount: sound.cases.count)
    let folder = URL(fileURLWithPath: path).deletingLastPathComponent().path
    let listing = GoldenReader(trusted: GoldenManifest(files: [entry], folder: folder), probe: nil)
    let error = #expect(throws: GoldenFileError.self, "\(path)") { try listing.open(path) }
    #expect(error?.kind == .checksum || error?.kind == .notAGoldenFile, "\(path)")
  }

  private func check(
    _ verdict: GoldenFileProbe.Verdict, _ corruption: Corruption, _ path: String, _ sound: [String: GoldenCase],
    _ source: CorruptionSource, _ tally: inout Tally
  ) throws {
    switch verdict {
    case .unsound(let error):
      #expect(error.file == path && !error.expected.isEmpty && !error.found.isEmpty, "\(error)")
      #expect(!error.found.contains("no answer") && !error.found.contains("processor time"), "a hang: \(error)")
      if error.kind == .probeFailed {
        tally.died += 1
      } else {
        tally.refused += 1
      }
    case .sound(_, let caseCount):
      #expect(caseCount == sound.count, "\(path)")
      // The child came through it, so this process does too.
      let opened = try GoldenReader(trusted: nil, probe: nil).open(path)
      var differences: [GoldenDifference] = []
      for summary in opened.cases {
        guard let before = sound[summary.name] else { continue }
        do throws(GoldenFileError) {
          differences += GoldenDifference.compare(before, try opened.load(summary))
        } catch {
          // The child leaves out a case that takes too much, so that the file's others run; and libhdf5 reads some damaged
          // attributes from beyond their bytes, where every process finds something else. Either is refused here.
          tally.refused += 1
          return
        }
      }
      let renamed = opened.cases.filter { sound[$0.name] == nil }
      guard !differences.isEmpty || !renamed.isEmpty else {
        tally.identical += 1
        return
      }
      tally.changed += 1
      tally.byKind[corruption.kind.rawValue, default: 0] += 1
      guard source.hasChecksums, !corruption.kind.forgesChecksums else { return }
      // With checksums on metadata and on large tensors, only small tensors and texts in the heap are unguarded.
      #expect(renamed.isEmpty, "\(corruption.kind) \(corruption.seed)")
      for difference in differences {
        let size = try #require(sound[difference.caseName].flatMap { Self.storedBytes(difference.subject, of: $0) })
        #expect(size <= 4096, "\(corruption.kind) \(corruption.seed): \(difference)")
      }
    }
  }

  /// How much of the file a tensor takes before compression; 0 for an attribute, nil for a tensor that is not there.
  private static func storedBytes(_ subject: String, of loaded: GoldenCase) -> Int? {
    guard subject.contains("/") else { return 0 }
    let name = subject.split(separator: "/").dropFirst().joined(separator: "/")
    switch loaded.expected[subject]?.value {
    case .whole(let tensor): return tensor.shape.count * tensor.dtype.byteCount
    case .sampled(let sample): return sample.values.count * 8
    case nil:
      let groups = ["inputs": loaded.inputs, "parameters": loaded.parameters, "buffers": loaded.buffers]
      let group = groups[String(subject.prefix { $0 != "/" })] ?? loaded.upstream
      return group[name].map { $0.shape.count * $0.dtype.byteCount }
    }
  }
}
