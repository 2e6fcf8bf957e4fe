import Tensors

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
    /// channel, which is a run in each image, share the rounding of what was transformed for it.
    case runs(of: Int, groups: Int)

    /// The group of an element by its place, row-major; `nil` where it has none.
    public func group(of offset: Int) -> Int? {
      guard case .runs(let length, let groups) = self else { return nil }
      return offset / length % groups
    }

    /// Those that have an index of this axis in common, as the elements of a channel.
    public static func slices(of shape: Shape, along axis: Int) -> Sharing {
      .runs(of: max(shape.strides[axis], 1), groups: max(shape[axis], 1))
    }
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
  /// Elements that one number is added to, such as a bias. Where that is the last addition, the sum before it is on a grid of its
  /// own, and the bits of the number that the result has no place for are the same for all of them: so is what the last rounding
  /// leaves out.
  public var addend: Sharing
  /// Whether the terms of the sums lean to one side: see ``ProductSums/spread``.
  public var leans: Bool

  public init(
    meanSquare: Double, scatter: Double = 2, common: Double = 0, sharing: Sharing = .none, drift: Double = 0,
    addend: Sharing = .none, leans: Bool = false
  ) {
    self.meanSquare = meanSquare
    self.scatter = scatter
    self.common = common
    self.sharing = sharing
    self.drift = drift
    self.addend = addend
    self.leans = leans
  }

  /// That of sums of products in any order of summation.
  ///
  /// A rounding errs by at most half a spacing, with a variance of at most ⅓u² of its result's square. Of K partial sums of
  /// independent terms none has a mean square beyond max(Σt², y²), and the bound stands for u²·K times that: the share is at most ⅓.
  /// One accumulator that takes term after term uses about a quarter of it, since its partial sums grow and significands
  /// are spread. Windows that the padding cuts have fewer terms than K, which spreads z² beyond a normal distribution's.
  public static let sums = ErrorSpread(meanSquare: 1.0 / 3, scatter: 6)

  /// The same where one number is added to elements; `nil` where none is.
  public func adding(_ addend: Sharing?) -> ErrorSpread {
    var changed = self
    changed.addend = addend ?? .none
    return changed
  }

  /// One that covers both.
  public func widest(with other: ErrorSpread) -> ErrorSpread {
    ErrorSpread(
      meanSquare: max(meanSquare, other.meanSquare), scatter: max(scatter, other.scatter),
      common: max(common, other.common), sharing: common >= other.common ? sharing : other.sharing,
      drift: max(drift, other.drift), addend: addend == .none ? other.addend : addend, leans: leans || other.leans)
  }
}
