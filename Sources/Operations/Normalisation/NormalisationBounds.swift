import Problems
import Tensors

/// What rounding does to a normalisation, forward and backward, from the statistics of ``SliceStatistics`` with uncertainties δμ,
/// δσ² and (relative) δs, s = 1/√(σ² + ε). M is the size of a slice, g = γ·dy:
///
/// - y, in either arrangement `γ·(x − μ)·s + β` or `x·(γs) + (β − μ·γs)`:
///   `|γ|·s·δμ + |γ·(x − μ)|·s·δs + γ_8·(|γ·x|·s + |γ·μ|·s + |β|)`.
/// - dβ = Σdy and dγ = Σdy·x̂ over all elements that share the parameter: ``NormalisedSums``.
/// - dx = s·(g − g₁ − x̂·g₂), g₁ = Σg/M, g₂ = Σg·x̂/M, with x̂′ what is rounded in place of x̂ (``SlicePass/magnitude(_:)``):
///   `s·(δg₁ + (|x̂| + s·δμ + γ_k·x̂′)·δg₂ + |g₂|·(s·δμ + |x̂|·δs)) + δs·s·(|g| + |g₁| + |x̂·g₂|) + γ_k·s·(|g| + |g₁| + x̂′·|g₂|)`,
///   k = 8, or 10 where x̂ may be taken apart.
///
/// Statistically the parts are independent, each already carrying λ: root of the sum of squares.
struct NormalisationBounds: ErrorSharing {
  let layout: NormalisedSlices
  let eps: Double
  let given: Given<Double>
  /// μ and σ² of each slice where they are given; `nil` where they are the slices' own.
  var fixed: (mean: [Double], variance: [Double])?
  /// Whether the backward pass too may take x̂ apart.
  var expandsBackward = true

  func isExact(_ path: String) -> Bool { false }

  /// Mean and scale of a slice are rounded for all of its elements together, which are as good as one, and slices are few.
  func spread(of path: String) -> ErrorSpread? { nil }

  func bounds(of path: String, in rounding: Rounding) -> ElementBounds? {
    if path == "outputs/y" { return perElement { pass($0, rounding).output(rounding) } }
    guard given.upstream["y"] != nil else { return nil }
    switch path {
    case "gradients/x": return perElement { pass($0, rounding).inputGradient(rounding) }
    case "gradients/bias": return parameterSums(rounding).plain.bounds(in: rounding)
    case "gradients/weight": return parameterSums(rounding).normalisedBounds(in: rounding, extraRoundings: 4)
    default: return nil
    }
  }

  func sharedErrors(of path: String, in rounding: Rounding, isRigorous: Bool) -> [SharedErrors] {
    let modes: (SlicePass) -> [[Double]]
    switch path {
    case "outputs/y": modes = { $0.sharedOfOutput(isRigorous: isRigorous) }
    case "gradients/x": modes = { $0.sharedOfInputGradient(rounding, isRigorous: isRigorous) }
    default: return []
    }
    var found: [SharedErrors] = []
    let none = [Double](repeating: 0, count: layout.elementCount)
    for slice in 0..<layout.count {
      for (number, weights) in modes(pass(slice, rounding)).enumerated() {
        if number == found.count {
          found.append(SharedErrors(weights: none, groups: [Int](repeating: 0, count: layout.elementCount)))
        }
        for (position, element) in layout.elements(of: slice).enumerated() {
          found[number].weights[element] = weights[position]
          found[number].groups[element] = slice
        }
      }
    }
    return found
  }

  private func parameterSums(_ rounding: Rounding) -> NormalisedSums {
    let count = layout.parameterCount
    var sums = NormalisedSums(count: count, termCount: layout.elementCount / max(count, 1))
    for slice in 0..<layout.count {
      let pass = pass(slice, rounding)
      let length = layout.elementsPerParameter
      for local in 0..<layout.parametersPerSlice {
        sums.add(pass.dy, at: local * length..<(local + 1) * length, of: pass, to: layout.parameter(local, of: slice))
      }
    }
    return sums
  }

  private func perElement(_ body: (_ slice: Int) -> ElementBounds) -> ElementBounds {
    var statistical = [Double](repeating: 0, count: layout.elementCount)
    var rigorous = statistical
    for slice in 0..<layout.count {
      let bounds = body(slice)
      for (position, element) in layout.elements(of: slice).enumerated() {
        statistical[element] = bounds.statistical?[position] ?? bounds.rigorous[position]
        rigorous[element] = bounds.rigorous[position]
      }
    }
    return ElementBounds(statistical: statistical, rigorous: rigorous)
  }

  func statistics(of slice: Int, _ rounding: Rounding) -> SliceStatistics {
    guard let fixed else {
      let x = given["x"].elements
      return SliceStatistics(layout.elements(of: slice).map { x[$0] }, eps: eps, rounding)
    }
    return SliceStatistics(
      mean: fixed.mean[slice], variance: fixed.variance[slice], eps: eps, count: layout.size, rounding)
  }

  private func pass(_ slice: Int, _ rounding: Rounding) -> SlicePass {
    let elements = layout.elements(of: slice)
    func parameters(_ name: String, otherwise value: Double) -> [Double] {
      let all = given.operands[name]?.elements
      return (0..<layout.parametersPerSlice).map { all?[layout.parameter($0, of: slice)] ?? value }
    }
    let x = given["x"].elements
    return SlicePass(
      x: elements.map { x[$0] },
      dy: given.upstream["y"].map { dy in elements.map { dy.elements[$0] } } ?? [],
      statistics: statistics(of: slice, rounding), followsInput: fixed == nil,
      weights: parameters("weight", otherwise: 1), biases: parameters("bias", otherwise: 0),
      elementsPerParameter: layout.elementsPerParameter, expandsBackward: expandsBackward)
  }
}
