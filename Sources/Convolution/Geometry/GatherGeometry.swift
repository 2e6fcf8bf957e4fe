import Problems

/// A forward or backward-data pass as a gather: every destination pixel is a sum over taps of source pixels.
///
/// Forward has one phase. Backward-data of stride s has s² of them, one for each residue of the destination's row and
/// column: only some taps reach such a pixel, and within a phase their source pixels are a constant distance away, so
/// that each phase is a convolution of stride 1. A phase may have no taps (1×1 of stride 2): its pixels are zero.
struct GatherGeometry {
  /// The source pixel of a tap is (i·sourceStep + row, j·sourceStep + column) for the destination's (i, j) in a phase.
  struct Tap: Hashable {
    var row: Int
    var column: Int
    /// The position in the filter.
    var r: Int
    var s: Int
  }

  struct Phase {
    /// In order of row, then column.
    var taps: [Tap]
    var firstRow: Int
    var firstColumn: Int
    var rows: Int
    var columns: Int
  }

  let phases: [Phase]
  let sourceStep: Pair
  let destinationStep: Pair
  let sourceChannels: Int
  let destinationChannels: Int
  let sourceSize: Pair
  let destinationSize: Pair
  let requiredHalo: BlockedLayout.Halo

  init(_ problem: Conv2dProblem, _ pass: ConvolutionPass) {
    let forward = pass == .forward
    sourceChannels = forward ? problem.inputChannels : problem.outputChannels
    destinationChannels = forward ? problem.outputChannels : problem.inputChannels
    sourceSize = forward ? problem.inputSize : problem.outputSize
    destinationSize = forward ? problem.outputSize : problem.inputSize
    sourceStep = forward ? problem.stride : 1
    destinationStep = forward ? 1 : problem.stride
    var phases: [Phase] = []
    for rowPhase in 0..<destinationStep.height {
      for columnPhase in 0..<destinationStep.width {
        let rows = Self.count(destinationSize.height, from: rowPhase, by: destinationStep.height)
        let columns = Self.count(destinationSize.width, from: columnPhase, by: destinationStep.width)
        guard rows > 0, columns > 0 else { continue }
        var taps: [Tap] = []
        let before = problem.paddingBefore
        for r in 0..<problem.kernelSize.height {
          guard
            let row = Self.offset(
              r * problem.dilation.height - before.height, rowPhase, problem.stride.height, forward: forward)
          else { continue }
          for s in 0..<problem.kernelSize.width {
            guard
              let column = Self.offset(
                s * problem.dilation.width - before.width, columnPhase, problem.stride.width, forward: forward)
            else { continue }
            taps.append(Tap(row: row, column: column, r: r, s: s))
          }
        }
        taps.sort { ($0.row, $0.column) < ($1.row, $1.column) }
        phases.append(Phase(taps: taps, firstRow: rowPhase, firstColumn: columnPhase, rows: rows, columns: columns))
      }
    }
    self.phases = phases
    requiredHalo = Self.halo(phases, sourceStep, sourceSize)
  }

  private static func count(_ extent: Int, from first: Int, by step: Int) -> Int {
    extent <= first ? 0 : (extent - first - 1) / step + 1
  }

  /// Forward: x = p·stride + displacement. Backward: p = (x − displacement) / stride where that is whole.
  private static func offset(_ displacement: Int, _ phase: Int, _ stride: Int, forward: Bool) -> Int? {
    if forward { return displacement }
    let numerator = phase - displacement
    return numerator % stride == 0 ? numerator / stride : nil
  }

  private static func halo(_ phases: [Phase], _ step: Pair, _ size: Pair) -> BlockedLayout.Halo {
    var halo = BlockedLayout.Halo()
    for phase in phases {
      for tap in phase.taps {
        halo.top = max(halo.top, -tap.row)
        halo.left = max(halo.left, -tap.column)
        halo.bottom = max(halo.bottom, (phase.rows - 1) * step.height + tap.row - (size.height - 1))
        halo.right = max(halo.right, (phase.columns - 1) * step.width + tap.column - (size.width - 1))
      }
    }
    return halo
  }
}
