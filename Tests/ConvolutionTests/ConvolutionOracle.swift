import Problems

/// A convolution and both its gradients in Double, term by term as the definition has them: what the strategies are
/// compared with. It shares no code with them.
struct ConvolutionOracle {
  /// A sum of products with what its error bounds need.
  struct Sums {
    var value: [Double]
    var magnitude: [Double]
    var square: [Double]
    var terms: [Int]

    init(_ count: Int) {
      value = [Double](repeating: 0, count: count)
      magnitude = value
      square = value
      terms = [Int](repeating: 0, count: count)
    }

    /// 0 times an element that is infinite or NaN: a zero of the padding changes nothing else.
    mutating func addPadding(_ a: Float, at index: Int) {
      if !a.isFinite { value[index] = .nan }
    }

    mutating func add(_ a: Float, _ b: Float, at index: Int) {
      let term = Double(a) * Double(b)
      value[index] += term
      magnitude[index] += abs(term)
      square[index] += term * term
      terms[index] += 1
    }

    /// γ_n·Σ|terms|, n counting one more rounding a term than FMA needs: holds for every order of summation.
    func rigorous(_ index: Int) -> Double {
      let n = Double(terms[index] + 2) * 0x1p-24
      return n / (1 - n) * magnitude[index] + Double(terms[index]) * 0x1p-149
    }

    /// 8·u·√n·√Σ terms²: holds for independent random operands (VERIFICATION's statistical bound).
    func statistical(_ index: Int) -> Double {
      8 * 0x1p-24 * (Double(terms[index]) * square[index]).squareRoot() + 0x1p-24 * abs(value[index])
    }
  }

  var forward: Sums
  var inputGradient: Sums
  var weightGradient: Sums

  init(_ problem: Conv2dProblem, x: [Float], w: [Float], dy: [Float]) {
    forward = Sums(problem.outputShape.count)
    inputGradient = Sums(problem.inputShape.count)
    weightGradient = Sums(problem.weightShape.count)
    let (h, w_, p, q) = (
      problem.inputSize.height, problem.inputSize.width, problem.outputSize.height, problem.outputSize.width
    )
    let perGroup = problem.inputChannels / problem.groups
    let outputsPerGroup = problem.outputChannels / problem.groups
    for n in 0..<problem.batch {
      for k in 0..<problem.outputChannels {
        for c in 0..<perGroup {
          let channel = k / outputsPerGroup * perGroup + c
          for r in 0..<problem.kernelSize.height {
            for s in 0..<problem.kernelSize.width {
              let wIndex = ((k * perGroup + c) * problem.kernelSize.height + r) * problem.kernelSize.width + s
              for i in 0..<p {
                let row = i * problem.stride.height + r * problem.dilation.height - problem.paddingBefore.height
                for j in 0..<q {
                  let column = j * problem.stride.width + s * problem.dilation.width - problem.paddingBefore.width
                  let yIndex = ((n * problem.outputChannels + k) * p + i) * q + j
                  guard (0..<h).contains(row), (0..<w_).contains(column) else {
                    // dx has no such element.
                    forward.addPadding(w[wIndex], at: yIndex)
                    weightGradient.addPadding(dy[yIndex], at: wIndex)
                    continue
                  }
                  let xIndex = ((n * problem.inputChannels + channel) * h + row) * w_ + column
                  forward.add(x[xIndex], w[wIndex], at: yIndex)
                  inputGradient.add(dy[yIndex], w[wIndex], at: xIndex)
                  weightGradient.add(x[xIndex], dy[yIndex], at: wIndex)
                }
              }
            }
          }
        }
      }
    }
  }
}
