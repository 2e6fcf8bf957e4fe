extension GatherPlan {
  /// Whether sums have products of weights and zeros that are no terms of them.
  ///
  /// The zeros around x are the padding of the convolution, and take part in its sums. Those around dy are the strategy's own:
  /// beyond the border of the outputs there is no term.
  var readsZerosOfItsOwn: Bool { pass == .backwardData && source.halo != .init() }

  /// The gather tap by tap, reading no halo: see ``PackedWeights/mustSkipHalo``. Slow. Sums run in the order of the packed weights.
  func runPlain(
    _ operands: ConvolutionOperands, _ weights: PackedWeights, _ epilogue: ConvolutionEpilogue, _ pool: ThreadPool
  ) {
    for phase in phases {
      let rows = phase.geometry.rows
      pool.run(tasks: source.batch * groups * rows) { task, _ in
        let image = task / (groups * rows)
        let group = task % (groups * rows) / rows
        for vector in 0..<destinationVectors {
          for column in 0..<phase.geometry.columns {
            runPlain(
              operands, weights, epilogue, phase, image: image, group: group, vector: vector, row: task % rows,
              column: column)
          }
        }
      }
    }
  }

  private func runPlain(
    _ operands: ConvolutionOperands, _ weights: PackedWeights, _ epilogue: ConvolutionEpilogue, _ phase: Phase,
    image: Int,
    group: Int, vector: Int, row: Int, column: Int
  ) {
    let channels = min(destination.block, destinationChannels - vector * destination.block)
    let lanes = vectors(at: vector & ~1) * vectorWidth
    let target =
      phase.destinationRows[image * phase.geometry.rows + row] + column * destinationStep.width * destination.block
      + destinationOffset(group: group, vector: vector)
    for lane in 0..<channels {
      var position =
        weights.storage.pointer + weightOffset(phase, group: group, vector: vector & ~1) + (vector & 1) * vectorWidth
        + lane
      var sum: Float = 0
      forEachTerm(of: phase) { tap, channel in
        let y = row * sourceStep.height + tap.row
        let x = column * sourceStep.width + tap.column
        if y >= 0, y < source.height, x >= 0, x < source.width {
          let (block, inBlock) = channel.quotientAndRemainder(dividingBy: source.block)
          let from =
            operands.input + sourceOffset(group: group) + image * source.imageStride + source.origin
            + block * source.planeStride + y * source.rowStride + x * source.block
          sum += from[inBlock] * position.pointee
        }
        position += lanes
      }
      let channel = group * destinationChannels + vector * destination.block + lane
      if let scale = epilogue.scale { sum *= scale[channel] }
      if let shift = epilogue.shift { sum += shift[channel] }
      if let residual = operands.residual { sum += residual[target + lane] }
      if epilogue.relu && sum < 0 { sum = 0 }
      operands.output[target + lane] = sum
    }
  }
}
