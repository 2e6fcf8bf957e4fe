import Convolution
import Operations
import Problems
import Tensors

/// Runs a strategy on dense operands, with everything round them poisoned: the halo and the lanes past the last channel
/// hold NaN (Winograd needs neither), the output holds NaN beforehand, and guard bands surround every buffer.
struct WinogradHarness {
  let problem: Conv2dProblem
  let x: [Float]
  let w: [Float]
  let dy: [Float]
  let bias: [Float]

  static let guardCount = 64
  static let poison = Float(bitPattern: 0x7fc0_beef)

  init(_ problem: Conv2dProblem, seed: UInt64, value: (inout SplitMix64) -> Float = Self.uniform) {
    var generator = SplitMix64(seed: seed)
    self.problem = problem
    x = (0..<problem.inputShape.count).map { _ in value(&generator) }
    w = (0..<problem.weightShape.count).map { _ in value(&generator) }
    dy = (0..<problem.outputShape.count).map { _ in value(&generator) }
    bias = (0..<problem.outputChannels).map { _ in value(&generator) }
  }

  static func uniform(_ generator: inout SplitMix64) -> Float { Float(generator.nextUniform() * 2 - 1) }

  enum Failure: Error { case guardBand(String), outputHalo }

  struct Guarded {
    var elements: [Float]
    let count: Int

    init(_ count: Int, _ value: Float = WinogradHarness.poison) {
      self.count = count
      elements = Array(repeating: value, count: count + 2 * WinogradHarness.guardCount)
    }

    var body: ArraySlice<Float> { elements[WinogradHarness.guardCount..<WinogradHarness.guardCount + count] }

    subscript(index: Int) -> Float {
      get { elements[WinogradHarness.guardCount + index] }
      set { elements[WinogradHarness.guardCount + index] = newValue }
    }

    var isIntact: Bool {
      let range = 0..<WinogradHarness.guardCount
      return range.allSatisfy {
        elements[$0].bitPattern == WinogradHarness.poison.bitPattern
          && elements[elements.count - 1 - $0].bitPattern == WinogradHarness.poison.bitPattern
      }
    }
  }

  static func forEachElement(of layout: BlockedLayout, _ body: (_ dense: Int, _ blocked: Int) -> Void) {
    var dense = 0
    for image in 0..<layout.batch {
      for channel in 0..<layout.channels {
        let base = layout.offset(image: image, channel: channel / layout.block * layout.block) + channel % layout.block
        for row in 0..<layout.height {
          for column in 0..<layout.width {
            body(dense, base + row * layout.rowStride + column * layout.block)
            dense += 1
          }
        }
      }
    }
  }

  static func blocked(_ values: [Float], _ layout: BlockedLayout) -> Guarded {
    var result = Guarded(layout.count)
    forEachElement(of: layout) { result[$1] = values[$0] }
    return result
  }

  static func dense(_ values: Guarded, _ layout: BlockedLayout) -> [Float] {
    var result = [Float](repeating: 0, count: layout.batch * layout.channels * layout.height * layout.width)
    forEachElement(of: layout) { result[$0] = values[$1] }
    return result
  }

  /// y or dx.
  func run(_ prepared: any PreparedConvolution, residual: [Float]? = nil) throws -> [Float] {
    let input = Self.blocked(prepared.pass == .forward ? x : dy, prepared.inputLayout)
    let before = input.elements
    var output = Guarded(prepared.outputLayout.count)
    let added = residual.map { Self.blocked($0, prepared.outputLayout) }
    try input.elements.withUnsafeBufferPointer { input in
      try output.elements.withUnsafeMutableBufferPointer { output in
        let target = UnsafeMutableBufferPointer(
          rebasing: output[Self.guardCount..<output.count - Self.guardCount])
        let source = UnsafeBufferPointer(rebasing: input[Self.guardCount..<input.count - Self.guardCount])
        if let added {
          try added.elements.withUnsafeBufferPointer {
            try prepared.run(
              input: source, output: target,
              residual: UnsafeBufferPointer(rebasing: $0[Self.guardCount..<$0.count - Self.guardCount]))
          }
        } else {
          try prepared.run(input: source, output: target, residual: nil)
        }
      }
    }
    guard output.isIntact else { throw Failure.guardBand("output") }
    guard zip(input.elements, before).allSatisfy({ $0.bitPattern == $1.bitPattern }) else {
      throw Failure.guardBand("input")
    }
    var interior = Set<Int>()
    Self.forEachElement(of: prepared.outputLayout) { interior.insert($1) }
    for index in 0..<output.count where !interior.contains(index) && isHalo(index, prepared.outputLayout) {
      guard output[index].bitPattern == Self.poison.bitPattern else { throw Failure.outputHalo }
    }
    return Self.dense(output, prepared.outputLayout)
  }

  /// dw.
  func run(_ prepared: any PreparedWeightGradient) throws -> [Float] {
    let input = Self.blocked(x, prepared.inputLayout)
    let gradient = Self.blocked(dy, prepared.outputGradientLayout)
    var output = Guarded(w.count)
    try input.elements.withUnsafeBufferPointer { input in
      try gradient.elements.withUnsafeBufferPointer { gradient in
        try output.elements.withUnsafeMutableBufferPointer { output in
          let range = Self.guardCount..<output.count - Self.guardCount
          try prepared.run(
            input: UnsafeBufferPointer(rebasing: input[Self.guardCount..<input.count - Self.guardCount]),
            outputGradient: UnsafeBufferPointer(rebasing: gradient[Self.guardCount..<gradient.count - Self.guardCount]),
            weightGradient: UnsafeMutableBufferPointer(rebasing: output[range]))
        }
      }
    }
    guard output.isIntact else { throw Failure.guardBand("weight gradient") }
    return Array(output.body)
  }

  private func isHalo(_ index: Int, _ layout: BlockedLayout) -> Bool {
    let row = index % layout.planeStride / layout.rowStride - layout.halo.top
    let column = index % layout.planeStride % layout.rowStride / layout.block - layout.halo.left
    return !(0..<layout.height).contains(row) || !(0..<layout.width).contains(column)
  }

  /// Σ over the taps in Double: y, without bias.
  func exactForward() -> [Double] {
    var y = [Double](repeating: 0, count: problem.outputShape.count)
    forEachProduct { y[$0] += Double(x[$1]) * Double(w[$2]) }
    return y
  }

  func exactBackwardData() -> [Double] {
    var dx = [Double](repeating: 0, count: x.count)
    forEachProduct { dx[$1] += Double(dy[$0]) * Double(w[$2]) }
    return dx
  }

  func exactBackwardWeights() -> [Double] {
    var dw = [Double](repeating: 0, count: w.count)
    forEachProduct { dw[$2] += Double(dy[$0]) * Double(x[$1]) }
    return dw
  }

  /// Every (output, input, weight) triple of indices that the convolution multiplies.
  private func forEachProduct(_ body: (Int, Int, Int) -> Void) {
    let (input, output) = (problem.inputSize, problem.outputSize)
    let padding = problem.paddingBefore
    for n in 0..<problem.batch {
      for k in 0..<problem.outputChannels {
        for p in 0..<output.height {
          for q in 0..<output.width {
            let y = ((n * problem.outputChannels + k) * output.height + p) * output.width + q
            for r in 0..<3 where (0..<input.height).contains(p + r - padding.height) {
              for s in 0..<3 where (0..<input.width).contains(q + s - padding.width) {
                for c in 0..<problem.inputChannels {
                  let row = (n * problem.inputChannels + c) * input.height + p + r - padding.height
                  body(
                    y, row * input.width + q + s - padding.width, ((k * problem.inputChannels + c) * 3 + r) * 3 + s)
                }
              }
            }
          }
        }
      }
    }
  }
}
