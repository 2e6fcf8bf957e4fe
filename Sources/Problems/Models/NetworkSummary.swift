import Tensors

/// A network as a table: one row a layer.
public struct NetworkSummary: Hashable, Sendable, CustomStringConvertible {
  public struct Row: Hashable, Sendable {
    public let name: String
    /// The operation in the golden format.
    public let operation: String
    public let outputShape: Shape
    public let parameterCount: Int
    public let multiplyAccumulates: Int
  }

  public let rows: [Row]
  public let parameterCount: Int
  public let multiplyAccumulates: Int

  public init(_ plan: NetworkPlan) {
    rows = plan.layers.map { layer in
      Row(
        name: layer.name, operation: type(of: layer.problem).operation, outputShape: layer.outputShape,
        parameterCount: layer.parameters.reduce(0) { $0 + $1.shape.count },
        multiplyAccumulates: layer.problem.multiplyAccumulates)
    }
    parameterCount = plan.parameterCount
    multiplyAccumulates = plan.multiplyAccumulates
  }

  /// The table in plain text, thousands grouped.
  public var description: String {
    var lines = [["layer", "operation", "output", "parameters", "MACs"]]
    for row in rows {
      lines.append([
        row.name, row.operation, row.outputShape.description, row.parameterCount == 0 ? "" : row.parameterCount.grouped,
        row.multiplyAccumulates == 0 ? "" : row.multiplyAccumulates.grouped,
      ])
    }
    lines.append(["total", "", "", parameterCount.grouped, multiplyAccumulates.grouped])
    let widths = (0..<5).map { column in lines.map { $0[column].count }.max() ?? 0 }
    return lines.map { line in
      line.enumerated().map { column, cell in
        let space = String(repeating: " ", count: widths[column] - cell.count)
        return column < 3 ? cell + space : space + cell
      }.joined(separator: "  ")
    }.joined(separator: "\n")
  }
}

extension Int {
  /// 25,557,032
  var grouped: String {
    let digits = String(magnitude)
    var groups: [Substring] = []
    var rest = digits[...]
    while !rest.isEmpty {
      groups.append(rest.suffix(3))
      rest = rest.dropLast(3)
    }
    return (self < 0 ? "-" : "") + groups.reversed().joined(separator: ",")
  }
}

extension NetworkPlan {
  public var summary: NetworkSummary { NetworkSummary(self) }
}
