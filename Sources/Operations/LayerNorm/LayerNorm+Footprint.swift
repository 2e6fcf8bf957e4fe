import Problems

extension LayerNorm {
  public var footprints: [String: Footprint] {
    let (rows, size) = (layout.count, layout.size)
    // A parameter reaches one element of each row, and no other parameter does.
    let parameter = Footprint(colourCount: 1, colour: { _ in 0 }) { element, body in
      for row in 0..<rows { body(row * size + element) }
    }
    return ["x": layout.inputFootprint, "weight": parameter, "bias": parameter]
  }

  public var linearity: Linearity { .none }

  public var shiftInvariance: Applicable<ShiftInvariance> { layout.shiftInvariance(unit: "row") }

  public var slices: Applicable<any SlicedOperation> { .none(because: "a pass costs little more than a part of one") }
}
