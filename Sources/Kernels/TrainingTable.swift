import KernelContracts

func makeTrainingKernels() -> TrainingKernels {
  TrainingKernels(
    centredSums: { row, centre, sums, squares, block, pixels in
      forEachLanes(
        block,
        CentredSums(row: row, centre: centre, sums: sums, squares: squares, block: block, pixels: pixels))
    },
    affine: { forEachLanes($0.pointee.block, AffineWork(work: $0)) },
    gradientSums: { forEachLanes($0.pointee.block, GradientSums(work: $0)) },
    inputGradient: { forEachLanes($0.pointee.block, InputGradient(work: $0)) },
    add: { addFloats($0, $1, $2) },
    spreadMean: { value, scale, target, block, pixels, accumulates in
      forEachLanes(
        block,
        SpreadMean(
          value: value, scale: scale, target: target, block: block, pixels: pixels, accumulates: accumulates))
    },
    spreadMaxima: { forEachLanes($0.pointee.block, SpreadMaxima(strip: $0, target: $1, targetRowStride: $2)) },
    sgd: { sgdStep($0) }, adam: { adamStep($0) })
}
