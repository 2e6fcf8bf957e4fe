/// F(m×m, r×r) as one engine computes it: what its rounding errors depend on.
public struct WinogradTile: Hashable, Sendable, Codable {
  /// m, outputs of a tile in one dimension.
  public let outputTile: Int
  /// r, taps in one dimension.
  public let kernelSize: Int
  /// The finite points; infinity is implied.
  public let points: [Double]
  /// The name that stood in place of the points.
  public let preset: WinogradPreset?
  /// How many input or output channels of a group, whichever are more, the engine asks for before it uses the tile. Where there
  /// are fewer its sums are direct.
  public var leastChannels = 1

  /// Magnitudes of points other than 0: beyond them the powers of the points leave nothing of float32's digits.
  public static let magnitudes = 0.125...8.0
  /// The largest ``widening`` that is accepted: beyond it a bound would admit what is no float32 computation.
  public static let mostWidening = 64.0
  /// The largest m and r.
  public static let mostOutputs = 16

  /// - Throws: ``WinogradTileError`` for points that cannot serve.
  public init(outputTile: Int, kernelSize: Int, points: [Double]) throws(WinogradTileError) {
    try self.init(outputTile, kernelSize, points, preset: nil)
  }

  /// - Throws: ``WinogradTileError`` for a tile that the preset has no points for.
  public init(outputTile: Int, kernelSize: Int = 3, preset: WinogradPreset) throws(WinogradTileError) {
    guard let points = preset.points(outputTile: outputTile, kernelSize: kernelSize) else {
      throw .notInPreset(preset, tile: "\(outputTile)x\(kernelSize)")
    }
    try self.init(outputTile, kernelSize, points, preset: preset)
  }

  private init(
    _ outputTile: Int, _ kernelSize: Int, _ points: [Double], preset: WinogradPreset?
  ) throws(WinogradTileError) {
    self.outputTile = outputTile
    self.kernelSize = kernelSize
    self.points = points
    self.preset = preset
    guard (1...Self.mostOutputs).contains(outputTile), (2...Self.mostOutputs).contains(kernelSize) else {
      throw .impossibleSize(tile: key)
    }
    guard points.count == outputTile + kernelSize - 2 else {
      throw .wrongPointCount(tile: key, expected: outputTile + kernelSize - 2, found: points.count)
    }
    for (index, point) in points.enumerated() {
      // Written so that NaN is refused.
      guard point == 0 || Self.magnitudes.contains(abs(point)) else { throw .pointOutOfRange(tile: key, point) }
      if points[..<index].contains(point) { throw .equalPoints(tile: key, point) }
    }
    guard widening <= Self.mostWidening else { throw .tooWide(tile: key, widening) }
  }

  /// `4x3`: outputs × taps.
  public var key: String { "\(outputTile)x\(kernelSize)" }

  /// n, inputs of a tile in one dimension.
  public var inputTile: Int { outputTile + kernelSize - 1 }

  /// Aᵀ, G and Bᵀ.
  public var matrices: ToomCook<Double> {
    ToomCook(outputTile: outputTile, kernelSize: kernelSize, points: points)
  }

  /// Whether it is the built-in engines' own way, which computes the weights' transform in double precision and begins its
  /// tiles at the first output.
  public var isOurs: Bool { preset == .assay }

  /// How much larger than a direct sum's the error of the products' sums is, for long sums of independent operands of one
  /// variance: max over i of Σ_p Aᵀ[i,p]²·‖G_p‖²·‖Bᵀ_p‖² / r².
  ///
  /// In two dimensions an output (i, j) has the variance C²·w_i·w_j, w_i = Σ_p Aᵀ[i,p]²·‖G_p‖²·‖Bᵀ_p‖², where a direct sum has (C·r²)².
  public var widening: Double {
    let matrices = matrices
    func square(_ row: [Double]) -> Double { row.reduce(0) { $0 + $1 * $1 } }
    let weights = zip(matrices.weightTransform, matrices.inputTransform).map { square($0) * square($1) }
    let largest = matrices.outputTransform.map { row in zip(row, weights).reduce(0) { $0 + $1.0 * $1.0 * $1.1 } }.max()
    return (largest ?? 0) / Double(kernelSize * kernelSize)
  }

  /// Whether the engine may compute a convolution so.
  public func applies(to problem: Conv2dProblem) -> Bool {
    guard max(problem.inputChannels, problem.outputChannels) / problem.groups >= leastChannels else { return false }
    return isOurs
      ? problem.winogradObstacle == nil
      : problem.kernelSize == Pair(kernelSize) && problem.stride == 1 && problem.dilation == 1
  }
}

extension WinogradTile: CustomStringConvertible {
  /// `4x3 (textbook)`, or with the points in place of the name.
  public var description: String {
    key + " (" + (preset?.rawValue ?? points.map { "\($0)" }.joined(separator: ", ")) + ")"
  }
}

/// Why points make no Winograd convolution that can be judged.
public enum WinogradTileError: Error, Equatable, CustomStringConvertible {
  case notATile(String)
  case impossibleSize(tile: String)
  case wrongPointCount(tile: String, expected: Int, found: Int)
  case equalPoints(tile: String, Double)
  case pointOutOfRange(tile: String, Double)
  case tooWide(tile: String, Double)
  case unknownPreset(String)
  case notInPreset(WinogradPreset, tile: String)

  public var description: String {
    switch self {
    case .notATile(let text): "expected outputs x taps such as 4x3, found '\(text)'"
    case .impossibleSize(let tile):
      "\(tile): expected 1 to \(WinogradTile.mostOutputs) outputs of 2 to \(WinogradTile.mostOutputs) taps"
    case .wrongPointCount(let tile, let expected, let found):
      "\(tile): expected m + r − 2 = \(expected) finite points, found \(found)"
    case .equalPoints(let tile, let point): "\(tile): expected points that differ, found \(point) twice"
    case .pointOutOfRange(let tile, let point):
      "\(tile): expected points that are 0 or of magnitude 1/8 to 8, found \(point)"
    case .tooWide(let tile, let widening):
      "\(tile): expected points whose error is at most \(Int(WinogradTile.mostWidening)) times a direct sum's, found "
        + "\((widening * 10).rounded() / 10) times: name points nearer to ±1"
    case .unknownPreset(let name):
      "expected points or one of \(WinogradPreset.allCases.map(\.rawValue).joined(separator: ", ")), found '\(name)'"
    case .notInPreset(let preset, let tile): "\(tile): the preset \(preset.rawValue) has no points for it; list them"
    }
  }
}
