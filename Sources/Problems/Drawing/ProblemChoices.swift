import Tensors

/// The numbers that one problem is made of, by name: drawn from a seed, or given once more.
///
/// A definition asks for one after the other and makes its problem of them. What it was given is recorded, so that the same
/// numbers, or smaller ones, make a problem again: that is how a failure is shrunk.
public struct ProblemChoices: Sendable {
  /// One number, and what it could have been.
  public struct Choice: Hashable, Sendable {
    public enum Domain: Hashable, Sendable {
      case size(SizeDomain)
      /// The number is the position of one of these, the simplest of which comes first.
      case option([String])
    }

    public let name: String
    public let value: Int
    public let domain: Domain

    public init(name: String, value: Int, domain: Domain) {
      self.name = name
      self.value = value
      self.domain = domain
    }

    /// Whether it is an extent.
    public var isSize: Bool { if case .size = domain { true } else { false } }

    /// The least that it could have been.
    public var least: Int {
      switch domain {
      case .size(let domain): domain.range.lowerBound
      case .option: 0
      }
    }

    /// What was chosen, in words.
    public var label: String {
      switch domain {
      case .size: "\(value)"
      case .option(let labels): labels[value]
      }
    }
  }

  public private(set) var made: [Choice] = []
  private let given: [String: Int]
  /// `nil` where nothing is drawn: what is not given is the simplest then.
  private var stream: SplitMix64?

  init(drawnFrom stream: SplitMix64) {
    given = [:]
    self.stream = stream
  }

  /// - Parameter given: numbers by name; those outside what is asked for become the nearest that are not.
  init(given: [String: Int]) {
    self.given = given
    stream = nil
  }

  /// An extent.
  /// - Parameters:
  ///   - name: as people write it, such as `H`.
  ///   - domain: what it may be.
  ///   - least: nothing below this makes a problem.
  public mutating func size(_ name: String, _ domain: SizeDomain, atLeast least: Int = 0) -> Int {
    let domain = domain.atLeast(least)
    let value = given[name].map(domain.clamped) ?? stream?.drawing(domain.draw) ?? domain.range.lowerBound
    return record(name, value, .size(domain))
  }

  /// Height and width, equal in one of three draws.
  public mutating func plane(
    _ names: (String, String) = ("H", "W"), _ domain: SizeDomain = .side, atLeast least: Pair = 1
  ) -> Pair {
    let height = size(names.0, domain, atLeast: least.height)
    guard coin(1, of: 3), height >= least.width else {
      return Pair(height, size(names.1, domain, atLeast: least.width))
    }
    return Pair(height, record(names.1, height, .size(domain.atLeast(least.width))))
  }

  /// One of some values, the simplest first.
  /// - Parameters:
  ///   - name: as people write it.
  ///   - values: what it may be; their descriptions name them.
  ///   - weights: how often each is drawn, one for each; equally often without.
  public mutating func option<Value>(_ name: String, _ values: [Value], weights: [Int]? = nil) -> Value {
    let labels = values.map { "\($0)" }
    let position =
      given[name].map { min(max($0, 0), values.count - 1) }
      ?? stream?.drawing { Self.position(values.count, weights, &$0) } ?? 0
    return values[record(name, position, .option(labels))]
  }

  private static func position(_ count: Int, _ weights: [Int]?, _ stream: inout SplitMix64) -> Int {
    guard let weights else { return stream.below(count) }
    var rest = stream.below(weights.reduce(0, +))
    for (position, weight) in weights.enumerated() {
      if rest < weight { return position }
      rest -= weight
    }
    return 0
  }

  /// Whether something is so; in one of `rarity` draws it is.
  public mutating func flag(_ name: String, oneIn rarity: Int = 2) -> Bool {
    option(name, [false, true], weights: [rarity - 1, 1])
  }

  /// One of some values for height and for width, the same in three of four draws: `stride.h` and `stride.w`.
  public mutating func pair(_ name: String, _ values: [Int], weights: [Int]? = nil) -> Pair {
    let height = option("\(name).h", values, weights: weights)
    guard coin(3, of: 4), let position = values.firstIndex(of: height) else {
      return Pair(height, option("\(name).w", values, weights: weights))
    }
    return Pair(height, values[record("\(name).w", position, .option(values.map { "\($0)" }))])
  }

  /// A shape of one of these ranks. Axes of four are N, C, H and W, of two N and C; others are numbered.
  public mutating func shape(ranks: [Int], weights: [Int]? = nil, inner: SizeDomain = .side) -> Shape {
    switch option("rank", ranks, weights: weights) {
    case 4:
      let (n, c) = (size("N", .batch), size("C", .channels))
      let plane = plane(("H", "W"), inner)
      return Shape(n, c, plane.height, plane.width)
    case 2: return Shape(size("N", .batch), size("C", .extent))
    case let rank: return Shape((0..<rank).map { size("axis \($0)", .extent) })
    }
  }

  /// Of an operation that takes any.
  public mutating func anyShape() -> Shape { shape(ranks: [1, 2, 4, 3, 5, 0], weights: [6, 4, 8, 2, 1, 1]) }

  /// A draw that leaves no record: of what was given there is nothing to decide.
  private mutating func coin(_ hits: Int, of sides: Int) -> Bool {
    stream?.drawing { $0.below(sides) < hits } ?? false
  }

  private mutating func record(_ name: String, _ value: Int, _ domain: Choice.Domain) -> Int {
    made.append(Choice(name: name, value: value, domain: domain))
    return value
  }
}

extension SplitMix64 {
  /// What a draw gives, of a stream that may be absent.
  fileprivate mutating func drawing<Value>(_ draw: (inout SplitMix64) -> Value) -> Value { draw(&self) }
}
