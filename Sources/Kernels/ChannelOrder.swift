/// In which form a tile's code goes over the V channels of a segment. The order of its sums is the same in each.
///
/// A type, and not a condition in the tile: then what is generic over the tile has neither form in it, and the compiler makes each
/// where it is asked for. With all of it in every tile the kernels take twice as long to compile.
protocol ChannelOrder {
  static func addVector<Pixels: Constant, Vectors: Constant, Addresses: RowAddresses>(
    _ sums: inout Sums<Pixels, Vectors>, _ pixels: Addresses, _ weights: UnsafePointer<Float>)
}

/// Every address is a constant away. For the largest tile, whose sums leave four registers free: in a loop the compiler keeps one
/// of them in memory.
enum Unrolled: ChannelOrder {
  @inline(__always)
  static func addVector<Pixels: Constant, Vectors: Constant, Addresses: RowAddresses>(
    _ sums: inout Sums<Pixels, Vectors>, _ pixels: Addresses, _ weights: UnsafePointer<Float>
  ) {
    addFour(&sums, pixels, weights, 0)
    if vectorWidth > 4 { addFour(&sums, pixels, weights, 4) }
    if vectorWidth > 8 {
      addFour(&sums, pixels, weights, 8)
      addFour(&sums, pixels, weights, 12)
    }
  }
}

/// A loop, for all others: a quarter of the code. (Unrolled, tiles of 11 to 13 pixels moved sums to memory and back 50 to 78 times a
/// segment, which cost them nothing that could be measured.)
enum FourByFour: ChannelOrder {
  @inline(__always)
  static func addVector<Pixels: Constant, Vectors: Constant, Addresses: RowAddresses>(
    _ sums: inout Sums<Pixels, Vectors>, _ pixels: Addresses, _ weights: UnsafePointer<Float>
  ) {
    var channel = 0
    while channel < vectorWidth {
      addFour(&sums, pixels, weights, channel)
      channel += 4
    }
  }
}

@inline(__always)
private func addFour<Pixels: Constant, Vectors: Constant, Addresses: RowAddresses>(
  _ sums: inout Sums<Pixels, Vectors>, _ pixels: Addresses, _ weights: UnsafePointer<Float>, _ channel: Int
) {
  addChannel(&sums, pixels, weights, channel)
  addChannel(&sums, pixels, weights, channel + 1)
  addChannel(&sums, pixels, weights, channel + 2)
  addChannel(&sums, pixels, weights, channel + 3)
}

/// The terms of one channel: a broadcast of each pixel's value times the weights' vectors.
@inline(__always)
func addChannel<Pixels: Constant, Vectors: Constant, Addresses: RowAddresses>(
  _ sums: inout Sums<Pixels, Vectors>, _ pixels: Addresses, _ weights: UnsafePointer<Float>, _ channel: Int
) {
  let two = Vectors.value == 2
  let w = weights + channel * Vectors.value * vectorWidth
  let w0 = load(w)
  let w1 = two ? load(w + vectorWidth) : .zero
  sums.forEach { pixel, first, second in
    let x = broadcast(pixels[pixel] + channel)
    first = fma(x, w0, first)
    if two { second = fma(x, w1, second) }
  }
}
