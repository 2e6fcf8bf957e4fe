import Operations
import Problems

/// The names of the golden format, schema 1.
enum GoldenSchema {
  static let name = "assay.golden"
  static let version: Int64 = 1

  /// Attributes of a case that say how to use it, not what to compute.
  static let caseAttributes: Set<String> = ["operation", "fill", "tags", "expect_error"]

  /// Attributes of operations. One of these in a type that cannot be read is an error; others are then ignored.
  static let operationAttributes = Problem.types.values.reduce(into: Set<String>()) { $0.formUnion($1.attributeNames) }

  static let groups = Set(TensorGroup.allCases.map(\.rawValue))
  /// What the oracle itself gives in float32, beside the outputs of a case.
  static let referenceFloat32 = "reference_float32"
  static let proceduralFill = "splitmix64-uniform"
}
