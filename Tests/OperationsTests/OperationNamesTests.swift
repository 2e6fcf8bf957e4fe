import Foundation
import Operations
import TestSupport
import Testing

/// A new operation is its folder, its problem and a line in the registry: no other source may name one, since it would then
/// have to name the next one, too.
@Suite struct OperationNamesTests {
  /// Where operations are named, and why. Paths below `Sources`; a folder ends with `/`.
  private static let places: [(path: String, why: String)] =
    OperationRegistry.all.map { ("Operations/\($0)/", "its own definition") } + [
      ("Operations/Operations.swift", "the registry"),
      ("Operations/Networks/", "networks are put together from layers"),
      ("Operations/Training/", "training is put together from a network, a loss and an optimiser"),
      ("Problems/Layers/", "the problems themselves"),
      ("Problems/Optimizers/", "the problems themselves"),
      ("Problems/Blocks/", "blocks are put together from layers"),
      ("Problems/Models/", "networks are put together from layers"),
      ("Problems/Winograd/", "an algorithm for one operation"),
      ("Convolution/", "strategies for one operation"),
      ("StrategyEngines/ConvolutionEngine.swift", "the strategies as engines"),
      ("StrategyEngines/ConvolutionRun.swift", "the strategies as engines"),
      ("Benchmarking/Suites/BenchmarkPlan.swift", "what is timed are the convolutions of networks"),
      ("Benchmarking/Audit/OutputWindow.swift", "what is timed are the convolutions of networks"),
      ("Execution/", "networks, and the layers that they have"),
      ("StrategyEngines/ExecutionEngine.swift", "networks, and the layers that they have"),
      ("StrategyEngines/AskedTraining.swift", "the same, in training"),
      ("Engines/TrainingOperation.swift", "a step of training is of a network"),
      ("Benchmarking/Training/", "a step of training is of a network"),
      ("SelfTest/Cheats/TrainingCheat.swift", "the same, and a loss of its own"),
      ("Benchmarking/Suites/BenchmarkSuite.swift", "what is timed are networks and their convolutions"),
      ("Benchmarking/Suites/TimedOperation.swift", "whole networks are timed otherwise"),
      ("RunAnalysis/Floor/OperationFloor.swift", "whole networks are limited otherwise"),
      ("Benchmarking/Suites/BenchmarkSubject.swift", "what is timed are networks and their convolutions"),
      ("assay/BenchSelection.swift", "who times what by default"),
      ("Engines/PreparedOperation.swift", "whole networks have passes of their own"),
      ("RunAnalysis/Floor/ConvolutionWork.swift", "what each algorithm for one operation takes"),
      ("Benchmarking/Running/WorkloadExercise.swift", "what is timed are the convolutions of networks"),
      ("SelfTest/GateProbe.swift", "a probe needs some small case"),
      ("SelfTest/Cheats/CheatTrial.swift", "what is timed are convolutions, and so what cheats are"),
      ("Reporting/NetworkTable.swift", "a table of the records of whole networks"),
      ("Reporting/WholeNetworkTable.swift", "the same of a benchmark"),
      ("RunAnalysis/Floor/NetworkFloor.swift", "the least that a whole network takes"),
      ("assay/TuneCommand.swift", "what is tuned are the strategies"),
      ("assay/GradcheckCommand.swift", "--model stands for the problem of a whole network"),
    ]

  private static let scanner = OperationNameScanner(
    names: OperationRegistry.names, types: Set(OperationRegistry.all.flatMap { ["\($0)", "\($0.problemType)"] }))

  /// The names found in each file, by its path below `Sources`.
  private static let found = Result {
    let folder = Repository.sources
    let paths = try FileManager.default.subpathsOfDirectory(atPath: folder.path).filter { $0.hasSuffix(".swift") }
    var found: [String: [String]] = [:]
    for path in paths {
      let names = scanner.names(in: try String(contentsOf: folder.appending(path: path), encoding: .utf8))
      if !names.isEmpty { found[path] = names }
    }
    return found
  }

  private static func place(_ place: String, holds path: String) -> Bool {
    place.hasSuffix("/") ? path.hasPrefix(place) : path == place
  }

  @Test func `no operation is named outside its own places`() throws {
    for (path, names) in try Self.found.get().sorted(by: { $0.key < $1.key }) {
      let isAllowed = Self.places.contains { Self.place($0.path, holds: path) }
      #expect(isAllowed, "Sources/\(path) names \(names.joined(separator: ", ")): ask the operation's definition")
    }
  }

  @Test func `no place is allowed for nothing`() throws {
    let paths = try Self.found.get().keys
    for (place, why) in Self.places where why != "its own definition" {
      #expect(paths.contains { Self.place(place, holds: $0) }, "\(place) (\(why)) names no operation any more")
    }
  }

  @Test(arguments: [
    (#"case "conv2d": 1"#, ["conv2d"]),
    (#"let text = "linear n5c7 k3""#, ["linear"]),
    (#""resnet n\(batch)c3""#, ["resnet"]),
    ("if problem is AddProblem { }", ["AddProblem"]),
    ("let y = try ReLU(problem).forward(x)", ["ReLU"]),
    ("operations: [Linear.name]", ["Linear"]),
    ("case linear, Add, weights: Linear", []),
    ("let problem = MaxPool2dProblem(x), other: SoftmaxProblem", ["MaxPool2dProblem", "SoftmaxProblem"]),
    (#"/// As in "conv2d n1c1h1w1 k1r1s1", a ``Conv2dProblem``."#, []),
    (#"  // "relu""#, []),
    (#"throw "add outputs/, buffers_after/ or gradients/""#, []),
    (#"case linearAndLoss = "linear and loss""#, []),
    (#"any OperationProblem, CalibrationProblem, ResNetProblemList"#, []),
    (#"let name = "relu1""#, []),
  ])
  func `names are found, and nothing else`(source: String, expected: [String]) {
    #expect(Self.scanner.names(in: source) == expected)
  }

  /// Help of a command, with its examples, is text for people.
  @Test func `help is not looked at`() {
    let source = #"""
      discussion: """
        assay gradcheck --operation "conv2d n2c3h6w7 k4r3s3"
        """
      let name = "add"
      """#
    #expect(Self.scanner.names(in: source) == ["add"])
  }
}

/// Finds operations named in Swift source: as a literal (`"conv2d"`), as the first word of a problem's text
/// (`"conv2d n1…"`), by the type of their problems, or by their definition that is made or asked (`Conv2d(`, `Conv2d.`).
/// Comments and literals of several lines are text for people.
private struct OperationNameScanner {
  let names: Set<String>
  /// Of problems and of definitions.
  let types: Set<String>

  func names(in source: String) -> [String] {
    var found: [String] = []
    var isInText = false
    for line in source.split(separator: "\n") {
      let delimiters = line.matches(of: /"{3}/).count
      defer { if delimiters % 2 == 1 { isInText.toggle() } }
      guard !isInText, delimiters == 0, !line.drop(while: \.isWhitespace).hasPrefix("//") else { continue }
      // The text form goes on with a word of letters and a number.
      // Few lines have either.
      guard line.utf8.contains(UInt8(ascii: "\"")) || types.contains(where: line.contains) else { continue }
      for match in line.matches(of: /"([a-z0-9_]+)("| [a-z]+([0-9]|\\\())/) where names.contains(String(match.1)) {
        found.append(String(match.1))
      }
      for match in line.matches(of: /\b([A-Za-z0-9]+Problem\b|[A-Za-z0-9]+(?=[.(]))/)
      where types.contains(String(match.0)) { found.append(String(match.0)) }
    }
    return found
  }
}
