import Foundation
import GoldenFiles
import Operations
import Problems
import Tensors
import TestSupport
import Testing

@Suite("The corpus reads")
struct CorpusTests {
  static func manifest() throws -> GoldenManifest {
    try #require(try GoldenManifest.read(inFolder: Repository.fixtures.path))
  }

  @Test("Every listed file opens, and every case of it loads and makes sense")
  func everyCase() throws {
    let manifest = try Self.manifest()
    let reader = GoldenReader(trusted: manifest, probe: nil)
    #expect(!manifest.files.isEmpty)
    for entry in manifest.files {
      let file = try reader.open(manifest.path(of: entry))
      #expect(file.isListed && file.cases.count == entry.caseCount)
      #expect(Set(file.cases.map(\.name)).count == file.cases.count)
      try file.validate()
      for summary in file.cases where summary.expectError != nil {
        // A case that must be refused for its shapes or attributes is one that the problem's own rules refuse.
        let loaded = try file.load(summary)
        if summary.expectError == .indexOutOfRange { continue }
        let error = #expect(throws: ProblemError.self, "\(summary.name)") {
          try Problem.make(operation: loaded.operation, attributes: loaded.attributes, operands: loaded.operands)
        }
        #expect(error?.category == summary.expectError, "\(summary.name)")
      }
    }
  }

  /// What no case holds, `verify` tries on nobody's kernel.
  @Test("Every operation has cases one off the multiples that vectors hold, and one that threads would share")
  func sizeClasses() throws {
    let manifest = try Self.manifest()
    let entry = try #require(manifest.files.first { $0.path == "size_classes.h5" })
    let file = try GoldenReader(trusted: manifest, probe: nil).open(manifest.path(of: entry))
    var found: [String: Set<SizeClass>] = [:]
    var largest: [String: Int] = [:]
    for summary in file.cases {
      let golden = try file.load(summary)
      #expect(try file.problem(of: summary)?.text == golden.exercise.problem()?.text, "\(summary.name)")
      #expect(golden.fill != .adversarial && golden.expectError == nil, "\(summary.name)")
      for input in golden.inputs.values where input.dtype != .int64 {
        found[golden.operation, default: []].formUnion(SizeClass.classes(of: input.shape.dimensions.last ?? 1))
        largest[golden.operation] = max(largest[golden.operation] ?? 0, input.shape.count)
      }
    }
    let wanted = [4, 8, 16].flatMap { unit in [-1, 1].map { SizeClass.multiple(of: unit, off: $0) } } + [.prime]
    #expect(Set(found.keys) == Set(OperationRegistry.all.filter { $0.problemDraw.value != nil }.map { $0.name }))
    for (operation, classes) in found { #expect(Set(wanted).subtracting(classes) == [], "\(operation)") }
    for (operation, count) in largest { #expect(count > 1_000, "\(operation)") }
  }

  /// The generator makes them by itself: they are those that fresh cases have.
  @Test("Operand patterns of the corpus are those of the program", arguments: OperandPattern.allCases)
  func patterns(_ pattern: OperandPattern) throws {
    let manifest = try Self.manifest()
    let reader = GoldenReader(trusted: manifest, probe: nil)
    let folder = "/operand_patterns/\(pattern.rawValue.replacing(" ", with: "_"))/"
    var longest: [String: Int] = [:]
    for entry in manifest.files {
      let file = try reader.open(manifest.path(of: entry))
      for summary in file.cases where summary.name.contains(folder) {
        let golden = try file.load(summary)
        #expect(golden.fill == .adversarial && golden.expected.keys.contains("gradients/weight"))
        let problem = try #require(
          try Problem.make(operation: golden.operation, attributes: golden.attributes, operands: golden.operands))
        let terms = problem.longestSum
        longest[golden.operation] = max(longest[golden.operation] ?? 0, terms)
        let groups = [
          (OperandPattern.Part.input, golden.inputs), (.parameter, golden.parameters), (.cotangent, golden.upstream),
        ]
        for (part, group) in groups {
          for (name, tensor) in group {
            let values = tensor.doubles
            let draws = pattern.draws(of: values, terms: terms)
            #expect(values == pattern.values(draws, of: part, terms: terms), "\(summary.name) \(name)")
          }
        }
      }
    }
    #expect(longest.count == 3 && longest.values.allSatisfy { $0 >= 500 }, "\(longest)")
  }

  @Test("A file is found by name, with or without the leading slash, and a name that is not there is an error")
  func names() throws {
    let manifest = try Self.manifest()
    let reader = GoldenReader(trusted: manifest, probe: nil)
    let file = try reader.open(manifest.path(of: try #require(manifest.files.first)))
    let first = try #require(file.cases.first)
    #expect(try file.load(named: first.name) == file.load(named: String(first.name.dropFirst())))
    #expect(#expect(throws: GoldenFileError.self) { try file.load(named: "/no/such/case") }?.kind == .missing)
  }

  @Test("The procedural fill gives the format's test vectors")
  func procedural() {
    func bits(_ seed: UInt64, _ low: Double, _ high: Double) -> [UInt32] {
      [0, 1, 2, 1_000_000].map { SplitMix64.uniform(seed: seed, element: $0, low: low, high: high).bitPattern }
    }
    #expect(bits(42, -1, 1) == [0x3ef7_5cc8, 0xbf2e_203a, 0xbee2_b664, 0x3ec1_4f14])
    #expect(bits(7, -0.1, 0.3) == [0x3d65_18d3, 0xbdbf_0c0d, 0x3e85_469a, 0x3e1d_711e])
  }
}

extension OperandPattern {
  /// Uniform numbers that the pattern makes these values of.
  fileprivate func draws(of values: Tensor<Double>, terms: Int) -> Tensor<Double> {
    switch self {
    case .zerosMixedIn: return values
    case .largeExponents:
      let largest = Self.largestValue(terms: terms)
      return values.map { 4 * ($0 / largest - 0.75) }
    case .smallOntoLarge: return values.map { ($0 < 1 ? $0 / Self.smallScale : $0) - 1 }
    case .wideRange:
      return values.map { value in
        guard value != 0 else { return 0 }
        let draw = (Double(value.exponent) + 14 + value.significand - 1) / 29
        // To the step of draws.
        return ((value < 0 ? -draw : draw) * 0x1p23).rounded() / 0x1p23
      }
    }
  }
}
