import Engines
import GoldenFiles
import Problems
import Reporting
import Results
import Tensors

/// What `assay golden show` says of a case.
struct ShownCase: Encodable {
  let name, operation, fill: String
  let tags: [String]
  /// The category that an engine must refuse it with.
  let expectError: String?
  let attributes: [String: JSONValue]
  let tensors: [ShownTensor]

  private let attributeTexts: [String]

  private enum CodingKeys: CodingKey { case name, operation, fill, tags, expectError, attributes, tensors }

  /// - Parameter values: how many elements of each tensor are shown.
  init(_ loaded: GoldenCase, values: Int) {
    (name, operation, fill) = (loaded.name, loaded.operation, loaded.fill.rawValue)
    tags = loaded.tags.sorted()
    expectError = loaded.expectError?.rawValue
    attributes = loaded.attributes.values.mapValues(JSONValue.init)
    attributeTexts = loaded.attributes.values.sorted { $0.key < $1.key }.map { "\($0) = \($1)" }
    let given: [(TensorGroup, [String: AnyTensor])] = [
      (.inputs, loaded.inputs), (.parameters, loaded.parameters), (.buffers, loaded.buffers),
      (.upstream, loaded.upstream),
    ]
    tensors =
      given.flatMap { group, tensors in
        tensors.sorted { $0.key < $1.key }.map { ShownTensor("\(group.rawValue)/\($0)", $1, values: values) }
      }
      + loaded.expected.sorted { $0.key < $1.key }.map { ShownTensor($0, $1, values: values) }
  }

  var text: String {
    var lines = ["\(name.printable): \(operation.printable), \(fill) fill"]
    if !tags.isEmpty { lines.append("tags: \(tags.joined(separator: ", ").printable)") }
    if let expectError { lines.append("must be refused: \(expectError)") }
    lines += attributeTexts.map { "  \($0.printable)" }
    var table = TextTable(["tensor", "dtype", "shape", "min", "max", "values"], figures: [3, 4])
    for tensor in tensors { table.add(tensor.row) }
    return lines.map { $0 + "\n" }.joined() + table.text
  }
}

/// A tensor of such a case.
struct ShownTensor: Encodable {
  let path, dtype: String
  let shape: [Int]
  /// How many elements a file has of one that it does not hold whole; of these the figures are.
  let samples: Int?
  /// Without NaNs; `nil` where there is nothing else.
  let minimum, maximum: Double?
  /// The first elements.
  let values: [Double]
  /// Of an expected one.
  let tolerance: ShownTolerance?

  private let isCut: Bool

  private enum CodingKeys: CodingKey { case path, dtype, shape, samples, minimum, maximum, values, tolerance }

  init(_ path: String, _ tensor: AnyTensor, values: Int) {
    self.init(
      path, tensor.dtype, tensor.shape, tensor.doubles.elements, isSampled: false, values: values, tolerance: nil)
  }

  init(_ path: String, _ expected: ExpectedTensor, values: Int) {
    let tolerance = ShownTolerance(expected)
    switch expected.value {
    case .whole(let tensor):
      self.init(
        path, tensor.dtype, tensor.shape, tensor.doubles.elements, isSampled: false, values: values,
        tolerance: tolerance)
    case .sampled(let sample):
      self.init(path, .float64, sample.shape, sample.values, isSampled: true, values: values, tolerance: tolerance)
    }
  }

  private init(
    _ path: String, _ dtype: DType, _ shape: Shape, _ numbers: [Double], isSampled: Bool, values: Int,
    tolerance: ShownTolerance?
  ) {
    (self.path, self.dtype, self.shape) = (path, dtype.rawValue, shape.dimensions)
    samples = isSampled ? numbers.count : nil
    let ordered = numbers.filter { !$0.isNaN }
    (minimum, maximum) = (ordered.min(), ordered.max())
    self.values = Array(numbers.prefix(values))
    isCut = numbers.count > values
    self.tolerance = tolerance
  }

  var row: [String] {
    [
      path, samples.map { "\($0) samples" } ?? dtype, Shape(shape).description, minimum.map(Self.text) ?? "–",
      maximum.map(Self.text) ?? "–", values.map(Self.text).joined(separator: " ") + (isCut ? " …" : ""),
    ] + [tolerance?.text].compactMap { $0 }
  }

  private static func text(_ number: Double) -> String {
    number == number.rounded() && number.magnitude < 1e9 && !(number == 0 && number.sign == .minus)
      ? "\(Int(number))" : "\(Float(number))"
  }
}

/// What the file says of how near an expected tensor must be.
struct ShownTolerance: Encodable {
  let atol, rtol: Double?
  let maxUlp: Double?
  let reason: String?
  let equalNan, checkSignedZero: Bool

  init(_ expected: ExpectedTensor) {
    (atol, rtol) = (expected.tolerance.absolute, expected.tolerance.relative)
    (maxUlp, reason) = (expected.tolerance.maximumULPs, expected.tolerance.reason)
    (equalNan, checkSignedZero) = (expected.equalNaN, expected.checkSignedZero)
  }

  var text: String {
    var notes: [String] = []
    if let atol { notes.append("atol \(atol)") }
    if let rtol { notes.append("rtol \(rtol)") }
    if let maxUlp { notes.append("max_ulp \(maxUlp)") }
    if let reason { notes.append("(\(reason))") }
    if !equalNan { notes.append("NaN is wrong") }
    if checkSignedZero { notes.append("signed zeros matter") }
    return notes.joined(separator: " ")
  }
}

extension JSONValue {
  fileprivate init(_ value: AttributeValue) {
    self =
      switch value {
      case .boolean(let value): .boolean(value)
      case .integer(let value): .integer(value)
      case .real(let value): .number(value)
      case .string(let value): .text(value)
      case .integers(let values): .array(values.map(JSONValue.integer))
      case .reals(let values): .array(values.map(JSONValue.number))
      case .strings(let values): .array(values.map(JSONValue.text))
      }
  }
}
