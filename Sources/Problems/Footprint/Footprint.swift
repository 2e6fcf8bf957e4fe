import Tensors

/// Which outputs each element of an operand can reach, and a colouring in which elements of one colour reach no common
/// output, so that they can be perturbed together.
///
/// - Source: Curtis, Powell and Reid, "On the estimation of sparse Jacobian matrices", IMA J. Appl. Math. 13 (1974).
public struct Footprint: Sendable {
  public let colourCount: Int
  /// The colour of each element.
  public let colour: @Sendable (_ element: Int) -> Int
  /// Calls `body` with each output position (in the flattened outputs) that the element may change.
  public let forEachOutput: @Sendable (_ element: Int, _ body: (Int) -> Void) -> Void

  public init(
    colourCount: Int, colour: @escaping @Sendable (_ element: Int) -> Int,
    forEachOutput: @escaping @Sendable (_ element: Int, _ body: (Int) -> Void) -> Void
  ) {
    self.colourCount = colourCount
    self.colour = colour
    self.forEachOutput = forEachOutput
  }

  /// Every element may reach every output.
  public static func dense(elements: Int, outputs: Int) -> Footprint {
    Footprint(colourCount: elements, colour: { $0 }) { _, body in for output in 0..<outputs { body(output) } }
  }

  /// Element i reaches output i alone.
  public static let pointwise = Footprint(colourCount: 1, colour: { _ in 0 }) { element, body in body(element) }

  /// The elements of each colour, in ascending order.
  public func elements(count: Int) -> [[Int]] {
    var classes = [[Int]](repeating: [], count: colourCount)
    for element in 0..<count { classes[colour(element)].append(element) }
    return classes
  }
}

/// One axis of a window operation: which outputs each input position reaches, and the fewest colours (greedily) that
/// keep those of one colour apart. The reach of an image operation is the product of its axes' reaches, so two elements
/// are apart when they are apart along one axis.
public struct AxisReach: Sendable {
  public let outputs: [[Int]]
  public let colour: [Int]
  public let colourCount: Int

  public init(_ outputs: [[Int]]) {
    self.outputs = outputs
    var taken: [Set<Int>] = []
    colour = outputs.map { reach in
      let free = taken.firstIndex { $0.isDisjoint(with: reach) } ?? taken.count
      if free == taken.count { taken.append([]) }
      taken[free].formUnion(reach)
      return free
    }
    colourCount = max(taken.count, 1)
  }

  /// Of a sliding window: output p sees input p·stride + tap·dilation − padding.
  public init(input: Int, output: Int, kernel: Int, stride: Int, dilation: Int, paddingBefore: Int) {
    var outputs = [[Int]](repeating: [], count: input)
    for position in 0..<output {
      for tap in 0..<kernel {
        let seen = position * stride + tap * dilation - paddingBefore
        if outputs.indices.contains(seen) { outputs[seen].append(position) }
      }
    }
    self.init(outputs)
  }

  /// Of windows given as ranges of the input.
  public init(input: Int, windows: [Range<Int>]) {
    var outputs = [[Int]](repeating: [], count: input)
    for (position, window) in windows.enumerated() {
      for seen in window where outputs.indices.contains(seen) { outputs[seen].append(position) }
    }
    self.init(outputs)
  }
}

extension Footprint {
  /// Of an NCHW image to an NKPQ image.
  /// - Parameters:
  ///   - input: (N, C, H, W).
  ///   - output: (N, K, P, Q).
  ///   - rows: which output rows each input row reaches.
  ///   - columns: the same for columns.
  ///   - mixing: how many input channels share their outputs (1: each channel on its own; C/groups for a convolution).
  ///   - outputsPerGroup: how many output channels each such set of input channels reaches.
  public static func image(
    input: Shape, output: Shape, rows: AxisReach, columns: AxisReach, mixing: Int, outputsPerGroup: Int
  ) -> Footprint {
    let (channels, height, width) = (input[1], input[2], input[3])
    let (outputChannels, outputHeight, outputWidth) = (output[1], output[2], output[3])
    let spatial = rows.colourCount * columns.colourCount
    return Footprint(
      colourCount: mixing * spatial,
      colour: { element in
        let w = element % width
        let h = element / width % height
        let c = element / (width * height) % channels
        return (c % mixing) * spatial + rows.colour[h] * columns.colourCount + columns.colour[w]
      },
      forEachOutput: { element, body in
        let w = element % width
        let h = element / width % height
        let c = element / (width * height) % channels
        let n = element / (width * height * channels)
        let first = c / mixing * outputsPerGroup
        for k in first..<first + outputsPerGroup {
          for p in rows.outputs[h] {
            let row = ((n * outputChannels + k) * outputHeight + p) * outputWidth
            for q in columns.outputs[w] { body(row + q) }
          }
        }
      })
  }

  /// Of a parameter whose leading axis is the output's axis 1 (a convolution's or linear layer's weight or bias, γ, β):
  /// element (k, rest) reaches every output of channel k.
  public static func channel(elementsPerChannel: Int, output: Shape) -> Footprint {
    let channels = output[1]
    let plane = output.dimensions.dropFirst(2).reduce(1, *)
    let batch = output[0]
    return Footprint(colourCount: elementsPerChannel, colour: { $0 % elementsPerChannel }) { element, body in
      let k = element / elementsPerChannel
      for n in 0..<batch {
        let start = (n * channels + k) * plane
        for output in start..<start + plane { body(output) }
      }
    }
  }

  /// Of an operation along axis 1 alone: element (n, c, …) reaches output (n, all k, …).
  public static func alongAxisOne(input: Shape, outputExtent: Int) -> Footprint {
    let channels = input[1]
    let plane = input.dimensions.dropFirst(2).reduce(1, *)
    return Footprint(
      colourCount: channels, colour: { $0 / plane % channels },
      forEachOutput: { element, body in
        let n = element / (plane * channels)
        let rest = element % plane
        for k in 0..<outputExtent { body((n * outputExtent + k) * plane + rest) }
      })
  }
}
