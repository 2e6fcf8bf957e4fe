import Tensors

/// Standard deviations of a tensor's elements, one for each or one for each channel.
public struct Deviation: Sendable {
  @usableFromInline let values: [Double]
  /// Consecutive elements that share a value; the values repeat when they are used up.
  @usableFromInline let run: Int

  /// One for each element.
  public init(_ values: [Double]) {
    self.values = values
    run = 1
  }

  /// One for each channel of an NCHW tensor, or for each first index of a weight.
  /// - Parameters:
  ///   - values: one for each channel.
  ///   - run: elements of one channel in one image.
  public init(perChannel values: [Double], run: Int) {
    self.values = values
    self.run = max(run, 1)
  }

  public static let none = Deviation([])

  public var isEmpty: Bool { values.isEmpty }

  public subscript(element: Int) -> Double { values[element / run % values.count] }

  /// Visits the consecutive elements of a tensor of so many that share a deviation.
  @inlinable
  public func forEachRun(of count: Int, _ body: (_ elements: Range<Int>, _ deviation: Double) -> Void) {
    for (number, start) in stride(from: 0, to: count, by: run).enumerated() {
      body(start..<min(start + run, count), values[number % values.count])
    }
  }

  /// Root mean squares by channel, for tensors too large to keep one for each element.
  public func byChannel(_ shape: Shape) -> Deviation {
    guard shape.rank == 4, run == 1, values.count == shape.count, shape.count > 0 else { return self }
    let plane = shape[2] * shape[3]
    var sums = [Double](repeating: 0, count: shape[1])
    for i in values.indices { sums[i / plane % shape[1]] += values[i] * values[i] }
    return Deviation(perChannel: sums.map { ($0 / Double(shape[0] * plane)).squareRoot() }, run: plane)
  }
}
