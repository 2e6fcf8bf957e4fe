import Problems

/// Where the tiles of F(m×m, 3×3) lie in a pass's operands, and how they are cut into blocks that stay in the L2 cache.
///
/// Tiles are numbered image by image, row by row. A pass's "source" is what the input transform reads (x, or dy for
/// backward-data), its "destination" what tiles of m×m outputs cover (y, or dx; dy for backward-weights, which reads it).
struct WinogradPlan {
  let problem: Conv2dProblem
  let pass: ConvolutionPass
  let matrices: WinogradMatrices
  let source: BlockedLayout
  let destination: BlockedLayout
  /// Padding above and left of the source; negative where backward-data crops.
  let before: Pair
  /// Rows and columns of tiles in an image.
  let grid: Pair
  let vectorWidth: Int
  /// G, n×3.
  let filterMatrix: [Double]

  var outputTile: Int { matrices.outputTile }
  /// n².
  var points: Int { matrices.inputTile * matrices.inputTile }
  var tiles: Int { problem.batch * grid.height * grid.width }
  var sourceBlocks: Int { (source.channels + vectorWidth - 1) / vectorWidth }
  var destinationVectors: Int { (destination.channels + vectorWidth - 1) / vectorWidth }
  var lastSourceChannels: Int { source.channels - (sourceBlocks - 1) * vectorWidth }
  /// Pairs of destination vectors, the last one perhaps single.
  var pairs: Int { (destinationVectors + 1) / 2 }
  func vectors(of pair: Int) -> Int { min(2, destinationVectors - 2 * pair) }

  init(
    _ problem: Conv2dProblem, _ pass: ConvolutionPass, _ matrices: WinogradMatrices, vectorWidth: Int,
    options: ConvolutionOptions
  ) throws(ConvolutionError) {
    self.problem = problem
    self.pass = pass
    self.matrices = matrices
    self.vectorWidth = vectorWidth
    filterMatrix = matrices.weightTransform.flatMap { $0.map(\.doubleValue) }
    let x = (problem.inputChannels, problem.inputSize)
    let y = (problem.outputChannels, problem.outputSize)
    let (from, to) = pass == .backwardData ? (y, x) : (x, y)
    source = try Self.layout(problem.batch, from.0, from.1, vectorWidth, options.inputHalo)
    destination = try Self.layout(problem.batch, to.0, to.1, vectorWidth, options.outputHalo)
    let padding = problem.paddingBefore
    before = pass == .backwardData ? Pair(2 - padding.height, 2 - padding.width) : padding
    let tile = matrices.outputTile
    grid = Pair((to.1.height + tile - 1) / tile, (to.1.width + tile - 1) / tile)
  }

  private static func layout(
    _ batch: Int, _ channels: Int, _ size: Pair, _ vectorWidth: Int, _ halo: BlockedLayout.Halo
  ) throws(ConvolutionError) -> BlockedLayout {
    try BlockedLayout(
      batch: batch, channels: channels, height: size.height, width: size.width, vectorWidth: vectorWidth, halo: halo)
  }

  /// Tiles side by side in one row of an image.
  struct Run {
    var image: Int
    var row: Int
    var column: Int
    var count: Int
    /// Of its first tile, counted from the range's first.
    var slot: Int
  }

  /// Cuts a range of tiles into runs.
  func forEachRun(_ range: Range<Int>, _ body: (Run) -> Void) {
    var tile = range.lowerBound
    while tile < range.upperBound {
      let column = tile % grid.width
      let count = min(grid.width - column, range.upperBound - tile)
      let row = tile / grid.width
      body(
        Run(
          image: row / grid.height, row: row % grid.height, column: column, count: count,
          slot: tile - range.lowerBound))
      tile += count
    }
  }

  /// How many of `count` things each block of a blocking gets that has no block larger than `largest`: as even as can be.
  static func evenBlock(_ count: Int, atMost largest: Int) -> Int {
    let blocks = max(1, (count + largest - 1) / largest)
    return max(1, (count + blocks - 1) / blocks)
  }
}
