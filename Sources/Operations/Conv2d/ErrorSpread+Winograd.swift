import Problems

extension ErrorSpread {
  /// That of Winograd's algorithm, of any tile and points: the bound takes those into account.
  ///
  /// A transformed filter is rounded once for all tiles, and a transformed tile once for all filters, so that the outputs of a
  /// channel have errors in common, and constants that float32 does not hold are rounded once for all. As calibrated with our F(2), F(4) and F(6) and with ncnn's.
  /// - Parameter sharing: the elements of a channel, or of a filter.
  static func winograd(sharing: Sharing) -> ErrorSpread {
    ErrorSpread(meanSquare: 0.2, scatter: 12, common: 0.13, sharing: sharing, drift: 0.05)
  }
}
