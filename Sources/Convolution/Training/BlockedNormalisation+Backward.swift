import KernelContracts

extension BlockedNormalisation {
  /// What one number a channel is made of on the way back: m is the output's gradient where the ReLU is open.
  public struct GradientSums: Sendable {
    /// Σ m.
    public var sums: [Double]
    /// Σ m·(z − centre)·inverse.
    public var products: [Double]
  }

  /// Where a gradient passes.
  public enum Gate {
    /// Everywhere: there is no ReLU.
    case open
    /// Where the ReLU let y, which is this and of ``BlockedNormalisation/outputLayout``, through.
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
}
