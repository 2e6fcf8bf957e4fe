import ArgumentParser
import Engines
import Foundation
import Operations
import Problems
import Reporting
import Results
import StrategyEngines
import Tensors
import Verification

/// `assay bound`: what rounding may do to the results of a problem, for people who have to choose a tolerance.
struct BoundCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "bound",
    abstract: "How far the elements of a problem's results may be off, and the tolerance that amounts to.",
    discussion: """
      The bounds are those that assay verify holds engines against, on random operands: of the definition's sums, of the
      algorithms that are named, or of those that an engine declares. What an engine is off by stands beside them; assay verify
      is what judges it.

      EXAMPLES:
        assay bound 'conv2d n1c512h14w14 k512r3s3 stride1 pad1'
        assay bound 'conv2d n1c512h14w14 k512r3s3 stride1 pad1' --dtype float16
        assay bound 'conv2d n1c64h14w14 k64r3s3 stride1 pad1' --algorithm winograd4:textbook
        assay bound 'linear n256c512 k1000' --algorithm strassen1 --gradients
        assay bound 'conv2d n1c64h14w14 k64r3s3 stride1 pad1' --engine onnxruntime
        assay bound 'softmax n8c1000' --json

      \(Outcome.exitCodes)
      """)

  @Argument(help: "The problem in one line, such as 'conv2d n1c512h14w14 k512r3s3 stride1 pad1'.")
  var problem: String

  @Option(
    help: ArgumentHelp(
      """
      How sums of products are computed: direct, winograd4 (our points; or any other tile), winograd4:textbook, \
      winograd6:ncnn, winograd4:0,1,-1,0.5,-2, winograd2x5:textbook, strassen1, strassen2. May be repeated: any of them may \
      then have been used (default: what the engine declares, or direct).
      """),
    transform: AlgorithmWord.init)
  var algorithm: [AlgorithmWord] = []

  @Option(help: "Precision: float32, float64, float16 or bfloat16.")
  var dtype: Precisions?

  @Option(
    help: """
      What sums are kept in where --dtype has 16 bits: float32, or that type (default: what the engine declares, or float32).
      """)
  var accumulate: Precisions?

  @Option(help: "Seed of the operands.")
  var seed: UInt64 = 1

  @Flag(help: "The gradients, too.")
  var gradients = false

  @OptionGroup var json: JSONOption

  @OptionGroup var engines: EngineOptions

  @OptionGroup var limits: CaseLimitOptions

  func validate() throws {
    guard engines.words.count < 2 else {
      throw ValidationError("--engine: expected one, whose bounds these are, found \(engines.words.count).")
    }
    for (option, precisions) in [("--dtype", dtype), ("--accumulate", accumulate)] {
      if let dtypes = precisions?.dtypes, dtypes.count != 1 || !DType.floats.contains(dtypes[0]) {
        throw ValidationError("\(option): expected one of \(DType.floats.map(\.rawValue).joined(separator: ", ")).")
      }
    }
    guard sums == .float32 || (type.isNarrow && sums == type) else {
      throw ValidationError(
        "--accumulate: expected float32 or, where --dtype has 16 bits, that type, found \(sums.rawValue).")
    }
  }

  private var type: DType { dtype?.dtypes.first ?? .float32 }
  private var sums: DType { accumulate?.dtypes.first ?? .float32 }

  func run() throws {
    let asked = try Problem.parse(problem)
    try limits.limits().require(asked)
    var request = BoundFigures.Request(
      asked, algorithms: Set(algorithm.map(\.algorithm)), dtype: type, accumulate: sums, seed: seed,
      includesGradients: gradients, strategies: BuiltInEngines.all)
    if let engine = try engine() {
      let (description, operation) = (engine.description, Swift.type(of: asked).operation)
      request.engine = engine
      if algorithm.isEmpty { request.algorithms = description.sums(of: operation) }
      if accumulate == nil, type.isNarrow { request.accumulate = description.accumulate(of: operation) }
    }
    let figures: BoundFigures
    do { figures = try BoundFigures(request) } catch let error as BoundFigures.Failure {
      if case .notDone = error { throw Outcome.inconclusive.ending("\(error)".printable) }
      throw ValidationError("\(error)")
    }
    try json.write(figures)
    for line in BoundText.lines(figures) { Console.print(line) }
  }

  private func engine() throws -> (any Engine)? {
    try EngineLookup.engines(
      engines.words, timeout: engines.timeout, surroundings: engines.surroundings.surroundings()
    ).first?.engine
  }
}

/// An algorithm as the command line names it.
struct AlgorithmWord: Sendable {
  let algorithm: SumAlgorithm

  init(_ text: String) throws {
    do throws(SumAlgorithmError) { algorithm = try SumAlgorithm(text: text) } catch {
      throw ValidationError("\(error)".printable)
    }
  }
}

/// The figures for a reader.
enum BoundText {
  static func lines(_ figures: BoundFigures) -> [String] {
    let sums = figures.algorithms.isEmpty ? "direct" : figures.algorithms.joined(separator: ", ")
    let accumulate = figures.accumulate == DType.float32.rawValue ? "" : ", accumulated in \(figures.accumulate)"
    let how = "\(figures.dtype)\(accumulate), \(sums), random operands of seed \(figures.seed)"
    return [figures.problem, how, ""] + figures.tensors.flatMap { lines($0, figures) }
  }

  private static func lines(_ tensor: BoundFigures.TensorFigures, _ figures: BoundFigures) -> [String] {
    var lines = [
      "\(tensor.path): \(NumberText.grouped(tensor.elements)) elements, "
        + "root mean square \(digits(tensor.rootMeanSquare))"
    ]
    guard tensor.bound.maximum > 0 else {
      return lines + ["  nothing is rounded: assert equality (rtol=0, atol=0)", ""]
    }
    if tensor.widening == nil, figures.algorithms.contains(where: { $0 != "\(SumAlgorithm.terms)" }) {
      lines.append("  no other algorithm's bound applies to it: the definition's holds")
    }
    var table = TextTable(["", "minimum", "median", "maximum", "median/rms"], words: 1)
    func add(_ name: String, _ spread: BoundFigures.Spread) {
      let relative = spread.median / tensor.rootMeanSquare
      table.add(["  " + name] + [spread.minimum, spread.median, spread.maximum, relative].map(digits))
    }
    if let statistical = tensor.statistical { add("statistical bound", statistical) }
    add("rigorous bound", tensor.rigorous)
    lines += table.lines
    if let measured = tensor.measured {
      lines.append(
        "  measured: \(measured.engine.printable) is off by \(digits(measured.worstError)) at worst, "
          + "\(digits(measured.rootMeanSquareError)) rms; of its bound an element takes "
          + "\(NumberText.short(measured.worstRatio)) at worst, \(NumberText.short(measured.rootMeanSquareRatio)) rms")
    }
    let tolerance = tensor.tolerance
    return lines + [
      "  assert_close(got, expected, rtol=\(digits(tolerance.relative)), atol=\(digits(tolerance.absolute)))",
      "    with `expected` in float64 from the same \(figures.dtype) operands: a smaller atol is below some element's bound.",
      "    This one allows the median element \(NumberText.short(tolerance.excess)) times its bound, and is for data of this "
        + "scale alone.",
      "",
    ]
  }

  /// Three significant digits.
  private static func digits(_ value: Double) -> String { String(format: "%.2e", value) }
}
