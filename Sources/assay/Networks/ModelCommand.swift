import ArgumentParser
import NetworkFiles
import OperatingSystem
import Problems
import Operations
import Reporting
import Results
import Tensors

/// `assay model`: what a network consists of.
struct ModelCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "model",
    abstract: "Show a residual network's layers, shapes, parameters and multiply-accumulates.",
    discussion: """
      EXAMPLES:
        assay model resnet50
        assay model simple_resnet --width 16 --batch 32
        assay model resnet50 --weights resnet50.h5     do these weights fit?
        assay model simple_resnet --width 12 --weights digits.h5 --out digits.safetensors

      \(Outcome.exitCodes)
      """)

  @Argument(help: "resnet18 … resnet152, resnext50_32x4d, wide_resnet50_2, simple_resnet, cifar_resnet20, …")
  var name: String

  @Option(help: "Images in a batch.")
  var batch = 1

  @Option(help: "Height and width of an image (default: 224, or 32 for small-image networks).")
  var imageSize: Int?

  @Option(help: "Number of classes (default: the architecture's own).")
  var classes: Int?

  @Option(help: "Planes of the first stage; the others follow in proportion.")
  var width: Int?

  @Option(
    help: "A weights file that has to fit, HDF5 or safetensors.", completion: .file(extensions: ["h5", "safetensors"]))
  var weights: String?

  @Option(
    help: "Write the weights to this file, without a training run's memory: HDF5, or safetensors by the path's ending.",
    completion: .file(extensions: ["h5", "safetensors"]))
  var out: String?

  @OptionGroup var json: JSONOption

  func validate() throws {
    try OptionRange.require(batch, "--batch", in: OptionRange.batch)
    try OptionRange.require(imageSize, "--image-size", in: OptionRange.imageSize)
    try OptionRange.require(classes, "--classes", in: OptionRange.classes)
    if out == "" { throw ValidationError("--out takes the path of a file") }
    if out != nil, weights == nil { throw ValidationError("--out writes the weights that --weights names") }
  }

  func run() throws {
    try NetworkSession.run {
      if let out { try AtomicFile.check(out) }
      try json.check()
      let architecture = try NetworkSession.architecture(name, width: width)
      let size = imageSize ?? architecture.usualImageSide
      let plan: NetworkPlan
      do throws(ProblemError) {
        plan = try architecture.plan(inputShape: [batch, 3, size, size], classCount: classes)
      } catch { throw ValidationError("\(error)") }
      Console.print(Self.table(plan.summary).text, terminator: "")
      try json.write(Result(name, plan))
      if let weights {
        var file = try NetworkSession.weights(weights)
        _ = try file.state(of: plan, from: weights)
        Console.print("\(weights): fits (\(file.tensors.count) tensors of \(file.architecture ?? name))".printable)
        guard let out else { return }
        file.checkpoint = nil
        file.architecture = file.architecture ?? name
        try file.write(to: out)
      }
    }
  }

  /// What `--json` writes.
  private struct Result: Encodable {
    struct Layer: Encodable {
      var name, operation: String
      var output: [Int]
      var parameters, macs: Int
    }

    var network: String
    var input: [Int]
    var layers: [Layer]
    var parameters, macs: Int

    init(_ name: String, _ plan: NetworkPlan) {
      network = name
      input = plan.inputShape.dimensions
      let summary = plan.summary
      layers = summary.rows.map { row in
        Layer(
          name: row.name, operation: row.operation, output: row.outputShape.dimensions, parameters: row.parameterCount,
          macs: row.multiplyAccumulates)
      }
      (parameters, macs) = (summary.parameterCount, summary.multiplyAccumulates)
    }
  }

  /// A row a layer, and the sum; thousands grouped, and nothing where there is nothing to count.
  private static func table(_ summary: NetworkSummary) -> TextTable {
    func figure(_ count: Int) -> String { count == 0 ? "" : NumberText.grouped(count) }
    var table = TextTable(["layer", "operation", "output", "parameters", "MACs"], words: 3)
    for row in summary.rows {
      table.add([
        row.name, row.operation, row.outputShape.description, figure(row.parameterCount),
        figure(row.multiplyAccumulates),
      ])
    }
    table.add([
      "total", "", "", NumberText.grouped(summary.parameterCount), NumberText.grouped(summary.multiplyAccumulates),
    ])
    return table
  }
}
