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
  let kernels: KernelTable
  private let pool: ThreadPool
  /// Of all lanes, as the kernels take them.
  private let coefficients: AlignedBuffer
  let scratch: AlignedBuffer
  let scratchStride: Int
  /// The channel of each lane; `nil` for those that fill up a block.
  private let channelOfLane: [Int?]

  static let chunkPixels = 256

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
  }

  /// Sums over the pixels of each channel.
  public struct Moments: Sendable {
    public var means: [Double]
    /// Sums of squared distances from the mean.
    public var squares: [Double]
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
  var pixels: Int { outputLayout.height * outputLayout.width }

  /// The forward pass's, and then those of the way back: `dz = m·factor + ((z − centre)·slope + gradientTerm)`.
  ///
  /// Differences from the centre are multiplied by the scale before they are multiplied by m: products of small differences would
  /// lose more to underflow than those of differences in units of their deviation.
  enum Coefficient: Int, CaseIterable { case centre, factor, term, scale, slope, gradientTerm }

  func pointer(_ coefficient: Coefficient, lane: Int = 0) -> UnsafeMutablePointer<Float> {
    coefficients.pointer + coefficient.rawValue * outputLayout.laneCount + lane
  }

  func pointer(_ coefficient: Coefficient, block: Int) -> UnsafeMutablePointer<Float> {
    pointer(coefficient, lane: block * outputLayout.block)
  }

  /// The lanes of a block that are a channel's; the others keep their zeros.
  func forEachChannel(of block: Int, _ body: (_ lane: Int, _ channel: Int) -> Void) {
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
  /// blocks are so few that the threads' shares of them differ by more than a quarter, all come first, and then images are shared.
  func forEachBlock(
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
  ///   - operands: what is read and written.
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

  /// Two sums a lane, each task's those of its own lanes.
  /// - Returns: those of the channels.
  func sumsOfLanes(
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
