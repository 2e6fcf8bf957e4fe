/// How the errors of correct implementations are spread over a tensor, in units of the standard deviation that the statistical bound
/// stands for: z = error / (bound / ``ElementBounds/lambda``).
///
/// An element's bound leaves room for rare errors. It says nothing of a tensor whose every element is twice as wrong as it ought to
/// be, or wrong toward zero. These figures do; `assay verify --calibrate` measures them of any engine.
public struct ErrorSpread: Sendable, Hashable {
  /// Elements whose errors may have a part in common.
  public enum Sharing: Sendable, Hashable {
    /// None: each is rounded on its own.
    case none
    /// So many consecutive ones, row-major; where `groups` runs are used up, the next belongs to the first again. All elements of a
    /// row share the rounding of its mean; all of a channel, which is a run in each image, that of the channel's.
    case runs(of: Int, groups: Int)
  }

  /// m: the largest mean of z² of any order of summation.
  public var meanSquare: Double
  /// κ: the variance of z² over the square of its mean; 2 for a normal distribution.
  public var scatter: Double
  /// ρ: the share of the errors' variance that elements have in common by `sharing`.
  public var common: Double
  public var sharing: Sharing
  /// The largest mean of z, or of z with the result's sign, that implementations show by how they work: constants that are
  /// rounded once for all elements.
  public var drift: Double

  public init(
    meanSquare: Double, scatter: Double = 2, common: Double = 0, sharing: Sharing = .none, drift: Double = 0
  ) {
    self.meanSquare = meanSquare
    self.scatter = scatter
    self.common = common
    self.sharing = sharing
    self.drift = drift
  }

  /// That of sums of so many products, of which one accumulator that takes term after term is the worst order.
  ///
  /// A result m·2^e rounds with a variance of ⅓u²·2^2e. Where logarithms of results are uniform, E[m²] = 3/(2·ln 2), and the variance
  /// is a = 2·ln 2/9 = 0.154 of u² times the results' mean square. The k-th of K partial sums has the mean square k·t², t² being
  /// a term's, so that all sums round with a·½K(K + 1)·t²·u² and the products with a·K·t²·u². The bound stands for
  /// K·K·t²·u²: the share is a·(½ + 3/(2K)). Terms of one sign give ⅓ in place of ½. Windows that the padding cuts have fewer
  /// terms than K, which spreads z² beyond a normal distribution's.
  public static func sums(ofTerms count: Int) -> ErrorSpread {
    ErrorSpread(meanSquare: 0.154 * (0.5 + 1.5 / Double(max(count, 1))), scatter: 6)
  }

  /// One that covers both.
  public func widest(with other: ErrorSpread) -> ErrorSpread {
    ErrorSpread(
      meanSquare: max(meanSquare, other.meanSquare), scatter: max(scatter, other.scatter),
      common: max(common, other.common), sharing: common >= other.common ? sharing : other.sharing,
      drift: max(drift, other.drift))
  }
}
