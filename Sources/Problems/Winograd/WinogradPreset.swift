/// Choices of interpolation points that engines name instead of listing them.
///
/// | preset | 2x3 | 4x3 | 6x3 | other tiles |
/// | --- | --- | --- | --- | --- |
/// | `assay` | 0, ±1 | 0, ±5/8, ±3/2 | 0, ±½, ±1, ±2 | none |
/// | `textbook` | 0, ±1 | 0, ±1, ±2 | 0, ±1, ±2, ±½ | the first m + r − 2 of 0, 1, −1, 2, −2, ½, −½ |
/// | `lavin` | 0, ±1 | 0, ±1, ±2 | 0, ±1, ±2, ±½ | the same |
/// | `ncnn` | 0, ±1 | 0, ±√2/2, ±√2 | 0, ±1, ±2, ±½ | none |
///
/// Sources: Barabasz et al. 2020 for `textbook`; Lavin and Gray 2016 and their generator wincnn for `lavin`; the
/// transforms that ncnn's `convolution_3x3_winograd.h` writes out for `ncnn`.
public enum WinogradPreset: String, CaseIterable, Hashable, Sendable, Codable {
  /// The built-in engines' way: these points, weights transformed in double precision, the first tile at the first output.
  case assay
  case textbook
  case lavin
  case ncnn

  /// The finite points of F(m, r); `nil` for a tile that the preset does not have.
  public func points(outputTile: Int, kernelSize: Int) -> [Double]? {
    let count = outputTile + kernelSize - 2
    switch self {
    case .assay:
      return kernelSize == 3 ? WinogradMatrices.chosen(outputTile: outputTile)?.points.map(\.doubleValue) : nil
    case .textbook, .lavin:
      let sequence = [0, 1, -1, 2, -2, 0.5, -0.5]
      return (1...sequence.count).contains(count) ? Array(sequence.prefix(count)) : nil
    case .ncnn:
      guard kernelSize == 3 else { return nil }
      switch outputTile {
      case 2: return [0, 1, -1]
      case 4: return [0, 0.5.squareRoot(), -(0.5.squareRoot()), 2.0.squareRoot(), -(2.0.squareRoot())]
      case 6: return [0, 1, -1, 2, -2, 0.5, -0.5]
      default: return nil
      }
    }
  }
}
