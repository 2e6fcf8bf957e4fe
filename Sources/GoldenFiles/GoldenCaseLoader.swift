import HDF5
import Problems
import Tensors

/// Loads cases and holds each against its own operation.
struct GoldenCaseLoader {
  let file: String
  private var tensors: GoldenTensorReader

  init(file: String, limits: GoldenLimits) {
    self.file = file
    tensors = GoldenTensorReader(file: file, limits: limits)
  }

  mutating func load(_ summary: GoldenCaseSummary, from root: HDF5Group) throws(GoldenFileError) -> GoldenCase {
    let group = try translating { () throws(HDF5Error) in
      summary.name == "/" ? root : try root.group(String(summary.name.dropFirst()))
    }
    var loaded = try stimulus(summary, of: group)
    loaded.outputs = try expected(.outputs, of: group)
    loaded.buffersAfter = try expected(.buffersAfter, of: group)
    loaded.gradients = try expected(.gradients, of: group)
    loaded.referenceFloat32 = try given(GoldenSchema.referenceFloat32, of: group)
    try GoldenCaseChecker(file: file).check(&loaded)
    return loaded
  }

  /// A case without anything expected, and without a judgement on it: what an engine is given.
  mutating func stimulus(_ summary: GoldenCaseSummary, of group: HDF5Group) throws(GoldenFileError) -> GoldenCase {
    GoldenCase(
      summary: summary, attributes: try GoldenAttributes(object: group, file: file).operationAttributes(),
      inputs: try given(.inputs, of: group), parameters: try given(.parameters, of: group),
      buffers: try given(.buffers, of: group), upstream: try given(.upstream, of: group))
  }

  /// The tensors that an engine is given, or answers with.
  mutating func given(_ kind: TensorGroup, of group: HDF5Group) throws(GoldenFileError) -> [String: AnyTensor] {
    try given(kind.rawValue, of: group)
  }

  private mutating func given(_ name: String, of group: HDF5Group) throws(GoldenFileError) -> [String: AnyTensor] {
    var found: [String: AnyTensor] = [:]
    for (name, node) in try members(name, of: group) {
      if case .dataset(let dataset) = node { found[name] = try tensors.read(dataset) }
    }
    return found
  }

  private mutating func expected(_ kind: TensorGroup, of group: HDF5Group) throws(GoldenFileError)
    -> [String: ExpectedTensor]
  {
    var found: [String: ExpectedTensor] = [:]
    for (name, node) in try members(kind.rawValue, of: group) {
      switch node {
      case .dataset(let dataset):
        found[name] = try annotated(.whole(try tensors.read(dataset)), GoldenAttributes(object: dataset, file: file))
      case .group(let sample):
        found[name] = try annotated(
          .sampled(try tensors.readSample(sample)), GoldenAttributes(object: sample, file: file))
      case .other: break
      }
    }
    return found
  }

  /// How the file wants an expected tensor compared.
  private func annotated<Object: HDF5Object>(
    _ value: ExpectedTensor.Value, _ attributes: GoldenAttributes<Object>
  ) throws(GoldenFileError) -> ExpectedTensor {
    var tolerance = ToleranceOverride(
      absolute: try attributes.number("atol"), relative: try attributes.number("rtol"),
      maximumULPs: try attributes.number("max_ulp"))
    for (name, number) in [
      ("atol", tolerance.absolute), ("rtol", tolerance.relative), ("max_ulp", tolerance.maximumULPs),
    ] {
      guard let number else { continue }
      // An infinite tolerance would accept anything.
      guard number >= 0, number.isFinite else {
        throw attributes.wrong(
          name, expected: "a finite number that is not negative", found: "\(number)", kind: .inconsistent)
      }
    }
    tolerance.reason = try attributes.string("tolerance_reason")
    return ExpectedTensor(
      value, tolerance: tolerance, equalNaN: try attributes.boolean("equal_nan", default: true),
      checkSignedZero: try attributes.boolean("check_signed_zero", default: false))
  }

  /// What a group of tensors holds, through hard links only.
  private func members(_ name: String, of group: HDF5Group) throws(GoldenFileError) -> [(String, HDF5Node)] {
    guard let node = try translating({ () throws(HDF5Error) in try group.memberIfPresent(name) }) else {
      return []
    }
    guard case .group(let tensors) = node else {
      throw GoldenFileError(
        .wrongType, file: file, object: "\(group.path)/\(name)", expected: "a group of datasets",
        found: "another object", advice: "Fixtures/FORMAT.md lists a case's groups")
    }
    var members: [(String, HDF5Node)] = []
    for link in try translating({ () throws(HDF5Error) in try tensors.links() }) {
      members.append((link.name, try translating { () throws(HDF5Error) in try tensors.member(link.name) }))
    }
    return members
  }
}
