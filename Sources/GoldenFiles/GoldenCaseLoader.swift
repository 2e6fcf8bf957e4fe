import HDF5
import Operations
import Problems
import Tensors

/// Loads cases and holds each against its own operation.
struct GoldenCaseLoader {
  let file: String
  private let limits: GoldenLimits
  private var tensors: GoldenTensorReader

  /// - Parameter acceptsLate: whether a tensor may be a shape alone, as in the file that an engine prepares from.
  init(file: String, limits: GoldenLimits, acceptsLate: Bool = false) {
    self.file = file
    self.limits = limits
    tensors = GoldenTensorReader(file: file, limits: limits, acceptsLate: acceptsLate)
  }

  /// Loads a case. What computing it takes is counted from shapes and attributes, before any tensor is read or made.
  mutating func load(_ summary: GoldenCaseSummary, from root: HDF5Group) throws(GoldenFileError) -> GoldenCase {
    let group = try translating { () throws(HDF5Error) in try root.group(summary.name) }
    var loaded = GoldenCase(
      try stimulus(summary, of: group), fill: summary.fill, tags: summary.tags, expectError: summary.expectError)
    loaded.outputs = try expected(.outputs, of: group)
    loaded.buffersAfter = try expected(.buffersAfter, of: group)
    loaded.gradients = try expected(.gradients, of: group)
    loaded.referenceFloat32 = try read(admitted(GoldenSchema.referenceFloat32, of: group))
    try GoldenCaseChecker(file: file).check(&loaded)
    return loaded
  }

  /// A case without anything expected, and without a judgement on it but for what it takes: what an engine is given.
  mutating func stimulus(_ summary: GoldenCaseSummary, of group: HDF5Group) throws(GoldenFileError) -> Exercise {
    let (attributes, given) = try admitted(of: group)
    try GoldenCaseChecker(file: file).checkCost(summary, attributes, given.operands, limits: limits.computation)
    return Exercise(
      name: summary.name, operation: summary.operation, attributes: attributes, inputs: try read(given.inputs),
      parameters: try read(given.parameters), buffers: try read(given.buffers), upstream: try read(given.upstream))
  }

  /// What a case asks; no tensor is read.
  mutating func problem(
    of summary: GoldenCaseSummary, in root: HDF5Group
  ) throws(GoldenFileError) -> (any OperationProblem)? {
    let group = try translating { () throws(HDF5Error) in try root.group(summary.name) }
    let (attributes, given) = try admitted(of: group)
    return try? Problem.make(operation: summary.operation, attributes: attributes, operands: given.operands)
  }

  private mutating func admitted(
    of group: HDF5Group
  ) throws(GoldenFileError) -> (attributes: Attributes, given: GivenTensors) {
    tensors.startCase()
    return try (
      GoldenAttributes(object: group, file: file).operationAttributes(),
      GivenTensors(
        inputs: admitted(.inputs, of: group), parameters: admitted(.parameters, of: group),
        buffers: admitted(.buffers, of: group), upstream: admitted(.upstream, of: group))
    )
  }

  /// The late operands that a file brings: inputs and cotangents.
  mutating func late(of group: HDF5Group) throws(GoldenFileError) -> LateOperands {
    tensors.startCase()
    return LateOperands(
      inputs: try read(admitted(.inputs, of: group)), upstream: try read(admitted(.upstream, of: group)))
  }

  /// What an operation is applied to, before any element is read.
  private struct GivenTensors {
    var inputs: [String: AdmittedTensor]
    var parameters: [String: AdmittedTensor]
    var buffers: [String: AdmittedTensor]
    var upstream: [String: AdmittedTensor]

    var operands: Operands {
      Operands(
        inputs: inputs.mapValues(\.type), parameters: parameters.mapValues(\.type), buffers: buffers.mapValues(\.type))
    }
  }

  private func read(_ admitted: [String: AdmittedTensor]) throws(GoldenFileError) -> [String: AnyTensor] {
    var found: [String: AnyTensor] = [:]
    // Values of 16 bits are float32's, too: in which type they are given to an engine is for a run to say.
    for (name, tensor) in admitted { found[name] = try tensors.read(tensor).widened }
    return found
  }

  /// The tensors of an answer that were asked for; nothing else of it is looked at.
  /// - Parameter wanted: names, each with the most elements that it may have; nil for any number.
  mutating func answered(
    _ kind: TensorGroup, of group: HDF5Group, wanted: [String: Int?]
  ) throws(GoldenFileError) -> [String: AnyTensor] {
    var found: [String: AnyTensor] = [:]
    guard !wanted.isEmpty, let parent = try tensorGroup(kind.rawValue, of: group) else { return found }
    for (name, most) in wanted.sorted(by: { $0.key < $1.key }) {
      guard let node = try translating({ () throws(HDF5Error) in try parent.memberIfPresent(name) }) else { continue }
      guard case .dataset(let dataset) = node else { throw notADataset("\(parent.path)/\(name)") }
      let admitted = try tensors.admit(dataset)
      if let most, admitted.type.shape.count > most {
        throw GoldenFileError(
          .inconsistent, file: file, object: dataset.path, expected: "at most \(most) elements",
          found: "shape \(admitted.type.shape)", advice: "answer with the shape that the operation has")
      }
      found[name] = try tensors.read(admitted)
    }
    return found
  }

  private mutating func admitted(
    _ kind: TensorGroup, of group: HDF5Group
  ) throws(GoldenFileError) -> [String: AdmittedTensor] {
    try admitted(kind.rawValue, of: group)
  }

  private mutating func admitted(
    _ name: String, of group: HDF5Group
  ) throws(GoldenFileError) -> [String: AdmittedTensor] {
    var found: [String: AdmittedTensor] = [:]
    for (member, node) in try members(name, of: group) {
      guard case .dataset(let dataset) = node else { throw notADataset("\(group.path)/\(name)/\(member)") }
      found[member] = try tensors.admit(dataset)
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
        found[name] = try annotated(
          .whole(try tensors.read(dataset).widened), GoldenAttributes(object: dataset, file: file))
      case .group(let sample):
        found[name] = try annotated(
          .sampled(try tensors.readSample(sample)), GoldenAttributes(object: sample, file: file))
      case .other: throw notADataset("\(group.path)/\(kind.rawValue)/\(name)")
      }
    }
    return found
  }

  /// Anything that is not a tensor would otherwise be skipped, and an expectation with it.
  private func notADataset(_ object: String) -> GoldenFileError {
    GoldenFileError(
      .wrongType, file: file, object: object, expected: "a dataset", found: "another object",
      advice: "store the tensor itself (Fixtures/FORMAT.md)")
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
    for excess in tolerance.excesses(over: value) {
      throw attributes.wrong(excess.name, expected: excess.expected, found: "\(excess.found)", kind: .inconsistent)
    }
    return ExpectedTensor(
      value, tolerance: tolerance, equalNaN: try attributes.boolean("equal_nan", default: true),
      checkSignedZero: try attributes.boolean("check_signed_zero", default: false))
  }

  private func tensorGroup(_ name: String, of group: HDF5Group) throws(GoldenFileError) -> HDF5Group? {
    guard let node = try translating({ () throws(HDF5Error) in try group.memberIfPresent(name) }) else { return nil }
    guard case .group(let tensors) = node else {
      throw GoldenFileError(
        .wrongType, file: file, object: "\(group.path)/\(name)", expected: "a group of datasets",
        found: "another object", advice: "Fixtures/FORMAT.md lists a case's groups")
    }
    return tensors
  }

  /// What a group of tensors holds, through hard links only.
  private func members(_ name: String, of group: HDF5Group) throws(GoldenFileError) -> [(String, HDF5Node)] {
    guard let tensors = try tensorGroup(name, of: group) else { return [] }
    var members: [(String, HDF5Node)] = []
    var names: Set<String> = []
    for link in try translating({ () throws(HDF5Error) in try tensors.links() }) {
      // HDF5 compares bytes; tensors are looked up by text, where such names are one.
      guard names.insert(link.name).inserted else {
        throw GoldenFileError(
          .inconsistent, file: file, object: "\(tensors.path)/\(link.name)",
          expected: "names that are not each other's Unicode equivalents", found: "two that look the same",
          advice: "give one of them another name")
      }
      members.append((link.name, try translating { () throws(HDF5Error) in try tensors.member(link.name) }))
    }
    return members
  }
}
