/// The most that checking one case may take, held against its ``ProblemCost`` before anything is allocated.
///
/// The defaults come from the corpus. Its largest network in memory (a wide ResNet-101) takes 4.2 GB, its longest training
/// run 134·10⁹ steps. A file that somebody sent gets a quarter of the memory and an eighth of the work, which still holds
/// one forward pass of every named network on 224×224 images.
public struct CaseLimits: Hashable, Sendable, Codable {
  public var maximumBytes: Int
  public var maximumWork: Int

  public init(maximumBytes: Int, maximumWork: Int) {
    self.maximumBytes = maximumBytes
    self.maximumWork = maximumWork
  }

  /// For golden files that the corpus's manifest does not list.
  public static let unlisted = CaseLimits(maximumBytes: 1 << 30, maximumWork: 1 << 35)
  /// For the corpus's own files, and for what is typed or written into a suite.
  public static let standard = CaseLimits(maximumBytes: 1 << 32, maximumWork: 1 << 38)

  /// One limit that a case goes beyond.
  public struct Excess: Hashable, Sendable {
    public let expected: String
    public let found: String
    /// Which option raises it.
    public let advice: String
  }

  /// What the case takes too much of; `nil` when it fits.
  public func excess(of cost: ProblemCost) -> Excess? {
    if cost.bytes.value > maximumBytes {
      return Excess(
        expected: "at most \(Self.bytes(maximumBytes)) of memory for one case",
        found: cost.bytes == .largest ? "more than can be addressed" : "about \(Self.bytes(cost.bytes.value))",
        advice: "--max-memory raises the limit")
    }
    if cost.work.value > maximumWork {
      return Excess(
        expected: "at most \(Self.number(maximumWork)) multiply-accumulates for one case",
        found: cost.work == .largest ? "more than can be counted" : "about \(Self.number(cost.work.value))",
        advice: "--max-work raises the limit")
    }
    return nil
  }

  /// Throws where a problem that was typed takes too much.
  public func require(_ problem: any OperationProblem) throws(ProblemError) {
    guard let excess = excess(of: problem.cost) else { return }
    throw ProblemError(
      .invalidArgument, "problem \(problem.text)", expected: excess.expected, found: "\(excess.found); \(excess.advice)")
  }

  /// `4.29 GB`: three digits, decimal units.
  private static func bytes(_ count: Int) -> String {
    scaled(count, by: ["bytes", "kB", "MB", "GB", "TB", "PB", "EB"], separator: " ")
  }

  /// `275 G`: three digits with a letter for the power of a thousand.
  private static func number(_ count: Int) -> String {
    scaled(count, by: ["", "k", "M", "G", "T", "P", "E"], separator: " ")
  }

  private static func scaled(_ count: Int, by units: [String], separator: String) -> String {
    var value = Double(count)
    var unit = 0
    while value >= 999.5, unit < units.count - 1 {
      value /= 1000
      unit += 1
    }
    let digits = value < 9.995 && unit > 0 ? 100.0 : value < 99.95 && unit > 0 ? 10.0 : 1.0
    let rounded = (value * digits).rounded() / digits
    let text = rounded == rounded.rounded() ? String(Int(rounded)) : String(rounded)
    return units[unit].isEmpty ? text : text + separator + units[unit]
  }
}

extension CaseLimits {
  /// Reads a size with an optional unit: `1073741824`, `512MB`, `2.5 GB`, `4GiB`, `250G`; `nil` unless it is a whole number
  /// of at least 1 and below 2⁶³.
  public static func size(_ text: String) -> Int? {
    let number = text.prefix { $0.isASCII && ($0.isNumber || $0 == ".") || $0 == "_" }
    var unit = text.dropFirst(number.count).drop { $0 == " " }.lowercased()
    if unit.hasSuffix("b") { unit.removeLast() }
    let base = unit.hasSuffix("i") ? 1024.0 : 1000.0
    if unit.hasSuffix("i") { unit.removeLast() }
    let powers = ["": 0, "k": 1, "m": 2, "g": 3, "t": 4, "p": 5, "e": 6]
    guard let value = Double(number.filter { $0 != "_" }), let power = powers[unit] else { return nil }
    if power == 0, let whole = Int(number.filter { $0 != "_" }) { return whole >= 1 ? whole : nil }
    var scaled = value
    for _ in 0..<power { scaled *= base }
    guard scaled >= 1 else { return nil }
    return Int(exactly: scaled.rounded())
  }
}
