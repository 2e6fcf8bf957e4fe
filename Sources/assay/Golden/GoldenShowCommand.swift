import ArgumentParser
import GoldenFiles
import Problems
import Reporting
import Results
import Tensors

struct GoldenShowCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "show",
    abstract: "Show a golden file's header, or one case with its attributes and tensors.",
    discussion: """
      EXAMPLES:
        assay golden show Fixtures/conv2d.h5
        assay golden show Fixtures/conv2d.h5 /conv2d/stride2/odd_input/exact
        assay golden show mine.h5 /relu/small --values 20

      A bad file, or one without a case of this name, is 65.

      \(Outcome.exitCodes)
      """)

  @Argument(help: "A golden file.", completion: .file(extensions: ["h5", "hdf5"]))
  var file: String

  @Argument(help: "The name of a case; without one the header is shown.")
  var name: String?

  @Option(help: "How many elements of each tensor are printed.")
  var values = 6

  func validate() throws {
    try OptionRange.require(values, "--values", in: 0...1_000_000)
  }

  func run() async throws {
    try GoldenSession.run { () throws(GoldenFileError) in
      let opened = try GoldenSession.reader().open(file)
      if let name { show(try opened.load(named: name)) } else { show(opened) }
    }
  }

  private func show(_ opened: GoldenFile) {
    let header = opened.header
    var table = TextTable([])
    table.add(["file", opened.path])
    table.add(["sha256", opened.sha256 + (opened.isListed ? " (listed)" : "")])
    table.add(["generator", header.generator])
    table.add(["generator_script", header.generatorScript])
    table.add(["oracle_dtype", header.oracleDType.rawValue])
    if let seed = header.seed { table.add(["seed", "\(seed)"]) }
    if let created = header.created { table.add(["created", created]) }
    if let text = header.text { table.add(["description", text]) }
    if let license = header.license { table.add(["license", license]) }
    table.add(["cases", "\(opened.cases.count)"])
    let operations = Dictionary(grouping: opened.cases, by: \.operation).sorted { $0.key < $1.key }
    for (operation, cases) in operations { table.add(["  " + operation, "\(cases.count)"]) }
    Console.print(table.text, terminator: "")
  }

  private func show(_ loaded: GoldenCase) {
    Console.print("\(loaded.name.printable): \(loaded.operation.printable), \(loaded.fill.rawValue) fill")
    if !loaded.tags.isEmpty { Console.print("tags: \(loaded.tags.joined(separator: ", ").printable)") }
    if let category = loaded.expectError { Console.print("must be refused: \(category.rawValue)") }
    for (name, value) in loaded.attributes.values.sorted(by: { $0.key < $1.key }) {
      Console.print("  \("\(name) = \(value)".printable)")
    }
    var table = TextTable(["tensor", "dtype", "shape", "min", "max", "values"], figures: [3, 4])
    for (group, tensors) in [
      (TensorGroup.inputs, loaded.inputs), (.parameters, loaded.parameters), (.buffers, loaded.buffers),
      (.upstream, loaded.upstream),
    ] {
      for (name, tensor) in tensors.sorted(by: { $0.key < $1.key }) {
        table.add(row("\(group.rawValue)/\(name)", tensor))
      }
    }
    for (path, expected) in loaded.expected.sorted(by: { $0.key < $1.key }) {
      switch expected.value {
      case .whole(let tensor): table.add(row(path, tensor) + [note(expected)])
      case .sampled(let sample):
        let tensor = AnyTensor.float64(Tensor(shape: Shape(sample.values.count), elements: sample.values))
        var cells = row(path, tensor)
        cells[1] = "\(sample.values.count) samples"
        cells[2] = sample.shape.description
        table.add(cells + [note(expected)])
      }
    }
    Console.print(table.text, terminator: "")
  }

  private func row(_ path: String, _ tensor: AnyTensor) -> [String] {
    let numbers = tensor.doubles.elements
    let ordered = numbers.filter { !$0.isNaN }
    var first = numbers.prefix(values).map(text).joined(separator: " ")
    if numbers.count > values { first += " …" }
    return [
      path, tensor.dtype.rawValue, tensor.shape.description, ordered.min().map(text) ?? "–",
      ordered.max().map(text) ?? "–", first,
    ]
  }

  private func text(_ number: Double) -> String {
    number == number.rounded() && number.magnitude < 1e9 && !(number == 0 && number.sign == .minus)
      ? "\(Int(number))" : "\(Float(number))"
  }

  private func note(_ expected: ExpectedTensor) -> String {
    var notes: [String] = []
    if let absolute = expected.tolerance.absolute { notes.append("atol \(absolute)") }
    if let relative = expected.tolerance.relative { notes.append("rtol \(relative)") }
    if let ulps = expected.tolerance.maximumULPs { notes.append("max_ulp \(ulps)") }
    if let reason = expected.tolerance.reason { notes.append("(\(reason))") }
    if !expected.equalNaN { notes.append("NaN is wrong") }
    if expected.checkSignedZero { notes.append("signed zeros matter") }
    return notes.joined(separator: " ")
  }
}
