import KernelContracts

/// `y = relu((z − centre)·inverse·weight + term + residual)` with one of each a channel, and the way back: a batch norm, or a bias,
/// between a convolution's output z and the activation y.
///
/// Where the numbers of a channel depend on all of its pixels, a thread goes over all pixels of a block of channels twice: what it
/// read first is then often still in the second-level cache. Sums are of float32 within at most 256 pixels, of double precision
/// beyond, and in one order whatever the number of threads.
///
/// `@unchecked Sendable`: whoever runs it lets one run at a time do so, as with a prepared convolution.
public final class BlockedNormalisation: @unchecked Sendable {
  /// Of z: as the activation's, without a halo.
  public let inputLayout: BlockedLayout
  /// Of y and of the residual.
  public let outputLayout: BlockedLayout
  /// What z is normalised by.
  public private(set) var normaliser: Normaliser
  private let kernels: KernelTable
  private let pool: ThreadPool
  /// Of all lanes, as the kernels take them.
  private let coefficients: AlignedBuffer
  private let scratch: AlignedBuffer
  private let scratchStride: Int
  /// The channel of each lane; `nil` for those that fill up a block.
  private let channelOfLane: [Int?]

  private static let chunkPixels = 256

  /// What z is normalised by: one number a channel each.
  public struct Normaliser: Sendable {
    public var centre: [Double]
    /// 1/√(variance + eps) of a batch norm, 1 for a bias.
    public var inverse: [Double]
    public var weight: [Double]
    public var term: [Double]

    public init(centre: [Double], inverse: [Double], weight: [Double], term: [Double]) {
      self.centre = centre
      self.inverse = inverse
      self.weight = weight
      self.term = term
    }

    fileprivate var factor: [Double] { zip(inverse, weight).map(*) }
  }

  /// Sums over the pixels of each channel.
  public struct Moments: Sendable {
    public var means: [Double]
    /// Sums of squared distances from the mean.
    public var squares: [Double]
  }

  /// What one number a channel is made of on the way back: m is the output's gradient where the ReLU is open.
  public struct GradientSums: Sendable {
    /// Σ m.
    public var sums: [Double]
    /// Σ m·(z − centre)·inverse.
    public var products: [Double]
  }

  /// - Parameters:
  ///   - outputLayout: of y.
  ///   - options: threads and instruction set.
  /// - Throws: ``ConvolutionError``.
  public init(_ outputLayout: BlockedLayout, options: ConvolutionOptions) throws(ConvolutionError) {
    self.outputLayout = outputLayout
    inputLayout = try outputLayout.with(halo: .init())
    kernels = try options.instructionSet.kernels()
    pool = try ThreadPool.shared(threads: options.threads)
    let lanes = outputLayout.laneCount
    coefficients = try AlignedBuffer(zeros: Coefficient.allCases.count * lanes, name: "normalisation")
    scratchStride = 4 * kernels.vectorWidth
    scratch = try AlignedBuffer(zeros: options.threads * scratchStride, name: "sums of pixels")
    var channelOfLane = [Int?](repeating: nil, count: lanes)
    for channel in 0..<outputLayout.channels { channelOfLane[outputLayout.lane(of: channel)] = channel }
    self.channelOfLane = channelOfLane
    let ones = [Double](repeating: 1, count: outputLayout.channels)
    normaliser = Normaliser(centre: ones.map { _ in 0 }, inverse: ones, weight: ones, term: ones.map { _ in 0 })
  }

  private var blocks: Int { outputLayout.groups * outputLayout.blocksPerGroup }
  private var pixels: Int { outputLayout.height * outputLayout.width }

  /// The forward pass's, and then those of the way back: `dz = m·factor + ((z − centre)·slope + gradientTerm)`.
  ///
  /// Differences from the centre are multiplied by the scale before they are multiplied by m: products of small differences would
  /// lose more to underflow than those of differences in units of their deviation.
  private enum Coefficient: Int, CaseIterable { case centre, factor, term, scale, slope, gradientTerm }

  private func pointer(_ coefficient: Coefficient, lane: Int = 0) -> UnsafeMutablePointer<Float> {
    coefficients.pointer + coefficient.rawValue * outputLayout.laneCount + lane
  }

  private func pointer(_ coefficient: Coefficient, block: Int) -> UnsafeMutablePointer<Float> {
    pointer(coefficient, lane: block * outputLayout.block)
  }

  /// The lanes of a block that are a channel's; the others keep their zeros.
  private func forEachChannel(of block: Int, _ body: (_ lane: Int, _ channel: Int) -> Void) {
    for lane in block * outputLayout.block..<(block + 1) * outputLayout.block {
      if let channel = channelOfLane[lane] { body(lane, channel) }
    }
  }

  private func set(lane: Int, centre: Double, inverse: Double, weight: Double, term: Double) {
    pointer(.centre)[lane] = Float(centre)
    pointer(.factor)[lane] = Float(inverse * weight)
    pointer(.term)[lane] = Float(term)
    pointer(.scale)[lane] = Float(inverse)
  }

  /// Goes over each block of channels and then over each of its images, last to first: what was read last is nearest. Where the
  /// blocks are too few for the threads, all blocks come first, and then images are shared.
  private func forEachBlock(
    _ first: (_ block: Int, _ worker: Int) -> Void, then second: (_ image: Int, _ block: Int) -> Void
  ) {
    let batch = outputLayout.batch
    if blocks % pool.threads == 0 || blocks >= 4 * pool.threads {
      pool.run(tasks: blocks) { block, worker in
        first(block, worker)
        for image in (0..<batch).reversed() { second(image, block) }
      }
    } else {
      pool.run(tasks: blocks) { first($0, $1) }
      forEachPlane(second)
    }
  }

  private func forEachPlane(_ body: (_ image: Int, _ block: Int) -> Void) {
    pool.run(tasks: outputLayout.batch * blocks) { task, _ in
      let (image, block) = task.quotientAndRemainder(dividingBy: blocks)
      body(image, block)
    }
  }

  // MARK: Forward

  /// What a forward pass reads and writes.
  public struct Operands {
    /// z.
    public var input: UnsafeBufferPointer<Float>
    /// What is added to y; it may be y itself.
    public var residual: UnsafeBufferPointer<Float>?
    public var relu: Bool
    /// y; its halo is not touched.
    public var output: UnsafeMutableBufferPointer<Float>

    public init(
      input: UnsafeBufferPointer<Float>, residual: UnsafeBufferPointer<Float>?, relu: Bool,
      output: UnsafeMutableBufferPointer<Float>
    ) {
      self.input = input
      self.residual = residual
      self.relu = relu
      self.output = output
    }
  }

  private func check(_ operands: Operands) throws(ConvolutionError) {
    try inputLayout.check(operands.input.count, "input")
    try outputLayout.check(operands.output.count, "output")
    if let residual = operands.residual { try outputLayout.check(residual.count, "residual") }
  }

  /// y from z by numbers that are given.
  /// - Throws: ``ConvolutionError/bufferMismatch(name:expected:found:)`` before anything is written.
  public func run(_ operands: Operands, by normaliser: Normaliser) throws(ConvolutionError) {
    try check(operands)
    self.normaliser = normaliser
    for block in 0..<blocks {
      forEachChannel(of: block) { lane, channel in
        set(
          lane: lane, centre: normaliser.centre[channel], inverse: normaliser.inverse[channel],
          weight: normaliser.weight[channel], term: normaliser.term[channel])
      }
    }
    forEachPlane { image, block in affine(operands, image, block) }
  }

  /// y from z by z's own statistics: about the mean of each channel, in units of its deviation.
  ///
  /// Pixels are read once for both moments: within a chunk, which stays in the first-level cache, about the chunk's own mean, and
  /// then put together after Chan et al. 1979.
  /// - Parameters:
  ///   - weight: one a channel.
  ///   - term: likewise.
  ///   - eps: what is added to variances.
  /// - Returns: the moments.
  /// - Throws: ``ConvolutionError/bufferMismatch(name:expected:found:)`` before anything is written.
  public func run(
    _ operands: Operands, weight: [Double], term: [Double], eps: Double
  ) throws(ConvolutionError) -> Moments {
    try check(operands)
    let count = Double(outputLayout.batch * pixels)
    func inverse(_ squares: Double) -> Double { 1 / (squares / count + eps).squareRoot() }
    let (means, squares) = sumsOfLanes { means, squares in
      forEachBlock { block, worker in
        let place = block * outputLayout.block
        if let input = operands.input.baseAddress {
          moments(of: input, block: block, means + place, squares + place, worker)
        }
        forEachChannel(of: block) { lane, channel in
          set(
            lane: lane, centre: means[lane], inverse: inverse(squares[lane]), weight: weight[channel],
            term: term[channel])
        }
      } then: { image, block in
        affine(operands, image, block)
      }
    }
    normaliser = Normaliser(centre: means, inverse: squares.map(inverse), weight: weight, term: term)
    return Moments(means: means, squares: squares)
  }

  private func affine(_ operands: Operands, _ image: Int, _ block: Int) {
    guard let input = operands.input.baseAddress, let output = operands.output.baseAddress else { return }
    let layout = outputLayout
    let place = layout.offset(image: image, block: block)
    var rows = AffineRows(
      rows: input + inputLayout.offset(image: image, block: block), centre: pointer(.centre, block: block),
      factor: pointer(.factor, block: block), term: pointer(.term, block: block),
      residual: operands.residual?.baseAddress.map { $0 + place }, relu: operands.relu, target: output + place,
      targetStride: layout.rowStride, block: layout.block, pixels: layout.width, rowCount: layout.height)
    kernels.training.affine(&rows)
  }

  private func moments(
    of input: UnsafePointer<Float>, block: Int, _ means: UnsafeMutablePointer<Double>,
    _ squares: UnsafeMutablePointer<Double>, _ worker: Int
  ) {
    let lanes = outputLayout.block
    let centre = scratch.pointer + worker * scratchStride
    let (sums, products) = (centre + lanes, centre + 2 * lanes)
    var count = 0.0
    for image in 0..<outputLayout.batch {
      let plane = input + inputLayout.offset(image: image, block: block)
      var first = 0
      while first < pixels {
        let length = min(Self.chunkPixels, pixels - first)
        let row = plane + first * lanes
        let n = Double(length)
        for lane in 0..<lanes { centre[lane] = means[lane].isFinite ? Float(means[lane]) : 0 }
        kernels.training.centredSums(row, centre, sums, products, lanes, length)
        for lane in 0..<lanes { centre[lane] += sums[lane] / Float(length) }
        kernels.training.centredSums(row, centre, sums, products, lanes, length)
        let (all, share) = (count + n, n / (count + n))
        for lane in 0..<lanes {
          let offset = Double(sums[lane]) / n
          var (mean, square) = (Double(centre[lane]) + offset, Double(products[lane]) - offset * Double(sums[lane]))
          // Sums that overflow, and numbers that are none.
          if !square.isFinite { (mean, square) = Self.moments(row + lane, step: lanes, count: length) }
          guard mean.isFinite, means[lane].isFinite else {
            means[lane] += mean
            squares[lane] = .nan
            continue
          }
          let difference = mean - means[lane]
          means[lane] += difference * share
          squares[lane] += square + difference * difference * count * share
        }
        count = all
        first += length
      }
    }
  }

  /// Of one channel of a row, in double precision.
  private static func moments(
    _ row: UnsafePointer<Float>, step: Int, count: Int
  ) -> (mean: Double, squares: Double) {
    var sum = 0.0
    for pixel in 0..<count { sum += Double(row[pixel * step]) }
    let mean = sum / Double(count)
    var squares = 0.0
    for pixel in 0..<count {
      let difference = Double(row[pixel * step]) - mean
      squares += difference * difference
    }
    return (mean, squares)
  }

  // MARK: Backward

  /// Where a gradient passes.
  public enum Gate {
    /// Everywhere: there is no ReLU.
    case open
    /// Where the ReLU let y through.
    /// - Parameter output: y, of ``BlockedNormalisation/outputLayout``.
    case output(UnsafeBufferPointer<Float>)
    /// Likewise where y was made without a residual: z says as much, which is read anyway, and y is not.
    case input
  }

  /// A buffer with its layout, which is that of y but for the halo.
  public struct Place {
    public var buffer: UnsafeMutableBufferPointer<Float>
    public var layout: BlockedLayout

    public init(_ buffer: UnsafeMutableBufferPointer<Float>, _ layout: BlockedLayout) {
      self.buffer = buffer
      self.layout = layout
    }

    fileprivate func rows(_ image: Int, _ block: Int) -> GradientRows.Target? {
      buffer.baseAddress.map { .init($0 + layout.offset(image: image, block: block), stride: layout.rowStride) }
    }
  }

  /// What a backward pass reads and writes.
  public struct GradientOperands {
    /// dy.
    public var dOutput: Place
    public var gate: Gate
    /// z.
    public var input: UnsafeBufferPointer<Float>
    /// Where m goes, if anywhere; it may be dy itself.
    public var masked: Place?
    /// Where dz goes; it may be dy itself, or z.
    public var dInput: Place

    public init(
      dOutput: Place, gate: Gate, input: UnsafeBufferPointer<Float>, masked: Place?, dInput: Place
    ) {
      self.dOutput = dOutput
      self.gate = gate
      self.input = input
      self.masked = masked
      self.dInput = dInput
    }
  }

  private func check(_ operands: GradientOperands) throws(ConvolutionError) {
    for (place, name) in [
      (operands.dOutput, "output gradient"), (operands.dInput, "input gradient"),
      (operands.masked ?? operands.dOutput, "masked gradient"),
    ] {
      try place.layout.requireBlocks(of: outputLayout, name)
      try place.layout.check(place.buffer.count, name)
    }
    try inputLayout.check(operands.input.count, "input")
    if case .output(let output) = operands.gate { try outputLayout.check(output.count, "gate") }
  }

  /// dz from dy, by what ``normaliser`` says of the last forward pass:
  ///
  ///     dγ = Σ m·x̂,  dβ = Σ m,  x̂ = (z − μ)·σ⁻¹,  m = dy where the ReLU is open
  ///     dz = γσ⁻¹·(m − dβ/n − x̂·dγ/n)   where μ and σ are z's own, else γσ⁻¹·m
  ///
  /// - Parameters:
  ///   - operands: what is read and written.
  ///   - throughStatistics: whether μ and σ are z's own.
  /// - Returns: dβ and dγ.
  /// - Throws: ``ConvolutionError`` before anything is written.
  public func runBackward(
    _ operands: GradientOperands, throughStatistics: Bool
  ) throws(ConvolutionError) -> GradientSums {
    try check(operands)
    let count = Double(outputLayout.batch * pixels)
    let normaliser = normaliser
    var second = operands
    if let masked = operands.masked { (second.dOutput, second.gate) = (masked, .open) }
    let (sums, products) = sumsOfLanes { sums, products in
      forEachBlock { block, worker in
        let place = block * outputLayout.block
        gradientSums(operands, block, sums + place, products + place, worker)
        forEachChannel(of: block) { lane, channel in
          let (centre, inverse) = (normaliser.centre[channel], normaliser.inverse[channel])
          // The kernel's centre is rounded; what it lacks belongs to the sum, and to the term.
          let rest = Double(Float(centre)) - centre
          products[lane] += rest * inverse * sums[lane]
          let factor = inverse * normaliser.weight[channel]
          let slope = -factor * inverse * products[lane] / count
          pointer(.slope)[lane] = Float(slope)
          pointer(.gradientTerm)[lane] = Float(-factor * sums[lane] / count + slope * rest)
        }
      } then: { [second] image, block in
        inputGradient(second, image, block, throughStatistics)
      }
    }
    return GradientSums(sums: sums, products: products)
  }

  private func gradientSums(
    _ operands: GradientOperands, _ block: Int, _ sums: UnsafeMutablePointer<Double>,
    _ products: UnsafeMutablePointer<Double>, _ worker: Int
  ) {
    let layout = outputLayout
    let partial = scratch.pointer + worker * scratchStride
    // At least a row, whatever its width.
    let rowsEach = max(1, Self.chunkPixels / max(1, layout.width))
    for image in 0..<layout.batch {
      guard var rows = rows(operands, image, block, target: .init(partial, stride: 0)) else { return }
      rows.products = partial + layout.block
      rows.masked = operands.masked?.rows(image, block)
      var left = layout.height
      while left > 0 {
        rows.rowCount = min(left, rowsEach)
        partial.update(repeating: 0, count: 2 * layout.block)
        kernels.training.gradientSums(&rows)
        for lane in 0..<layout.block {
          sums[lane] += Double(rows.sums[lane])
          products[lane] += Double(rows.products[lane])
        }
        left -= rows.rowCount
        rows.advance(by: rows.rowCount)
      }
    }
  }

  /// dz of a plane by the coefficients that were set.
  private func inputGradient(_ operands: GradientOperands, _ image: Int, _ block: Int, _ throughStatistics: Bool) {
    guard let target = operands.dInput.rows(image, block), var rows = rows(operands, image, block, target: target)
    else { return }
    if throughStatistics { rows.slope = UnsafePointer(pointer(.slope, block: block)) }
    kernels.training.inputGradient(&rows)
  }

  /// A plane.
  private func rows(
    _ operands: GradientOperands, _ image: Int, _ block: Int, target: GradientRows.Target
  ) -> GradientRows? {
    guard let dOutput = operands.dOutput.rows(image, block), let input = operands.input.baseAddress else { return nil }
    let gate: GradientRows.Gate
    switch operands.gate {
    case .open: gate = .open
    case .input: gate = .row(factor: pointer(.factor, block: block), term: pointer(.term, block: block))
    case .output(let output):
      guard let output = output.baseAddress else { return nil }
      gate = .target(output + outputLayout.offset(image: image, block: block), stride: outputLayout.rowStride)
    }
    return GradientRows(
      dOutput: dOutput.start, dOutputStride: dOutput.stride, gate: gate,
      rows: input + inputLayout.offset(image: image, block: block), centre: pointer(.centre, block: block),
      scale: pointer(.scale, block: block), masked: nil, sums: target.start, products: target.start,
      factor: pointer(.factor, block: block), slope: nil, term: pointer(.gradientTerm, block: block), target: target,
      block: outputLayout.block, pixels: outputLayout.width, rowCount: outputLayout.height)
  }

  /// Two sums a lane, each task's those of its own lanes.
  /// - Returns: those of the channels.
  private func sumsOfLanes(
    _ body: (_ first: UnsafeMutablePointer<Double>, _ second: UnsafeMutablePointer<Double>) -> Void
  ) -> ([Double], [Double]) {
    let lanes = outputLayout.laneCount
    var sums = [Double](repeating: 0, count: 2 * lanes)
    sums.withUnsafeMutableBufferPointer { sums in
      guard let sums = sums.baseAddress else { return }
      body(sums, sums + lanes)
    }
    let places = (0..<outputLayout.channels).map { outputLayout.lane(of: $0) }
    return (places.map { sums[$0] }, places.map { sums[lanes + $0] })
  }
}
