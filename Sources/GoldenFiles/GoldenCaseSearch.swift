import HDF5
import Problems

/// Finds the cases of a file: every group, at any depth, with a string attribute `operation`.
struct GoldenCaseSearch {
  let path: String
  let limits: GoldenLimits
  private(set) var cases: [GoldenCaseSummary] = []
  private var groupCount = 0
  /// The groups from the root to here: meeting one again is a cycle.
  private var ancestors: [HDF5Identity] = []

  init(path: String, limits: GoldenLimits) {
    self.path = path
    self.limits = limits
  }

  mutating func visit(_ group: HDF5Group, depth: Int) throws(GoldenFileError) {
    groupCount += 1
    guard groupCount <= limits.maximumGroups, depth <= limits.maximumDepth else {
      throw GoldenFileError(
        .tooLarge, file: path, object: group.path,
        expected: "at most \(limits.maximumGroups) groups, \(limits.maximumDepth) deep", found: "more",
        advice: "the file may link to its own groups again and again")
    }
    let identity = try translating { () throws(HDF5Error) in try group.identity() }
    guard !ancestors.contains(identity) else {
      throw GoldenFileError(
        .refused, file: path, object: group.path, expected: "a tree of groups", found: "a cycle of hard links",
        advice: "remove the link that leads back up")
    }
    ancestors.append(identity)
    defer { ancestors.removeLast() }
    let summary = try GoldenCaseSearch.summary(of: group, file: path)
    if let summary {
      guard cases.count < limits.maximumCases else {
        throw GoldenFileError(
          .tooLarge, file: path, object: group.path, expected: "at most \(limits.maximumCases) cases", found: "more",
          advice: "split the file")
      }
      cases.append(summary)
    }
    for link in try translating({ () throws(HDF5Error) in try group.links() }) {
      guard link.kind == .hard else {
        throw GoldenFileError(
          .refused, file: path, object: group.path == "/" ? "/\(link.name)" : "\(group.path)/\(link.name)",
          expected: "hard links only", found: "a \(link.kind)", advice: "store the object itself")
      }
      // A case's own groups hold tensors; the loader looks at those.
      if summary != nil, GoldenSchema.groups.contains(link.name) { continue }
      let node = try translating { () throws(HDF5Error) in try group.member(link.name) }
      if case .group(let child) = node { try visit(child, depth: depth + 1) }
    }
  }

  /// What a group says of itself, if it is a case.
  static func summary(of group: HDF5Group, file: String) throws(GoldenFileError) -> GoldenCaseSummary? {
    let attributes = GoldenAttributes(object: group, file: file)
    // An attribute of that name and another type makes no case; where damage hid one, the number of cases tells.
    guard try attributes.type(of: "operation")?.isString == true else { return nil }
    guard let operation = try attributes.string("operation"), !operation.isEmpty else {
      throw attributes.wrong("operation", expected: "the name of an operation", found: "an empty string")
    }
    let fill = try attributes.choice("fill", Fill.self) ?? .adversarial
    let category = try attributes.choice("expect_error", ProblemError.Category.self)
    return GoldenCaseSummary(
      name: group.path, operation: operation, fill: fill, tags: try attributes.strings("tags"), expectError: category)
  }
}
