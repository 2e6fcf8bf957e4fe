import Problems
import Tensors

/// One thing in which two golden files differ.
public struct GoldenDifference: Sendable, Hashable {
  public let caseName: String
  /// "case", an attribute as `@stride`, or a tensor as `outputs/y`.
  public let subject: String
  public let text: String

  /// Every difference, in the order of names; elements are compared bit for bit.
  /// - Throws: ``GoldenFileError`` for a case that cannot be loaded.
  public static func all(
    from old: GoldenFile, to new: GoldenFile, matching patterns: [String] = []
  ) throws(GoldenFileError) -> [GoldenDifference] {
    let patterns = patterns.map(NamePattern.init)
    func selected(_ file: GoldenFile) -> [ByteName: GoldenCaseSummary] {
      let chosen = file.cases.filter { found in
        patterns.isEmpty || patterns.contains { $0.matches(found.name) }
      }
      return Dictionary(chosen.map { (ByteName($0.name), $0) }, uniquingKeysWith: { first, _ in first })
    }
    let before = selected(old)
    let after = selected(new)
    var differences: [GoldenDifference] = []
    for name in Set(before.keys).union(after.keys).sorted() {
      switch (before[name], after[name]) {
      case (let first?, let second?):
        if first != second {
          differences.append(GoldenDifference(first.name, "case", "\(describe(first)) became \(describe(second))"))
        }
        differences += compare(try old.load(first), try new.load(second))
      case (_?, nil): differences.append(GoldenDifference(name.description, "case", "only in \(old.path)"))
      default: differences.append(GoldenDifference(name.description, "case", "only in \(new.path)"))
      }
    }
    return differences
  }

  init(_ caseName: String, _ subject: String, _ text: String) {
    self.caseName = caseName
    self.subject = subject
    self.text = text
  }

  private static func describe(_ summary: GoldenCaseSummary) -> String {
    "\(summary.operation), \(summary.fill.rawValue)" + (summary.tags.isEmpty ? "" : ", \(summary.tags)")
      + (summary.expectError.map { ", refused as \($0.rawValue)" } ?? "")
  }

  /// The attributes and tensors that differ between two cases, bit for bit.
  public static func compare(_ old: GoldenCase, _ new: GoldenCase) -> [GoldenDifference] {
    var differences: [GoldenDifference] = []
    let firsts = byBytes(old.attributes.values)
    let seconds = byBytes(new.attributes.values)
    for name in Set(firsts.keys).union(seconds.keys).sorted() {
      let first = firsts[name]
      let second = seconds[name]
      if first == second { continue }
      // NaN is a value of its own here: momentum = NaN asks for the cumulative average.
      if case .real(let a)? = first, case .real(let b)? = second, a.isNaN, b.isNaN { continue }
      differences.append(
        GoldenDifference(
          old.name, "@\(name)", "\(first?.description ?? "absent") became \(second?.description ?? "absent")"))
    }
    let before = byBytes(tensors(of: old))
    let after = byBytes(tensors(of: new))
    for path in Set(before.keys).union(after.keys).sorted() {
      guard let first = before[path], let second = after[path] else {
        let text = before[path] == nil ? "appeared" : "disappeared"
        differences.append(GoldenDifference(old.name, path.description, text))
        continue
      }
      if let text = difference(first, second) {
        differences.append(GoldenDifference(old.name, path.description, text))
      }
    }
    return differences
  }

  /// Names that two files spell differently are different names, however much they look the same.
  private static func byBytes<Value>(_ values: [String: Value]) -> [ByteName: Value] {
    Dictionary(uniqueKeysWithValues: values.map { (ByteName($0.key), $0.value) })
  }

  private static func tensors(of loaded: GoldenCase) -> [String: ExpectedTensor] {
    var all = loaded.expected
    for (group, tensors) in [
      (TensorGroup.inputs, loaded.inputs), (.parameters, loaded.parameters), (.buffers, loaded.buffers),
      (.upstream, loaded.upstream),
    ] {
      for (name, tensor) in tensors { all["\(group.rawValue)/\(name)"] = ExpectedTensor(tensor) }
    }
    return all
  }

  private static func difference(_ old: ExpectedTensor, _ new: ExpectedTensor) -> String? {
    switch (old.value, new.value) {
    case (.whole(let first), .whole(let second)):
      if let text = difference(first, second) { return text }
    case (.sampled(let first), .sampled(let second)):
      if first.shape != second.shape { return "shape \(first.shape) became \(second.shape)" }
      if first != second { return "samples or figures differ" }
    default: return "whole and sampled"
    }
    guard old.tolerance == new.tolerance, old.equalNaN == new.equalNaN, old.checkSignedZero == new.checkSignedZero
    else { return "the tolerance or how it is compared" }
    return nil
  }

  private static func difference(_ old: AnyTensor, _ new: AnyTensor) -> String? {
    if old.dtype != new.dtype { return "\(old.dtype.rawValue) became \(new.dtype.rawValue)" }
    if old.shape != new.shape { return "shape \(old.shape) became \(new.shape)" }
    if case .int64(let first) = old, case .int64(let second) = new {
      let count = zip(first.elements, second.elements).count { $0 != $1 }
      return count == 0 ? nil : "\(count) of \(first.count) elements"
    }
    var count = 0
    var largest = 0.0
    for (first, second) in zip(old.doubles.elements, new.doubles.elements) where first.bitPattern != second.bitPattern {
      count += 1
      largest = max(largest, (first - second).magnitude)
    }
    return count == 0 ? nil : "\(count) of \(old.shape.count) elements, by at most \(largest)"
  }
}
