import KernelContracts

extension GatherPlan {
  /// Does a task straight from the source: for each panel of weights that stays in the first-level cache, one strip call a
  /// pair of output vectors.
  func run(
    _ task: GatherTask, _ operands: ConvolutionOperands, _ weights: PackedWeights, _ epilogue: ConvolutionEpilogue,
    _ kernels: KernelTable
  ) {
    let phase = phases[task.phase]
    // Pixels that no tap reaches are their residual, which is there.
    if operands.continuesOutput, phase.segments.isEmpty, epilogue.shift == nil, !epilogue.relu { return }
    phase.sourceRows.withUnsafeBufferPointer { sourceRows in
      phase.destinationRows.withUnsafeBufferPointer { destinationRows in
        phase.segments.withUnsafeBufferPointer { segments in
          guard let sourceRows = sourceRows.baseAddress, let destinationRows = destinationRows.baseAddress else {
            return
          }
          var strip = ConvolutionStrip(
            input: operands.input + sourceOffset(group: task.group), inputRows: sourceRows + task.rows.lowerBound,
            inputPixelStride: sourceStep.width * source.block,
            // An empty array has no address; a strip without segments reads none.
            segments: segments.baseAddress ?? sourceRows, segmentCount: 0, shortCount: 0,
            shortChannels: phase.shortChannels, weights: weights.storage.pointer, output: operands.output,
            outputRows: destinationRows + task.rows.lowerBound,
            outputPixelStride: destinationStep.width * destination.block,
            outputVectorStride: destination.planeStride, rowCount: task.rows.count, width: phase.geometry.columns,
            vectors: 2, lanes: destination.block)
          let ranges = operands.replacesResidual ? phase.onePanel : phase.panels
          for (index, range) in ranges.enumerated() {
            strip.segments = (segments.baseAddress ?? sourceRows) + range.lowerBound
            strip.segmentCount = range.count
            strip.accumulate = operands.continuesOutput || range.lowerBound > 0
            let isLast = range.upperBound == phase.wholeSegments
            strip.shortCount = isLast ? segments.count - phase.wholeSegments : 0
            strip.relu = isLast && epilogue.relu
            for vector in stride(from: task.vectors.lowerBound, to: task.vectors.upperBound, by: 2) {
              // The first pair of a panel brings its input into the second-level cache for the others.
              strip.fetchesAhead =
                (phase.taps.count > 1 || sourceStep.width == 1)
                && (kernels.fetchesWhatIsNear || vector == task.vectors.lowerBound)
              if weights.areAskedFor {
                // The next pair's for this panel, or the first pair's for the next one.
                strip.nextWeights =
                  vector + 2 < task.vectors.upperBound
                  ? self.weights(weights, phase, task, vector: vector + 2, firstSegment: range.lowerBound)
                  : index + 1 < ranges.count
                    ? self.weights(
                      weights, phase, task, vector: task.vectors.lowerBound, firstSegment: ranges[index + 1].lowerBound)
                    : nil
              }
              run(
                &strip, task, phase, vector, firstSegment: range.lowerBound, operands, weights, isLast: isLast, kernels)
            }
          }
        }
      }
    }
  }

  /// Completes a strip for a pair of output vectors and runs it: some segments of the sum, the last of them with the epilogue.
  func run(
    _ strip: inout ConvolutionStrip, _ task: GatherTask, _ phase: Phase, _ vector: Int, firstSegment: Int,
    _ operands: ConvolutionOperands, _ weights: PackedWeights, isLast: Bool, _ kernels: KernelTable
  ) {
    let offset = destinationOffset(group: task.group, vector: vector)
    strip.vectors = vectors(at: vector)
    strip.weights = self.weights(weights, phase, task, vector: vector, firstSegment: firstSegment)
    strip.output = operands.output + offset
    let ends = (task.group * destinationVectors + vector) * vectorWidth
    strip.scale = isLast ? weights.scale.map { UnsafePointer($0.pointer + ends) } : nil
    strip.shift = isLast ? weights.shift.map { UnsafePointer($0.pointer + ends) } : nil
    strip.residual = isLast ? operands.residual.map { $0 + offset } : nil
    kernels.convolveStrip(&strip)
  }

  /// Where a strip's weights begin.
  private func weights(
    _ weights: PackedWeights, _ phase: Phase, _ task: GatherTask, vector: Int, firstSegment: Int
  ) -> UnsafePointer<Float> {
    UnsafePointer(
      weights.storage.pointer + weightOffset(phase, group: task.group, vector: vector)
        + firstSegment * vectorWidth * vectors(at: vector) * vectorWidth)
  }
}
