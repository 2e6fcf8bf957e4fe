import Problems

/// The names of the golden format, schema 1.
enum GoldenSchema {
  static let name = "assay.golden"
  static let version: Int64 = 1

  /// Operations whose meaning the format defines. Every other name is a custom operation.
  static let operations = Set(Problem.types.keys).union([
    "conv2d", "batch_norm2d", "relu", "identity", "dropout", "softmax", "log_softmax", "flatten", "add", "max_pool2d",
    "avg_pool2d", "adaptive_avg_pool2d", "upsample2d", "linear", "cross_entropy", "basic_block", "bottleneck",
    "residual_block", "resnet", "sgd_step", "adam_step", "adamw_step", "training_run",
  ])

  /// Attributes of a case that say how to use it, not what to compute.
  static let caseAttributes: Set<String> = ["operation", "fill", "tags", "expect_error"]

  /// Attributes of operations. One of these in a type that cannot be read is an error; others are then ignored.
  static let operationAttributes: Set<String> = [
    "stride", "padding", "dilation", "groups", "training", "momentum", "eps", "kernel_size", "ceil_mode",
    "count_include_pad", "divisor_override", "output_size", "mode", "scale_factor", "size", "align_corners",
    "reduction",
    "ignore_index", "label_smoothing", "base_width", "stages", "shortcut", "architecture", "num_classes", "lr",
    "dampening", "nesterov", "weight_decay", "betas", "amsgrad", "first_step", "optimizer",
  ]

  static let groups = Set(TensorGroup.allCases.map(\.rawValue))
  /// What the oracle itself gives in float32, beside a `training_run`'s outputs.
  static let referenceFloat32 = "reference_float32"
  static let proceduralFill = "splitmix64-uniform"
}
