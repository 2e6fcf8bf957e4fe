import Problems

/// Sums over the errors of a tensor in units of their standard deviation, z: what ``ErrorDistribution`` judges and ``Calibration``
/// measures.
struct ErrorMoments: Sendable {
  /// Elements that count: their deviation is known and above 0, and both values are finite.
  private(set) var count = 0
  private(set) var squares = 0.0
  private(set) var fourths = 0.0
  /// Σz: positive where results are too large.
  private(set) var sum = 0.0
  /// Σz·sign(y): negative where results are too small in magnitude.
  private(set) var signed = 0.0
  /// By group of elements that may have a part of their errors in common: how many, Σz, Σz·sign(y), Σz².
  private var groups: [Int: (count: Int, sum: Double, signed: Double, squares: Double)] = [:]
  /// The standard deviations of last roundings, by group of elements that one number is added to: their sum.
  private var addends: [Int: Double] = [:]
  /// The sum of their squares.
  private(set) var addendSquares = 0.0

  /// - Parameters:
  ///   - errors: z of each element; NaN for one that does not count.
  ///   - last: the standard deviation of each element's last rounding in units of its own.
  ///   - values: the expected ones.
  ///   - offsets: where the elements lie, row-major.
  ///   - spread: which of them belong together.
  init(_ errors: [Double], last: [Double], values: [Double], offsets: [Int], spread: ErrorSpread) {
    for (position, z) in errors.enumerated() where z.isFinite {
      let square = z * z
      let signed = values[position] < 0 ? -z : z
      count += 1
      squares += square
      fourths += square * square
      sum += z
      self.signed += signed
      if let group = spread.addend.group(of: offsets[position]) {
        addends[group, default: 0] += last[position]
        addendSquares += last[position] * last[position]
      }
      guard let group = spread.sharing.group(of: offsets[position]) else { continue }
      var found = groups[group] ?? (0, 0, 0, 0)
      found.count += 1
      found.sum += z
      found.signed += signed
      found.squares += square
      groups[group] = found
    }
  }

  /// How many independent errors they are as good as, where elements of a group have the share `common` of their variance in common.
  func independent(common: Double) -> Double {
    guard count > 0 else { return 0 }
    let pairs = groups.values.reduce(0.0) { $0 + Double($1.count) * Double($1.count - 1) } / Double(count)
    return Double(count) / (1 + common * pairs)
  }

  /// What the variance of Σz is at most where the last roundings of a group are the same.
  var addendVariance: Double { addends.values.reduce(0) { $0 + $1 * $1 } }

  /// What two different elements of a group have in common on average, Σ z_i·z_j over all such pairs, and how many pairs there are:
  /// of z and of z·sign(y).
  var common: (plain: Double, signed: Double, pairs: Double) {
    groups.values.reduce((0, 0, 0)) { all, group in
      (
        all.plain + group.sum * group.sum - group.squares, all.signed + group.signed * group.signed - group.squares,
        all.pairs + Double(group.count) * Double(group.count - 1)
      )
    }
  }
}
