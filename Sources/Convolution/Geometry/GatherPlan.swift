import KernelContracts
import Problems

/// A gather with its layouts: offsets of rows and taps, and where each piece of the packed weights is.
///
/// Taps whose channels follow one another in memory (an NHWC image, neighbouring filter columns) are read as one run of
/// channels: the 7×7 filter of a three-channel image is then 7 taps of 21 channels.
struct GatherPlan {
  struct Phase {
    var geometry: GatherGeometry.Phase
    /// Source offset of each segment of the sum, relative to the pixel: all that have V channels, then the shorter ones.
    var segments: [Int]
    var wholeSegments: Int
    var shortChannels: Int
    /// The whole segments as one panel, and cut into those whose weights stay in the first-level cache.
    var onePanel: [Range<Int>]
    var panels: [Range<Int>]
    /// Source offset of each run's first channel, relative to the pixel.
    var taps: [Int]
    /// The filter positions in each run, in the order of their channels.
    var runs: [[GatherGeometry.Tap]]
    /// Offsets of every (image, row)'s first pixel, for the first channel.
    var sourceRows: [Int]
    var destinationRows: [Int]
    /// Floats of packed weights of one output vector: taps·channels·V.
    var vectorWeights: Int
    /// Where this phase's weights begin.
    var weightOffset: Int
    /// Channels in a run of a whole block.
    var runChannels: Int
  }

  let problem: Conv2dProblem
  let pass: ConvolutionPass
  let source: BlockedLayout
  let destination: BlockedLayout
  let groups: Int
  let vectorWidth: Int
  let phases: [Phase]
  /// Within a group of the convolution.
  let sourceChannels: Int
  let destinationChannels: Int
  let sourceBlocks: Int
  let lastBlockChannels: Int
  let destinationVectors: Int
  let sourceStep: Pair
  let destinationStep: Pair
  let weightCount: Int

  init(
    _ problem: Conv2dProblem, _ pass: ConvolutionPass, _ kernels: KernelTable, options: ConvolutionOptions
  ) throws(ConvolutionError) {
    let vectorWidth = kernels.vectorWidth
    let geometry = GatherGeometry(problem, pass)
    self.problem = problem
    self.pass = pass
    self.vectorWidth = vectorWidth
    groups = problem.groups
    source = try BlockedLayout(
      batch: problem.batch, channels: geometry.sourceChannels, height: geometry.sourceSize.height,
      width: geometry.sourceSize.width, groups: problem.groups, vectorWidth: vectorWidth,
      halo: geometry.requiredHalo.union(options.inputHalo))
    destination = try BlockedLayout(
      batch: problem.batch, channels: geometry.destinationChannels, height: geometry.destinationSize.height,
      width: geometry.destinationSize.width, groups: problem.groups, vectorWidth: vectorWidth,
      halo: options.outputHalo)
    sourceStep = geometry.sourceStep
    destinationStep = geometry.destinationStep
    sourceChannels = geometry.sourceChannels / groups
    destinationChannels = geometry.destinationChannels / groups
    sourceBlocks = (sourceChannels + source.block - 1) / source.block
    lastBlockChannels = sourceChannels - (sourceBlocks - 1) * source.block
    destinationVectors = (destinationChannels + destination.block - 1) / destination.block
    var phases: [Phase] = []
    var offset = 0
    for phase in geometry.phases {
      let plan = Self.plan(
        phase, source, destination, sourceChannels: sourceChannels, sourceBlocks: sourceBlocks, sourceStep,
        destinationStep, kernels, weightOffset: offset)
      phases.append(plan)
      offset += plan.vectorWeights * destinationVectors * groups
    }
    self.phases = phases
    weightCount = offset
  }

  private static func plan(
    _ phase: GatherGeometry.Phase, _ source: BlockedLayout, _ destination: BlockedLayout, sourceChannels: Int,
    sourceBlocks: Int, _ sourceStep: Pair, _ destinationStep: Pair, _ kernels: KernelTable, weightOffset: Int
  ) -> Phase {
    let vectorWidth = kernels.vectorWidth
    let runs = runs(phase.taps, merging: source.block < vectorWidth)
    let width = runs.first?.count ?? 0
    var sourceRows: [Int] = []
    var destinationRows: [Int] = []
    sourceRows.reserveCapacity(source.batch * phase.rows)
    destinationRows.reserveCapacity(source.batch * phase.rows)
    for image in 0..<source.batch {
      for row in 0..<phase.rows {
        sourceRows.append(
          image * source.imageStride + source.origin + row * sourceStep.height * source.rowStride)
        destinationRows.append(
          image * destination.imageStride + destination.origin
            + (phase.firstRow + row * destinationStep.height) * destination.rowStride
            + phase.firstColumn * destination.block)
      }
    }
    let taps = runs.map { $0[0].row * source.rowStride + $0[0].column * source.block }
    let last = width * (sourceChannels - (sourceBlocks - 1) * source.block)
    var segments: [Int] = []
    for block in 0..<sourceBlocks {
      let channels = block == sourceBlocks - 1 ? last : width * source.block
      for tap in taps {
        segments += (0..<channels / vectorWidth).map { block * source.planeStride + tap + $0 * vectorWidth }
      }
    }
    let wholeSegments = segments.count
    if last % vectorWidth > 0 {
      let before = (sourceBlocks - 1) * source.planeStride + last / vectorWidth * vectorWidth
      segments += taps.map { before + $0 }
    }
    return Phase(
      geometry: phase, segments: segments, wholeSegments: wholeSegments, shortChannels: last % vectorWidth,
      onePanel: panels(wholeSegments, atMost: .max), panels: panels(wholeSegments, atMost: kernels.panelSegments),
      taps: taps,
      runs: runs, sourceRows: sourceRows, destinationRows: destinationRows,
      vectorWeights: phase.taps.count * sourceChannels * vectorWidth, weightOffset: weightOffset,
      runChannels: width * source.block)
  }

  /// Cuts a sum's segments into panels, as even as can be; at least one, which may be empty.
  static func panels(_ segments: Int, atMost largest: Int) -> [Range<Int>] {
    let count = max(1, largest == .max ? 1 : (segments + largest - 1) / largest)
    return (0..<count).map { segments * $0 / count..<segments * ($0 + 1) / count }
  }

  /// The terms of a phase's sum in the order of its segments: the filter position and the channel of a group.
  func forEachTerm(of phase: Phase, _ body: (_ tap: GatherGeometry.Tap, _ channel: Int) -> Void) {
    func run(_ run: [GatherGeometry.Tap], block: Int, _ range: Range<Int>) {
      let channels = block == sourceBlocks - 1 ? lastBlockChannels : source.block
      for index in range { body(run[index / channels], block * source.block + index % channels) }
    }
    let last = (phase.runs.first?.count ?? 0) * lastBlockChannels
    let whole = last - last % vectorWidth
    for block in 0..<sourceBlocks {
      for taps in phase.runs { run(taps, block: block, 0..<(block == sourceBlocks - 1 ? whole : phase.runChannels)) }
    }
    for taps in phase.runs { run(taps, block: sourceBlocks - 1, whole..<last) }
  }

  /// Neighbouring columns of a row as one run, where every run is then equally long; else each tap is its own.
  private static func runs(_ taps: [GatherGeometry.Tap], merging: Bool) -> [[GatherGeometry.Tap]] {
    guard merging else { return taps.map { [$0] } }
    var runs: [[GatherGeometry.Tap]] = []
    for tap in taps {
      if let last = runs.last?.last, last.row == tap.row, last.column + 1 == tap.column {
        runs[runs.count - 1].append(tap)
      } else {
        runs.append([tap])
      }
    }
    return Set(runs.map(\.count)).count <= 1 ? runs : taps.map { [$0] }
  }

  /// Where the weights of a pair of output vectors (or of the last, single one) begin.
  func weightOffset(_ phase: Phase, group: Int, vector: Int) -> Int {
    phase.weightOffset + (group * destinationVectors + vector) * phase.vectorWeights
  }

  /// 2 for a pair of output vectors, 1 for the last of an odd number.
  func vectors(at vector: Int) -> Int { min(2, destinationVectors - vector) }

  /// Whether the patches of a phase are the pixels of the source as they stand: a matrix without a copy.
  func isMatrix(_ phase: Phase) -> Bool { phase.geometry.taps.count <= 1 && sourceStep.width == 1 }

  func sourceOffset(group: Int) -> Int {
    source.offset(image: 0, channel: group * sourceChannels) - source.origin
  }

  func destinationOffset(group: Int, vector: Int) -> Int {
    destination.offset(image: 0, channel: group * destinationChannels + vector * destination.block)
      - destination.origin
  }
}
