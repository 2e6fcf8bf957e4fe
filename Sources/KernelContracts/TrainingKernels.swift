/// What a training step does to activations, gradients and parameters besides convolving: the kernels of one instruction set.
///
/// A row is `pixels` pixels of one block of channels, `block` floats each (V at most), one after the other; a per-channel
/// operand has `block` floats. Nothing else is read or written. Targets may be the operand of the same rows; other operands do
/// not overlap them.
public struct TrainingKernels: Sendable {
  public typealias Input = UnsafePointer<Float>
  public typealias Output = UnsafeMutablePointer<Float>

  /// `sums[c] = Σ (row[p][c] − centre[c])` and `squares[c] = Σ (row[p][c] − centre[c])²`, in float32.
  public var centredSums:
    @Sendable (
      _ row: Input, _ centre: Input, _ sums: Output, _ squares: Output, _ block: Int, _ pixels: Int
    ) -> Void
  /// See ``AffineRows``.
  public var affine: @Sendable (UnsafePointer<AffineRows>) -> Void
  /// See ``GradientRows``: the sums.
  public var gradientSums: @Sendable (UnsafePointer<GradientRows>) -> Void
  /// See ``GradientRows``: the input's gradient.
  public var inputGradient: @Sendable (UnsafePointer<GradientRows>) -> Void
  /// `target[i] += source[i]`.
  public var add: @Sendable (_ source: Input, _ target: Output, _ count: Int) -> Void
  /// `target[p][c] = scale·value[c]`, or adds that.
  public var spreadMean:
    @Sendable (
      _ value: Input, _ scale: Float, _ target: Output, _ block: Int, _ pixels: Int, _ accumulates: Bool
    ) -> Void
  /// Adds each output's gradient to where the window's largest element is: the first of equals, and the last NaN. The strip's
  /// `input` is what was pooled, its `output` the outputs' gradient, which is read; `target` is where the first window of the
  /// input's gradient begins, whose rows are `targetRowStride` apart and pixels as the input's.
  public var spreadMaxima:
    @Sendable (_ strip: UnsafePointer<PoolStrip>, _ target: Output, _ targetRowStride: Int) -> Void
  /// See ``ParameterStep``.
  public var sgd: @Sendable (UnsafePointer<ParameterStep>) -> Void
  /// See ``ParameterStep``.
  public var adam: @Sendable (UnsafePointer<ParameterStep>) -> Void

  public init(
    centredSums: @escaping @Sendable (Input, Input, Output, Output, Int, Int) -> Void,
    affine: @escaping @Sendable (UnsafePointer<AffineRows>) -> Void,
    gradientSums: @escaping @Sendable (UnsafePointer<GradientRows>) -> Void,
    inputGradient: @escaping @Sendable (UnsafePointer<GradientRows>) -> Void,
    add: @escaping @Sendable (Input, Output, Int) -> Void,
    spreadMean: @escaping @Sendable (Input, Float, Output, Int, Int, Bool) -> Void,
    spreadMaxima: @escaping @Sendable (UnsafePointer<PoolStrip>, Output, Int) -> Void,
    sgd: @escaping @Sendable (UnsafePointer<ParameterStep>) -> Void,
    adam: @escaping @Sendable (UnsafePointer<ParameterStep>) -> Void
  ) {
    self.centredSums = centredSums
    self.affine = affine
    self.gradientSums = gradientSums
    self.inputGradient = inputGradient
    self.add = add
    self.spreadMean = spreadMean
    self.spreadMaxima = spreadMaxima
    self.sgd = sgd
    self.adam = adam
  }
}

/// `target = relu((row − centre)·factor + term + residual)`: a batch norm, or a bias with centre 0 and factor 1.
public struct AffineRows {
  /// One after the other.
  public var rows: UnsafePointer<Float>
  /// Per channel.
  public var centre: UnsafePointer<Float>
  public var factor: UnsafePointer<Float>
  public var term: UnsafePointer<Float>
  /// Rows that are added, as far apart as the target's, or nil.
  public var residual: UnsafePointer<Float>?
  public var relu: Bool
  public var target: UnsafeMutablePointer<Float>
  public var targetStride: Int
  public var block: Int
  public var pixels: Int
  public var rowCount: Int

  @inlinable
  public init(
    rows: UnsafePointer<Float>, centre: UnsafePointer<Float>, factor: UnsafePointer<Float>, term: UnsafePointer<Float>,
    residual: UnsafePointer<Float>?, relu: Bool, target: UnsafeMutablePointer<Float>, targetStride: Int, block: Int,
    pixels: Int, rowCount: Int
  ) {
    self.rows = rows
    self.centre = centre
    self.factor = factor
    self.term = term
    self.residual = residual
    self.relu = relu
    self.target = target
    self.targetStride = targetStride
    self.block = block
    self.pixels = pixels
    self.rowCount = rowCount
  }
}

/// The way back through ``AffineRows``, in two passes over the gradient dy of their target.
///
/// The first gives m = dy where the gate is open, else 0, to `masked` if that is there, and adds Σ m to `sums` and
/// Σ m·((row − centre)·scale) to `products`, in float32. The second gives `target = m·factor + ((row − centre)·slope + term)`, or
/// `m·factor` alone where `slope` is nil: nothing of the row is in it then but its gate, whatever it is.
public struct GradientRows {
  /// Where m is dy.
  public enum Gate {
    /// Everywhere: there is no ReLU.
    case open
    /// Where this, what the ReLU gave, is not ≤ 0.
    case target(UnsafePointer<Float>, stride: Int)
    /// Where `(row − centre)·factor + term`, the target of ``AffineRows`` without a residual, is not ≤ 0: that is one operand
    /// less to read. Per channel.
    case row(factor: UnsafePointer<Float>, term: UnsafePointer<Float>)
  }

  /// Rows that may be apart.
  public struct Target {
    public var start: UnsafeMutablePointer<Float>
    public var stride: Int

    @inlinable
    public init(_ start: UnsafeMutablePointer<Float>, stride: Int) {
      self.start = start
      self.stride = stride
    }
  }

  public var dOutput: UnsafePointer<Float>
  public var dOutputStride: Int
  public var gate: Gate
  /// One after the other.
  public var rows: UnsafePointer<Float>
  public var centre: UnsafePointer<Float>
  /// Of the first pass.
  public var scale: UnsafePointer<Float>
  public var masked: Target?
  public var sums: UnsafeMutablePointer<Float>
  public var products: UnsafeMutablePointer<Float>
  /// Of the second.
  public var factor: UnsafePointer<Float>
  public var slope: UnsafePointer<Float>?
  public var term: UnsafePointer<Float>
  public var target: Target
  public var block: Int
  public var pixels: Int
  public var rowCount: Int

  @inlinable
  public init(
    dOutput: UnsafePointer<Float>, dOutputStride: Int, gate: Gate, rows: UnsafePointer<Float>,
    centre: UnsafePointer<Float>, scale: UnsafePointer<Float>, masked: Target?, sums: UnsafeMutablePointer<Float>,
    products: UnsafeMutablePointer<Float>, factor: UnsafePointer<Float>, slope: UnsafePointer<Float>?,
    term: UnsafePointer<Float>, target: Target, block: Int, pixels: Int, rowCount: Int
  ) {
    self.dOutput = dOutput
    self.dOutputStride = dOutputStride
    self.gate = gate
    self.rows = rows
    self.centre = centre
    self.scale = scale
    self.masked = masked
    self.sums = sums
    self.products = products
    self.factor = factor
    self.slope = slope
    self.term = term
    self.target = target
    self.block = block
    self.pixels = pixels
    self.rowCount = rowCount
  }

  /// Goes on to later rows of all that is read, and of what is masked.
  @inlinable
  public mutating func advance(by count: Int) {
    dOutput += count * dOutputStride
    if case .target(let target, let stride) = gate { gate = .target(target + count * stride, stride: stride) }
    rows += count * pixels * block
    masked = masked.map { Target($0.start + count * $0.stride, stride: $0.stride) }
  }
}

/// One step of SGD or Adam on `count` parameters.
///
/// SGD: g ← g + decay·p; b ← momentum·b + share·g, or b ← g where `isFirst`; p ← p − rate·b, or − rate·(g + momentum·b) with
/// `nesterov`. Without `first` there is no b.
///
/// Adam: p ← p·shrink; g ← g + decay·p; m ← m + share·(g − m); v ← beta·v + secondShare·g²; p ← p − rate·m/(√v/root + eps).
/// With `largest`, that takes v's part.
public struct ParameterStep {
  public var parameters: UnsafeMutablePointer<Float>
  public var gradient: UnsafePointer<Float>
  /// SGD's b, Adam's m.
  public var first: UnsafeMutablePointer<Float>?
  /// Adam's v.
  public var second: UnsafeMutablePointer<Float>?
  public var largest: UnsafeMutablePointer<Float>?
  public var count: Int
  public var rate: Float = 0
  public var momentum: Float = 0
  public var share: Float = 1
  public var decay: Float = 0
  public var shrink: Float = 1
  public var beta: Float = 0
  public var secondShare: Float = 0
  public var root: Float = 1
  public var eps: Float = 0
  public var nesterov = false
  public var isFirst = false

  @inlinable
  public init(
    parameters: UnsafeMutablePointer<Float>, gradient: UnsafePointer<Float>, first: UnsafeMutablePointer<Float>?,
    second: UnsafeMutablePointer<Float>?, largest: UnsafeMutablePointer<Float>?, count: Int
  ) {
    self.parameters = parameters
    self.gradient = gradient
    self.first = first
    self.second = second
    self.largest = largest
    self.count = count
  }
}
