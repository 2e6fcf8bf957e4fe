/// What a training step does to activations, gradients and parameters besides convolving: the kernels of one instruction set.
///
/// A row is `pixels` pixels of one block of channels, `block` floats each (V at most), one after the other; a per-channel
/// operand has `block` floats. Nothing else is read or written. Targets may be the operand of the same row; other operands do
/// not overlap them.
public struct TrainingKernels: Sendable {
  public typealias Input = UnsafePointer<Float>
  public typealias Output = UnsafeMutablePointer<Float>

  /// `sums[c] = Σ (row[p][c] − centre[c])` and `squares[c] = Σ (row[p][c] − centre[c])²`, in float32.
  public var centredSums:
    @Sendable (
      _ row: Input, _ centre: Input, _ sums: Output, _ squares: Output, _ block: Int, _ pixels: Int
    ) -> Void
  /// See ``AffineRow``.
  public var affine: @Sendable (UnsafePointer<AffineRow>) -> Void
  /// See ``GradientRow``: the sums.
  public var gradientSums: @Sendable (UnsafePointer<GradientRow>) -> Void
  /// See ``GradientRow``: the input's gradient.
  public var inputGradient: @Sendable (UnsafePointer<GradientRow>) -> Void
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
    affine: @escaping @Sendable (UnsafePointer<AffineRow>) -> Void,
    gradientSums: @escaping @Sendable (UnsafePointer<GradientRow>) -> Void,
    inputGradient: @escaping @Sendable (UnsafePointer<GradientRow>) -> Void,
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
public struct AffineRow {
  public var row: UnsafePointer<Float>
  /// Per channel.
  public var centre: UnsafePointer<Float>
  public var factor: UnsafePointer<Float>
  public var term: UnsafePointer<Float>
  /// A row that is added, or nil.
  public var residual: UnsafePointer<Float>?
  public var relu: Bool
  public var target: UnsafeMutablePointer<Float>
  public var block: Int
  public var pixels: Int

  @inlinable
  public init(
    row: UnsafePointer<Float>, centre: UnsafePointer<Float>, factor: UnsafePointer<Float>, term: UnsafePointer<Float>,
    residual: UnsafePointer<Float>? = nil, relu: Bool, target: UnsafeMutablePointer<Float>, block: Int, pixels: Int
  ) {
    self.row = row
    self.centre = centre
    self.factor = factor
    self.term = term
    self.residual = residual
    self.relu = relu
    self.target = target
    self.block = block
    self.pixels = pixels
  }
}

/// The way back through an ``AffineRow``, in two passes over the gradient dy of its target.
///
/// The first gives m = dy where the target is not ≤ 0 (everywhere without `gate`), else 0, to `masked` if that is there, and
/// adds Σ m to `sums` and Σ m·((row − centre)·scale) to `products`, in float32. The second gives
/// `target = m·factor + ((row − centre)·slope + term)`, or `m·factor` alone where `slope` is nil: nothing of the row is in it
/// then, whatever it is.
public struct GradientRow {
  public var dOutput: UnsafePointer<Float>
  /// What the ReLU gave, or nil where there is none.
  public var gate: UnsafePointer<Float>?
  public var row: UnsafePointer<Float>
  public var centre: UnsafePointer<Float>
  /// Of the first pass.
  public var scale: UnsafePointer<Float>
  public var masked: UnsafeMutablePointer<Float>?
  public var sums: UnsafeMutablePointer<Float>
  public var products: UnsafeMutablePointer<Float>
  /// Of the second.
  public var factor: UnsafePointer<Float>
  public var slope: UnsafePointer<Float>?
  public var term: UnsafePointer<Float>
  public var target: UnsafeMutablePointer<Float>
  public var block: Int
  public var pixels: Int

  @inlinable
  public init(
    dOutput: UnsafePointer<Float>, gate: UnsafePointer<Float>?, row: UnsafePointer<Float>,
    centre: UnsafePointer<Float>, scale: UnsafePointer<Float>, masked: UnsafeMutablePointer<Float>?,
    sums: UnsafeMutablePointer<Float>, products: UnsafeMutablePointer<Float>, factor: UnsafePointer<Float>,
    slope: UnsafePointer<Float>?,
    term: UnsafePointer<Float>, target: UnsafeMutablePointer<Float>, block: Int, pixels: Int
  ) {
    self.dOutput = dOutput
    self.gate = gate
    self.row = row
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
