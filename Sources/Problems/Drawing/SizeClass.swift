/// What kernels tell extents apart by: a report counts how often each was drawn.
public enum SizeClass: Hashable, Sendable {
  case none
  case one
  case prime
  /// The remainder of a multiple of a unit: −1 just below it, 0 at it, 1 just above it.
  case multiple(of: Int, off: Int)
  /// A multiple of no unit, nor next to one.
  case between
  case atLeast(Int)

  private static let large = [256, 512, 1_024]

  /// All in which an extent lies, in one order.
  public static func classes(of value: Int) -> [SizeClass] {
    switch value {
    case ...0: return [.none]
    case 1: return [.one]
    default:
      var found: [SizeClass] = SizeDomain.isPrime(value) ? [.prime] : []
      let multiples = SizeDomain.units.flatMap { unit in
        [-1, 0, 1].filter { off in value - off >= unit && (value - off) % unit == 0 }
          .map { SizeClass.multiple(of: unit, off: $0) }
      }
      found += multiples.isEmpty ? [.between] : multiples
      return found + large.filter { value >= $0 }.map { .atLeast($0) }
    }
  }

  /// All that extents of a domain can lie in.
  public static func possible(in domain: SizeDomain) -> Set<SizeClass> {
    // Beyond the largest class nothing new comes.
    let last = min(domain.range.upperBound, 2 * (large.last ?? 0))
    return domain.range.lowerBound > last
      ? Set(classes(of: domain.range.lowerBound))
      : Set((domain.range.lowerBound...last).flatMap(classes))
  }
}

extension SizeClass: CustomStringConvertible {
  public var description: String {
    switch self {
    case .none: "0"
    case .one: "1"
    case .prime: "prime"
    case .multiple(let unit, let off): off == 0 ? "\(unit)k" : off < 0 ? "\(unit)k−1" : "\(unit)k+1"
    case .between: "between"
    case .atLeast(let least): "≥ \(least)"
    }
  }
}
