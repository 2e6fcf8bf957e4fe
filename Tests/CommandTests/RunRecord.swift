import Foundation

/// A `run.json` as what it says, path by path, without what differs from one run to the next.
struct RunRecord {
  /// What no verdict, bound or report may depend on: when a run was, by which words (of its parts too), and how long
  /// things took.
  private static let volatile = [
    "provenance/started", "provenance/command", "provenance/part_commands", "seconds", "fuzz_seconds",
  ]

  /// Values by paths such as `verification/results[3]/status`.
  private let values: [String: String]

  /// - Parameter ordered: whether lists are compared in order; shards and a whole run are only where results are named.
  init(contentsOf file: URL, ordered: Bool = true) throws {
    let json = try JSONSerialization.jsonObject(with: Data(contentsOf: file))
    values = Self.normalised(json, ordered: ordered)
  }

  /// Every value by its path, but for the volatile ones.
  static func normalised(_ json: Any, ordered: Bool) -> [String: String] {
    var values: [String: String] = [:]
    add(json, at: "", ordered, to: &values)
    return values
  }

  private static func add(_ json: Any, at path: String, _ ordered: Bool, to values: inout [String: String]) {
    guard !volatile.contains(where: { path == $0 || path.hasSuffix("/\($0)") }) else { return }
    switch json {
    case let object as [String: Any]:
      for (key, value) in object { add(value, at: path.isEmpty ? key : "\(path)/\(key)", ordered, to: &values) }
    case let list as [Any]:
      values["\(path)#"] = "\(list.count)"
      for (position, element) in list.enumerated() {
        let key = (ordered ? nil : identity(of: element)) ?? "\(position)"
        add(element, at: "\(path)[\(key)]", ordered, to: &values)
      }
    default: values[path] = "\(json)"
    }
  }

  /// What names an element of a list, if anything does.
  private static func identity(of element: Any) -> String? {
    guard let object = element as? [String: Any] else { return nil }
    let words = ["file", "path", "name", "operation", "engine", "dtype"].compactMap { object[$0] as? String }
    return words.isEmpty ? nil : words.joined(separator: " ")
  }

  /// The paths whose values differ, each with both.
  func differences(from other: RunRecord) -> [String] {
    Set(values.keys).union(other.values.keys).sorted().compactMap { path in
      let (mine, others) = (values[path] ?? "absent", other.values[path] ?? "absent")
      return mine == others ? nil : "\(path): \(mine), \(others)"
    }
  }
}
