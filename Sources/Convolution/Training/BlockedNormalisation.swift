import KernelContracts

/// `y = relu((z − centre)·factor + term + residual)` with one centre, factor and term a channel, and the way back: a batch norm,
/// or a bias, between a convolution's output z and the activation y.
///
/// Sums over a channel's pixels are of float32 within at most 256 pixels, of double precision beyond, and in one
/// order whatever the number of threads: a thread sums all pixels of a block of channels.
///
/// `@unchecked Sendable`: whoever runs it lets one run at a time do so, as with a prepared convolution.
public final class BlockedNormalisation: @unchecked Sendable {
  /// Of z: as the activation's, without a halo.
  public let inputLayout: BlockedLayout
  /// Of y and of the residual.
  public let outputLayout: BlockedLayout
  private let kernels: KernelTable
  private let pool: ThreadPool
  /// Of all lanes: the forward pass's three, then the backward pass's.
  private let coefficients: AlignedBuffer
  private var hasLine = false
  private let scratch: AlignedBuffer
  private let scratchStride: Int

  private static let chunkPixels = 256

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
    /// Σ m·(z − centre)·scale.
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
    coefficients = try AlignedBuffer(zeros: 7 * outputLayout.laneCount, name: "normalisation")
    scratchStride = 4 * kernels.vectorWidth
    scratch = try AlignedBuffer(zeros: options.threads * scratchStride, name: "sums of pixels")
  }

  private var blocks: Int { outputLayout.groups * outputLayout.blocksPerGroup }
  private var pixels: Int { outputLayout.height * outputLayout.width }

  private enum Coefficient: Int { case centre, factor, term, scale, gradientFactor, slope, gradientTerm }

  private func pointer(_ coefficient: Coefficient, block: Int) -> UnsafeMutablePointer<Float> {
    coefficients.pointer + coefficient.rawValue * outputLayout.laneCount + block * outputLayout.block
  }

  /// Lanes that are no channel's keep their zeros.
  private func set(_ coefficient: Coefficient, _ values: [Double]) {
    precondition(values.count == outputLayout.channels)
    for channel in values.indices {
      pointer(coefficient, block: 0)[outputLayout.lane(of: channel)] = Float(values[channel])
    }
  }

  /// What z is normalised by: one number a channel each.
  public func setCoefficients(centre: [Double], factor: [Double], term: [Double]) {
    set(.centre, centre)
    set(.factor, factor)
    set(.term, term)
  }

  /// What the input's gradient is made by, `dz = m·factor + ((z − centre)·slope + term)`: one number a channel each. Without a
  /// line it is m·factor, and z has no part in it.
  public func setGradientCoefficients(factor: [Double], line: (slope: [Double], term: [Double])?) {
    set(.gradientFactor, factor)
    hasLine = line != nil
    guard let line else { return }
    set(.slope, line.slope)
    set(.gradientTerm, line.term)
  }

  // MARK: Forward

  /// The mean of each channel, and its sum of squares about it, with the pixels read once: within a chunk, which stays in the
  /// first-level cache, about the chunk's own mean, and then put together after Chan et al. 1979.
  /// - Throws: ``ConvolutionError/bufferMismatch(name:expected:found:)``.
  public func moments(of input: UnsafeBufferPointer<Float>) throws(ConvolutionError) -> Moments {
    try inputLayout.check(input.count, "input")
    let lanes = outputLayout.laneCount
    var means = [Double](repeating: 0, count: lanes)
    var squares = means
    guard let input = input.baseAddress else { return byChannel(means, squares) { Moments(means: $0, squares: $1) } }
    means.withUnsafeMutableBufferPointer { means in
      squares.withUnsafeMutableBufferPointer { squares in
        guard let means = means.baseAddress, let squares = squares.baseAddress else { return }
        let targets = LaneSums(first: means, second: squares)
        pool.run(tasks: blocks) { block, worker in
          let place = block * outputLayout.block
          moments(of: input, block: block, targets.first + place, targets.second + place, worker)
        }
      }
    }
    return byChannel(means, squares) { Moments(means: $0, squares: $1) }
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

  /// y from z; the output's halo is not touched. The residual may be the output itself.
  /// - Throws: ``ConvolutionError/bufferMismatch(name:expected:found:)`` before anything is written.
  public func run(
    input: UnsafeBufferPointer<Float>, residual: UnsafeBufferPointer<Float>?, relu: Bool,
    output: UnsafeMutableBufferPointer<Float>
  ) throws(ConvolutionError) {
    try inputLayout.check(input.count, "input")
    try outputLayout.check(output.count, "output")
    if let residual { try outputLayout.check(residual.count, "residual") }
    guard let input = input.baseAddress, let output = output.baseAddress else { return }
    let (layout, residual) = (outputLayout, residual?.baseAddress)
    pool.run(tasks: layout.batch * blocks) { task, _ in
      let (image, block) = task.quotientAndRemainder(dividingBy: blocks)
      let place = layout.offset(image: image, block: block)
      var row = AffineRow(
        row: input + inputLayout.offset(image: image, block: block), centre: pointer(.centre, block: block),
        factor: pointer(.factor, block: block), term: pointer(.term, block: block), relu: relu,
        target: output + place, block: layout.block, pixels: layout.width)
      for line in 0..<layout.height {
        row.residual = residual.map { $0 + place + line * layout.rowStride }
        kernels.training.affine(&row)
        row.row += layout.width * layout.block
        row.target += layout.rowStride
      }
    }
  }

  // MARK: Backward

  /// What a backward pass reads and writes, each with its layout, which is that of y but for the halo.
  public struct GradientOperands {
    /// dy.
    public var dOutput: UnsafeBufferPointer<Float>
    public var dOutputLayout: BlockedLayout
    /// y where it went through a ReLU, of ``BlockedNormalisation/outputLayout``.
    public var gate: UnsafeBufferPointer<Float>?
    /// z.
    public var input: UnsafeBufferPointer<Float>

    public init(
      dOutput: UnsafeBufferPointer<Float>, dOutputLayout: BlockedLayout, gate: UnsafeBufferPointer<Float>?,
      input: UnsafeBufferPointer<Float>
    ) {
      self.dOutput = dOutput
      self.dOutputLayout = dOutputLayout
      self.gate = gate
      self.input = input
    }
  }

  private func check(_ operands: GradientOperands) throws(ConvolutionError) {
    try operands.dOutputLayout.requireBlocks(of: outputLayout, "output gradient")
    try operands.dOutputLayout.check(operands.dOutput.count, "output gradient")
    try inputLayout.check(operands.input.count, "input")
    if let gate = operands.gate { try outputLayout.check(gate.count, "gate") }
  }

  /// What differences from the centre are multiplied by in the sums of the way back, before they are multiplied by m: products of
  /// small differences would lose more to underflow than those of differences in units of their deviation.
  public func setScale(_ scale: [Double]) { set(.scale, scale) }

  /// The sums of a channel, about the centre that ``setCoefficients(centre:factor:term:)`` was given.
  /// - Parameters:
  ///   - operands: what is read.
  ///   - centre: that centre, before it was rounded.
  ///   - scale: likewise what ``setScale(_:)`` was given.
  ///   - masked: where m goes, with its layout; it may be dy itself.
  /// - Throws: ``ConvolutionError`` before anything is written.
  public func gradientSums(
    _ operands: GradientOperands, centre: [Double], scale: [Double],
    masked: (buffer: UnsafeMutableBufferPointer<Float>, layout: BlockedLayout)?
  ) throws(ConvolutionError) -> GradientSums {
    try check(operands)
    if let masked {
      try masked.layout.requireBlocks(of: outputLayout, "masked gradient")
      try masked.layout.check(masked.buffer.count, "masked gradient")
    }
    var sums = [Double](repeating: 0, count: outputLayout.laneCount)
    var products = sums
    sums.withUnsafeMutableBufferPointer { sums in
      products.withUnsafeMutableBufferPointer { products in
        guard let sums = sums.baseAddress, let products = products.baseAddress else { return }
        let targets = LaneSums(first: sums, second: products)
        pool.run(tasks: blocks) { block, worker in
          let place = block * outputLayout.block
          gradientSums(operands, masked, block, targets.first + place, targets.second + place, worker)
        }
      }
    }
    var result = byChannel(sums, products) { GradientSums(sums: $0, products: $1) }
    // The kernel's centre is the rounded one.
    for channel in centre.indices {
      let rest = Double(Float(centre[channel])) - centre[channel]
      result.products[channel] += rest * scale[channel] * result.sums[channel]
    }
    return result
  }

  private func gradientSums(
    _ operands: GradientOperands, _ masked: (buffer: UnsafeMutableBufferPointer<Float>, layout: BlockedLayout)?,
    _ block: Int, _ sums: UnsafeMutablePointer<Double>, _ products: UnsafeMutablePointer<Double>, _ worker: Int
  ) {
    let layout = outputLayout
    let partial = scratch.pointer + worker * scratchStride
    for image in 0..<layout.batch {
      guard var row = row(operands, image, block, target: partial) else { return }
      row.sums = partial
      row.products = partial + layout.block
      if let masked {
        row.masked = masked.buffer.baseAddress.map { $0 + masked.layout.offset(image: image, block: block) }
      }
      var pending = 0
      for line in 0..<layout.height {
        if pending == 0 { partial.update(repeating: 0, count: 2 * layout.block) }
        kernels.training.gradientSums(&row)
        advance(&row, operands)
        if let masked { row.masked = row.masked.map { $0 + masked.layout.rowStride } }
        pending += layout.width
        if pending + layout.width > Self.chunkPixels || line == layout.height - 1 {
          for lane in 0..<layout.block {
            sums[lane] += Double(row.sums[lane])
            products[lane] += Double(row.products[lane])
          }
          pending = 0
        }
      }
    }
  }

  /// dz by the coefficients that were set.
  /// - Parameters:
  ///   - operands: what is read: dy, or m without a gate.
  ///   - target: where dz goes; it may be dy itself, or z.
  ///   - targetLayout: its layout.
  /// - Throws: ``ConvolutionError`` before anything is written.
  public func inputGradient(
    _ operands: GradientOperands, target: UnsafeMutableBufferPointer<Float>, _ targetLayout: BlockedLayout
  ) throws(ConvolutionError) {
    try check(operands)
    try targetLayout.requireBlocks(of: outputLayout, "input gradient")
    try targetLayout.check(target.count, "input gradient")
    guard let target = target.baseAddress else { return }
    let layout = outputLayout
    pool.run(tasks: layout.batch * blocks) { task, _ in
      let (image, block) = task.quotientAndRemainder(dividingBy: blocks)
      let place = target + targetLayout.offset(image: image, block: block)
      guard var row = row(operands, image, block, target: place) else { return }
      for _ in 0..<layout.height {
        kernels.training.inputGradient(&row)
        advance(&row, operands)
        row.target += targetLayout.rowStride
      }
    }
  }

  /// The first row of a plane.
  private func row(
    _ operands: GradientOperands, _ image: Int, _ block: Int, target: UnsafeMutablePointer<Float>
  ) -> GradientRow? {
    guard let dOutput = operands.dOutput.baseAddress, let input = operands.input.baseAddress else { return nil }
    return GradientRow(
      dOutput: dOutput + operands.dOutputLayout.offset(image: image, block: block),
      gate: operands.gate?.baseAddress.map { $0 + outputLayout.offset(image: image, block: block) },
      row: input + inputLayout.offset(image: image, block: block), centre: pointer(.centre, block: block),
      scale: pointer(.scale, block: block), masked: nil,
      sums: target, products: target, factor: pointer(.gradientFactor, block: block),
      slope: hasLine ? UnsafePointer(pointer(.slope, block: block)) : nil, term: pointer(.gradientTerm, block: block),
      target: target,
      block: outputLayout.block, pixels: outputLayout.width)
  }

  private func advance(_ row: inout GradientRow, _ operands: GradientOperands) {
    row.dOutput += operands.dOutputLayout.rowStride
    row.gate = row.gate.map { $0 + outputLayout.rowStride }
    row.row += outputLayout.width * outputLayout.block
  }

  private func byChannel<Result>(
    _ first: [Double], _ second: [Double], _ make: ([Double], [Double]) -> Result
  ) -> Result {
    let lanes = (0..<outputLayout.channels).map { outputLayout.lane(of: $0) }
    return make(lanes.map { first[$0] }, lanes.map { second[$0] })
  }
}

/// Where the tasks of a pool put their sums, each those of its own lanes.
private struct LaneSums: @unchecked Sendable {
  let first: UnsafeMutablePointer<Double>
  let second: UnsafeMutablePointer<Double>
}
