import Tensors

/// What a network's layers make and cost: one row a layer.
public struct NetworkSummary: Hashable, Sendable {
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
}

extension NetworkPlan {
  public var summary: NetworkSummary { NetworkSummary(self) }
}
