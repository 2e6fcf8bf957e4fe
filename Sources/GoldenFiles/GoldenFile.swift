import HDF5
import Problems

/// An open golden file: its header, the list of its cases, and a way to load one of them.
///
/// It comes from ``GoldenReader``, which decides whether the file may be parsed in this process.
public struct GoldenFile: Sendable {
  /// As it was given.
  public let path: String
  public let header: GoldenFileHeader
  /// In the order of their names.
  public let cases: [GoldenCaseSummary]
  /// Lower-case hexadecimal, of the file's bytes.
  public let sha256: String
  /// Whether a trusted manifest lists this very content.
  public let isListed: Bool

  let root: HDF5Group
  let limits: GoldenLimits

  /// Parses a file's bytes: header, links, the attributes of every case, their number. No tensor is read yet.
  init(
    path: String, image: [UInt8], sha256: String, isListed: Bool, limits: GoldenLimits
  ) throws(GoldenFileError) {
    let file = try translating { () throws(HDF5Error) in
      try HDF5File.open(image: image, name: path, limits: limits.library)
    }
    self.path = path
    self.sha256 = sha256
    self.isListed = isListed
    self.limits = limits
    root = file.root
    let header = GoldenHeaderReader(root: file.root, path: path)
    try header.checkSchema()
    self.header = try header.header()
    var search = GoldenCaseSearch(path: path, limits: limits)
    try search.visit(file.root, depth: 0)
    cases = search.cases
    try header.checkCaseCount(found: cases.count)
  }

  /// Loads one case with all its tensors.
  ///
  /// Tensors' links, types, shapes and storage are looked at before they are read; outside `expect_error` the case must
  /// make sense to its operation. One-element tensors stand for scalars where the operation has one.
  /// - Throws: ``GoldenFileError`` that names the object.
  public func load(_ summary: GoldenCaseSummary) throws(GoldenFileError) -> GoldenCase {
    var loader = GoldenCaseLoader(file: path, limits: limits)
    return try loader.load(summary, from: root)
  }

  /// What a case asks, from its attributes and shapes alone; `nil` where they make no sense, or no operation of this project's.
  /// - Throws: ``GoldenFileError`` that names the object.
  public func problem(of summary: GoldenCaseSummary) throws(GoldenFileError) -> (any OperationProblem)? {
    var loader = GoldenCaseLoader(file: path, limits: limits)
    return try loader.problem(of: summary, in: root)
  }

  /// Loads the case of this name.
  public func load(named name: String) throws(GoldenFileError) -> GoldenCase {
    let wanted = name.hasPrefix("/") ? name : "/" + name
    guard let summary = cases.first(where: { ByteName($0.name) == ByteName(wanted) }) else {
      throw GoldenFileError(
        .missing, file: path, object: wanted, expected: "a case of this name", found: "none",
        advice: "`assay golden list \(path)` names them all")
    }
    return try load(summary)
  }

  /// Loads every case once, one at a time, under the cap for the whole file.
  /// - Parameter skippingCostly: whether a case that takes more than the limits allow is passed over. None of its tensors is
  ///   read, so it does no harm to a file's other cases.
  /// - Throws: the first ``GoldenFileError``.
  public func validate(skippingCostly: Bool = false) throws(GoldenFileError) {
    var loader = GoldenCaseLoader(file: path, limits: limits)
    for summary in cases {
      do throws(GoldenFileError) { _ = try loader.load(summary, from: root) } catch {
        guard skippingCostly, error.kind == .tooCostly else { throw error }
      }
    }
  }
}
