import Problems

extension NormalisedSlices {
  /// Each element reaches its whole slice.
  var inputFootprint: Footprint {
    Footprint(colourCount: max(size, 1), colour: { position(of: $0) }) { element, body in
      let slice = slice(of: element)
      for run in 0..<runCount {
        for output in self.run(run, of: slice) { body(output) }
      }
    }
  }

  /// A common shift of a slice changes nothing: its mean takes it away.
  /// - Parameter unit: what a slice is, for a message.
  func shiftInvariance(unit: String) -> Applicable<ShiftInvariance> {
    .some(ShiftInvariance(operand: "x", unit: unit, setCount: count) { slice(of: $0) })
  }
}
