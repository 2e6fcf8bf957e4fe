/// Winograd's kernels of one instruction set; `outputTile` is m of F(m×m, 3×3): 2, 4 or 6, anything else does nothing.
public struct WinogradKernels: Sendable {
  public typealias Transform = @Sendable (_ outputTile: Int, UnsafePointer<WinogradTiles>) -> Void
  public typealias FilterTransform = @Sendable (_ outputTile: Int, UnsafePointer<WinogradFilters>) -> Void

  /// Bᵀ d B of input tiles.
  public let input: Transform
  /// Aᵀ M A and the epilogue, to output tiles.
  public let output: Transform
  /// A dy Aᵀ of tiles of the output's gradient.
  public let gradient: Transform
  /// G g Gᵀ of filters, in Double and rounded once.
  public let filters: FilterTransform
  /// Gᵀ M G, from sums of products to filters' gradients: two passes of FMA chains of n terms with G rounded to float32.
  public let filterGradient: FilterTransform

  public init(
    input: @escaping Transform, output: @escaping Transform, gradient: @escaping Transform,
    filters: @escaping FilterTransform, filterGradient: @escaping FilterTransform
  ) {
    self.input = input
    self.output = output
    self.gradient = gradient
    self.filters = filters
    self.filterGradient = filterGradient
  }
}
