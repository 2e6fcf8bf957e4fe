import Results

/// The whole networks of a verification by depth: how much of its bound each kind of result uses, and each layer on its own.
public struct NetworkTable: Sendable {
  public struct Row: Sendable {
    public let cells: [String]
  }

  /// End to end by path, then the layers.
  private static let columns: [(heading: String, prefix: String)] =
    (1...4).map { ("stage \($0)", "outputs/stage\($0)") } + [
      ("logits", "outputs/logits"), ("loss", "outputs/loss"), ("gradients", "gradients/"),
      ("buffers", "buffers_after/"),
    ]

  public static let headings =
    ["network", "engine", "precision", "status"] + columns.map(\.heading) + ["layers alone", "worst layer"]
  /// Columns before this one hold words.
  public static let firstFigure = 4

  public let rows: [Row]

  public let caption =
    "The largest error/bound of each kind of result (1 is the limit), end to end against the golden file, and for each layer on "
    + "its own with the operands that it met in the network. Layers are compared with the reference in float64, which "
    + "therefore has no figure of its own."

  public init(_ section: VerificationSection) {
    let networks = section.results.filter { $0.operation == "resnet" && !$0.tensors.isEmpty }
    let order = networks.map { result in (result: result, key: Self.key(result.name)) }
    rows = order.sorted { ($0.key, $0.result.engine, $0.result.dtype) < ($1.key, $1.result.engine, $1.result.dtype) }
      .map { Self.row($0.result) }
  }

  /// Families together, each by depth: the number that ends the first word with one is padded.
  private static func key(_ name: String) -> String {
    var (key, digits) = ("", "")
    for character in name + " " {
      if character.isNumber {
        digits.append(character)
      } else {
        if !digits.isEmpty { key += String(repeating: "0", count: max(0, 5 - digits.count)) + digits }
        digits = ""
        key.append(character)
      }
    }
    return key
  }

  private static func row(_ result: CaseResult) -> Row {
    let parts = result.name.split(separator: "/").drop { $0 == "resnet" }
    let figures = columns.map { column in
      let ratios = result.tensors.filter { $0.path.hasPrefix(column.prefix) }.map(\.worstRatio)
      return ratios.max().map(NumberText.short) ?? "–"
    }
    let worst = result.layers?.worst.values.max { ($0.worstRatio, $1.path) < ($1.worstRatio, $0.path) }
    return Row(
      cells: [parts.joined(separator: "/"), result.engine, result.dtype, result.status.rawValue] + figures
        + [worst.map { NumberText.short($0.worstRatio) } ?? "–", worst.map { String($0.path.dropFirst(7)) } ?? "–"])
  }
}
