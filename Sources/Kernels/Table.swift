import KernelContracts

/// The kernels of the instruction set this module was compiled for. Calling any on a CPU without it is a fault.
public func makeKernelTable() -> KernelTable {
  KernelTable(
    vectorWidth: vectorWidth, tilePixels: tilePixels, panelSegments: panelSegments,
    fetchesWhatIsNear: fetchesWhatIsNear, convolveStrip: { convolveStrip($0) },
    accumulateGradient: { accumulateGradient($0) }, multiplyPanels: { multiplyPanels($0) },
    interleave: { interleave($0, $1, $2, $3, $4, $5) },
    deinterleave: { deinterleave($0, $1, $2, $3, $4, $5) },
    copyLanes: { copyLanes($0, $1, $2, $3, $4, $5) },
    gatherVectors: { gatherVectors($0, $1, $2, $3) },
    gatherSegments: { gatherSegments($0, $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) },
    gatherPixels: { gatherPixels($0, $1, $2, $3, $4, $5, $6, $7) },
    fetchRows: { fetchRows($0, $1, $2, $3) },
    maximaOfWindows: { maximaOfWindows($0) }, sumsOfWindows: { sumsOfWindows($0, $1) },
    winograd: makeWinogradKernels(), training: makeTrainingKernels(), peak: { peak($0) })
}
