import CShims
import OracleLoopsPortable

#if arch(x86_64)
  import OracleLoopsAVX2
  import OracleLoopsAVX512
#endif

/// Which compilation of the inner loops: of the oracle's sums of products, and of the bounds of a convolution.
package enum OracleLoops: CaseIterable, Sendable {
  case portable, avx2, avx512

  package typealias Lane = SIMD8<Double>

  /// Those that this CPU runs, slowest first.
  package static let available: [OracleLoops] = allCases.filter { $0.level <= assay_x86_64_level() }
  static let fastest = available.last ?? .portable

  private var level: Int32 {
    switch self {
    case .portable: 0
    case .avx2: 3
    case .avx512: 4
    }
  }

  @inline(__always)
  func addProducts(_ weights: Span<Lane>, _ panel: Span<Lane>, to sums: inout MutableSpan<Lane>) {
    switch self {
    #if arch(x86_64)
      case .avx512: OracleLoopsAVX512.addProducts(weights, panel, to: &sums)
      case .avx2: OracleLoopsAVX2.addProducts(weights, panel, to: &sums)
    #endif
    default: OracleLoopsPortable.addProducts(weights, panel, to: &sums)
    }
  }

  @inline(__always)
  package func addScaledRow(_ row: Span<Lane>, _ factor: Double, to sums: inout MutableSpan<Lane>) {
    switch self {
    #if arch(x86_64)
      case .avx512: OracleLoopsAVX512.addScaledRow(row, factor, to: &sums)
      case .avx2: OracleLoopsAVX2.addScaledRow(row, factor, to: &sums)
    #endif
    default: OracleLoopsPortable.addScaledRow(row, factor, to: &sums)
    }
  }

  @inline(__always)
  package func sumScaledRows(
    _ rows: Span<Lane>, width: Int, _ factors: Span<Double>, first: Int, step: Int, to sums: inout MutableSpan<Lane>
  ) {
    switch self {
    #if arch(x86_64)
      case .avx512:
        OracleLoopsAVX512.sumScaledRows(rows, width: width, factors, first: first, step: step, to: &sums)
      case .avx2: OracleLoopsAVX2.sumScaledRows(rows, width: width, factors, first: first, step: step, to: &sums)
    #endif
    default: OracleLoopsPortable.sumScaledRows(rows, width: width, factors, first: first, step: step, to: &sums)
    }
  }

  @inline(__always)
  package func sumProductsOfRows(_ rows: Span<Lane>, _ other: Span<Lane>, to sums: inout MutableSpan<Double>) {
    switch self {
    #if arch(x86_64)
      case .avx512: OracleLoopsAVX512.sumProductsOfRows(rows, other, to: &sums)
      case .avx2: OracleLoopsAVX2.sumProductsOfRows(rows, other, to: &sums)
    #endif
    default: OracleLoopsPortable.sumProductsOfRows(rows, other, to: &sums)
    }
  }

  @inline(__always)
  func multiplyFromLeft(_ matrix: [Double], rows: Int, _ middle: [Lane], to half: inout [Lane]) {
    var half = half.mutableSpan
    switch self {
    #if arch(x86_64)
      case .avx512: OracleLoopsAVX512.multiplyFromLeft(matrix.span, rows: rows, middle.span, to: &half)
      case .avx2: OracleLoopsAVX2.multiplyFromLeft(matrix.span, rows: rows, middle.span, to: &half)
    #endif
    default: OracleLoopsPortable.multiplyFromLeft(matrix.span, rows: rows, middle.span, to: &half)
    }
  }

  @inline(__always)
  func multiplyByTransposed(_ half: [Lane], rows: Int, _ right: [Double], to result: inout [Lane]) {
    var result = result.mutableSpan
    switch self {
    #if arch(x86_64)
      case .avx512: OracleLoopsAVX512.multiplyByTransposed(half.span, rows: rows, right.span, to: &result)
      case .avx2: OracleLoopsAVX2.multiplyByTransposed(half.span, rows: rows, right.span, to: &result)
    #endif
    default: OracleLoopsPortable.multiplyByTransposed(half.span, rows: rows, right.span, to: &result)
    }
  }

  @inline(__always)
  func sumPointProducts(_ filters: Span<Lane>, _ tiles: Span<Double>, to sums: inout MutableSpan<Lane>) {
    switch self {
    #if arch(x86_64)
      case .avx512: OracleLoopsAVX512.sumPointProducts(filters, tiles, to: &sums)
      case .avx2: OracleLoopsAVX2.sumPointProducts(filters, tiles, to: &sums)
    #endif
    default: OracleLoopsPortable.sumPointProducts(filters, tiles, to: &sums)
    }
  }
}
