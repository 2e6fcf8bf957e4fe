import KernelContracts

extension GatherPlan {
  /// Does a task straight from the source: one strip call for each pair of output vectors.
  func run(
    _ task: GatherTask, _ operands: GatherOperands, _ weights: PackedWeights, _ epilogue: ConvolutionEpilogue,
    _ kernels: KernelTable
  ) {
    let phase = phases[task.phase]
    let scale = weights.scale.map { UnsafePointer($0.pointer) }
    let shift = weights.shift.map { UnsafePointer($0.pointer) }
    let lanes = destinationVectors * vectorWidth
    phase.sourceRows.withUnsafeBufferPointer { sourceRows in
      phase.destinationRows.withUnsafeBufferPointer { destinationRows in
        phase.taps.withUnsafeBufferPointer { taps in
          guard let sourceRows = sourceRows.baseAddress, let destinationRows = destinationRows.baseAddress else {
            return
          }
          // An empty array has no address; a strip without taps reads none.
          let tapAddress = taps.baseAddress ?? sourceRows
          var vector = task.vectors.lowerBound
          while vector < task.vectors.upperBound {
            let offset = destinationOffset(group: task.group, vector: vector)
            let epilogueOffset = task.group * lanes + vector * vectorWidth
            var strip = ConvolutionStrip(
              input: operands.input + sourceOffset(group: task.group),
              inputRows: sourceRows + task.rows.lowerBound,
              inputPixelStride: sourceStep.width * source.block,
              taps: tapAddress, tapCount: taps.count,
              blockCount: sourceBlocks, blockStride: source.planeStride,
              blockChannels: phase.runChannels, lastBlockChannels: phase.lastRunChannels,
              weights: weights.storage.pointer + weightOffset(phase, group: task.group, vector: vector),
              output: operands.output + offset,
              outputRows: destinationRows + task.rows.lowerBound,
              outputPixelStride: destinationStep.width * destination.block,
              outputVectorStride: destination.planeStride,
              rowCount: task.rows.count, width: phase.geometry.columns,
              vectors: self.vectors(at: vector), lanes: destination.block,
              scale: scale.map { $0 + epilogueOffset }, shift: shift.map { $0 + epilogueOffset },
              residual: operands.residual.map { $0 + offset }, relu: epilogue.relu)
            kernels.convolveStrip(&strip)
            vector += 2
          }
        }
      }
    }
  }
}
