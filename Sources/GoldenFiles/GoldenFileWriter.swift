import HDF5
import Problems
import Tensors

/// Writes golden files: the same cases give the same bytes.
public enum GoldenFileWriter {
  /// Writes `cases` as one file, which appears under its name only when it is complete.
  ///
  /// Tensors above 4 KiB are chunked with shuffle, gzip and fletcher32. Nothing is checked but the file's own rules: a
  /// file of damaged or refused cases can be written on purpose.
  /// - Throws: ``GoldenFileError`` of kind `cannotWrite`, or of another kind for names that HDF5 does not take.
  public static func write(
    _ cases: [GoldenCase], header: GoldenFileHeader, to path: String
  ) throws(GoldenFileError) {
    try create(path, header: header, caseCount: cases.count) { root throws(HDF5Error) in
      for written in cases.sorted(by: { $0.name < $1.name }) {
        try GoldenCaseWriter(compressesLargeTensors: true).write(written, to: root)
      }
    }
  }

  static func create(
    _ path: String, header: GoldenFileHeader, caseCount: Int, survivesPowerCut: Bool = true,
    _ body: (HDF5Group) throws(HDF5Error) -> Void
  ) throws(GoldenFileError) {
    try creating(path, survivesPowerCut: survivesPowerCut) { root in
      try write(header, caseCount: caseCount, to: root)
      try body(root)
    }
  }

  private static func write(_ header: GoldenFileHeader, caseCount: Int, to root: HDF5Group) throws(HDF5Error) {
    try root.setAttribute("schema", .string(GoldenSchema.name))
    try root.setAttribute("schema_version", .integer(Int(GoldenSchema.version)))
    try root.setAttribute("generator", .string(header.generator))
    try root.setAttribute("generator_script", .string(header.generatorScript))
    try root.setAttribute("generator_sha256", .string(header.generatorSHA256))
    try root.setAttribute("oracle_dtype", .string(header.oracleDType.rawValue))
    try root.setAttribute("case_count", .integer(caseCount))
    if let seed = header.seed { try root.setAttribute("seed", .unsigned(seed)) }
    if let created = header.created { try root.setAttribute("created", .string(created)) }
    if let text = header.text { try root.setAttribute("description", .string(text)) }
    if let license = header.license { try root.setAttribute("license", .string(license)) }
  }
}

/// Writes the groups of one case.
struct GoldenCaseWriter {
  let compressesLargeTensors: Bool

  func write(_ written: GoldenCase, to root: HDF5Group) throws(HDF5Error) {
    let group = try makeGroup(for: written.exercise, at: written.name, in: root)
    try group.setAttribute("fill", .string(written.fill.rawValue))
    if !written.tags.isEmpty { try group.setAttribute("tags", .strings(written.tags)) }
    if let category = written.expectError { try group.setAttribute("expect_error", .string(category.rawValue)) }
    try write(written.exercise, to: group)
    try write(written.outputs, .outputs, to: group)
    try write(written.buffersAfter, .buffersAfter, to: group)
    try write(written.gradients, .gradients, to: group)
  }

  /// What the operation is applied to, and its cotangents.
  /// - Parameters:
  ///   - written: the operands.
  ///   - group: the case's.
  ///   - withoutLate: whether inputs and cotangents are shapes alone.
  func write(_ written: Exercise, to group: HDF5Group, withoutLate: Bool = false) throws(HDF5Error) {
    if withoutLate {
      try writeShapes(of: written.inputs, .inputs, to: group)
      try writeShapes(of: written.upstream, .upstream, to: group)
    } else {
      try write(written.inputs, .inputs, to: group)
      try write(written.upstream, .upstream, to: group)
    }
    try write(written.parameters, .parameters, to: group)
    try write(written.buffers, .buffers, to: group)
  }

  private func writeShapes(
    of tensors: [String: AnyTensor], _ kind: TensorGroup, to group: HDF5Group
  ) throws(HDF5Error) {
    guard !tensors.isEmpty else { return }
    let target = try group.createGroup(kind.rawValue)
    for (name, tensor) in tensors.sorted(by: { $0.key < $1.key }) {
      let dataset = try target.createNullDataset(name, storedAs: tensor.dtype.stored)
      try dataset.setAttribute("shape", .integers(tensor.shape.dimensions))
    }
  }

  /// A group with the operation and its attributes.
  func makeGroup(for written: Exercise, at path: String, in root: HDF5Group) throws(HDF5Error) -> HDF5Group {
    let group = path == "/" ? root : try root.createGroup(path)
    try group.setAttribute("operation", .string(written.operation))
    for (name, value) in written.attributes.values.sorted(by: { $0.key < $1.key }) {
      try group.setAttribute(name, HDF5AttributeValue(value))
    }
    return group
  }

  func write(_ tensors: [String: AnyTensor], _ kind: TensorGroup, to group: HDF5Group) throws(HDF5Error) {
    guard !tensors.isEmpty else { return }
    let target = try group.createGroup(kind.rawValue)
    for (name, tensor) in tensors.sorted(by: { $0.key < $1.key }) { try write(tensor, name, to: target) }
  }

  private func write(
    _ tensors: [String: ExpectedTensor], _ kind: TensorGroup, to group: HDF5Group
  ) throws(HDF5Error) {
    guard !tensors.isEmpty else { return }
    let target = try group.createGroup(kind.rawValue)
    for (name, expected) in tensors.sorted(by: { $0.key < $1.key }) {
      switch expected.value {
      case .whole(let tensor): try annotate(try write(tensor, name, to: target), expected)
      case .sampled(let sample): try annotate(try write(sample, name, to: target), expected)
      }
    }
  }

  private func annotate(_ object: any HDF5Object, _ expected: ExpectedTensor) throws(HDF5Error) {
    let tolerance = expected.tolerance
    if let absolute = tolerance.absolute { try object.setAttribute("atol", .float(absolute)) }
    if let relative = tolerance.relative { try object.setAttribute("rtol", .float(relative)) }
    if let ulps = tolerance.maximumULPs { try object.setAttribute("max_ulp", .float(ulps)) }
    if let reason = tolerance.reason { try object.setAttribute("tolerance_reason", .string(reason)) }
    if !expected.equalNaN { try object.setAttribute("equal_nan", .boolean(false)) }
    if expected.checkSignedZero { try object.setAttribute("check_signed_zero", .boolean(true)) }
  }

  @discardableResult
  private func write(_ tensor: AnyTensor, _ name: String, to group: HDF5Group) throws(HDF5Error) -> HDF5Dataset {
    let bytes = tensor.shape.count * tensor.dtype.byteCount
    let options: HDF5DatasetOptions = compressesLargeTensors && bytes > 4096 ? .compressed : .contiguous
    return try group.createDataset(name, tensor, options: options)
  }

  private func write(_ sample: SampledTensor, _ name: String, to group: HDF5Group) throws(HDF5Error) -> HDF5Group {
    let target = try group.createGroup(name)
    let count = Shape(sample.indices.count)
    try write(.int64(Tensor(shape: count, elements: sample.indices.map(Int64.init))), "indices", to: target)
    try write(.float64(Tensor(shape: count, elements: sample.values)), "values", to: target)
    try target.setAttribute("shape", .integers(sample.shape.dimensions))
    try target.setAttribute("l2_norm", .float(sample.l2Norm))
    try target.setAttribute("sum", .float(sample.sum))
    try target.setAttribute("abs_max", .float(sample.absMax))
    return target
  }
}

extension HDF5Group {
  /// Writes a tensor in its own type.
  @discardableResult
  public func createDataset(
    _ name: String, _ tensor: AnyTensor, options: HDF5DatasetOptions
  ) throws(HDF5Error) -> HDF5Dataset {
    let shape = tensor.shape.dimensions
    switch tensor {
    case .float32(let tensor):
      return try createDataset(name, shape: shape, values: tensor.elements, options: options)
    case .float64(let tensor):
      return try createDataset(name, shape: shape, values: tensor.elements, options: options)
    case .int64(let tensor):
      return try createDataset(name, shape: shape, values: tensor.elements, options: options)
    case .packed(let tensor):
      // The library narrows, and nothing is lost: each value is one of the type's.
      return try createDataset(
        name, shape: shape, values: tensor.doubles.elements.map { Float($0) },
        storedAs: tensor.dtype.stored, options: options)
    }
  }
}

extension DType {
  /// How files hold it.
  fileprivate var stored: HDF5Datatype {
    switch self {
    case .float64: .float64
    case .float32: .float32
    case .float16: .float16
    case .bfloat16: .bfloat16
    case .int64: .int64
    }
  }
}

extension HDF5AttributeValue {
  init(_ value: AttributeValue) {
    switch value {
    case .boolean(let value): self = .boolean(value)
    case .integer(let value): self = .integer(value)
    case .real(let value): self = .float(value)
    case .string(let value): self = .string(value)
    case .integers(let values): self = .integers(values)
    case .reals(let values): self = .floats(values)
    case .strings(let values): self = .strings(values)
    }
  }
}
