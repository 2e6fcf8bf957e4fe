/// An integer that the optimiser sees: a type argument makes one copy of the code for each value.
protocol Constant {
  static var value: Int { get }
}

enum C0: Constant { @inline(__always) static var value: Int { 0 } }
enum C1: Constant { @inline(__always) static var value: Int { 1 } }
enum C2: Constant { @inline(__always) static var value: Int { 2 } }
enum C3: Constant { @inline(__always) static var value: Int { 3 } }
enum C4: Constant { @inline(__always) static var value: Int { 4 } }
enum C5: Constant { @inline(__always) static var value: Int { 5 } }
enum C6: Constant { @inline(__always) static var value: Int { 6 } }
enum C7: Constant { @inline(__always) static var value: Int { 7 } }
enum C8: Constant { @inline(__always) static var value: Int { 8 } }
enum C9: Constant { @inline(__always) static var value: Int { 9 } }
enum C10: Constant { @inline(__always) static var value: Int { 10 } }
enum C11: Constant { @inline(__always) static var value: Int { 11 } }
enum C12: Constant { @inline(__always) static var value: Int { 12 } }
enum C13: Constant { @inline(__always) static var value: Int { 13 } }
enum C14: Constant { @inline(__always) static var value: Int { 14 } }

/// The accumulators of a register tile: `Rows` × one or two vectors.
///
/// Named fields stay in registers, an array of them would not. What is done with a tile is said once, as the body of
/// ``forEach(_:)``; rows past `Rows` and the second vector of a single one vanish when it is inlined.
struct Sums<Rows: Constant, Vectors: Constant> {
  private var a0 = Vector.zero
  private var b0 = Vector.zero
  private var a1 = Vector.zero
  private var b1 = Vector.zero
  private var a2 = Vector.zero
  private var b2 = Vector.zero
  private var a3 = Vector.zero
  private var b3 = Vector.zero
  private var a4 = Vector.zero
  private var b4 = Vector.zero
  private var a5 = Vector.zero
  private var b5 = Vector.zero
  private var a6 = Vector.zero
  private var b6 = Vector.zero
  private var a7 = Vector.zero
  private var b7 = Vector.zero
  private var a8 = Vector.zero
  private var b8 = Vector.zero
  private var a9 = Vector.zero
  private var b9 = Vector.zero
  private var a10 = Vector.zero
  private var b10 = Vector.zero
  private var a11 = Vector.zero
  private var b11 = Vector.zero
  private var a12 = Vector.zero
  private var b12 = Vector.zero
  private var a13 = Vector.zero
  private var b13 = Vector.zero

  @inline(__always)
  init() {}

  /// Calls the body with each row's number and its vectors; the second is zero where there is one vector.
  @inline(__always)
  mutating func forEach(_ body: (_ row: Int, _ first: inout Vector, _ second: inout Vector) -> Void) {
    let rows = Rows.value
    if rows > 0 { body(0, &a0, &b0) }
    if rows > 1 { body(1, &a1, &b1) }
    if rows > 2 { body(2, &a2, &b2) }
    if rows > 3 { body(3, &a3, &b3) }
    if rows > 4 { body(4, &a4, &b4) }
    if rows > 5 { body(5, &a5, &b5) }
    if rows > 6 { body(6, &a6, &b6) }
    if rows > 7 { body(7, &a7, &b7) }
    if rows > 8 { body(8, &a8, &b8) }
    if rows > 9 { body(9, &a9, &b9) }
    if rows > 10 { body(10, &a10, &b10) }
    if rows > 11 { body(11, &a11, &b11) }
    if rows > 12 { body(12, &a12, &b12) }
    if rows > 13 { body(13, &a13, &b13) }
  }
}

/// A tile that lies in memory as it is summed: rows `step` floats apart, the second vector behind the first.
extension Sums {
  private static var hasTwo: Bool { @inline(__always) get { Vectors.value == 2 } }

  /// The sums go on from what is there.
  @inline(__always)
  mutating func take(from target: UnsafePointer<Float>, _ step: Int) {
    forEach { row, first, second in
      first = load(target + row * step)
      if Self.hasTwo { second = load(target + row * step + vectorWidth) }
    }
  }

  @inline(__always)
  mutating func write(to target: UnsafeMutablePointer<Float>, _ step: Int) {
    forEach { row, first, second in
      store(first, target + row * step)
      if Self.hasTwo { store(second, target + row * step + vectorWidth) }
    }
  }

  /// Asks for where a tile will be written.
  @inline(__always)
  mutating func ask(for target: UnsafePointer<Float>, _ step: Int) {
    forEach { row, _, _ in
      prefetch(target + row * step)
      // A cache line holds one vector of the widest.
      if Self.hasTwo && vectorWidth == 16 { prefetch(target + row * step + vectorWidth) }
    }
  }
}

/// Where a register tile's rows find their operands.
protocol RowAddresses {
  /// - Parameter offsets: of each row, from `base`.
  init(_ base: UnsafePointer<Float>, _ offsets: UnsafePointer<Int>)
  subscript(row: Int) -> UnsafePointer<Float> { get }
}

/// The rows of each half of the largest tile follow one another `Step` vectors apart: two addresses, where as many as rows
/// would not fit the integer registers.
struct HalfPointers<Step: Constant>: RowAddresses {
  private let first: UnsafePointer<Float>
  private let second: UnsafePointer<Float>

  @inline(__always)
  init(_ base: UnsafePointer<Float>, _ offsets: UnsafePointer<Int>) {
    first = base + offsets[0]
    second = base + offsets[tilePixels / 2]
  }

  @inline(__always)
  subscript(row: Int) -> UnsafePointer<Float> {
    let half = tilePixels / 2
    return row < half ? first + row * Step.value * vectorWidth : second + (row - half) * Step.value * vectorWidth
  }
}

/// An address for each row.
struct RowPointers<Rows: Constant>: RowAddresses {
  private var p0: UnsafePointer<Float>
  private var p1: UnsafePointer<Float>
  private var p2: UnsafePointer<Float>
  private var p3: UnsafePointer<Float>
  private var p4: UnsafePointer<Float>
  private var p5: UnsafePointer<Float>
  private var p6: UnsafePointer<Float>
  private var p7: UnsafePointer<Float>
  private var p8: UnsafePointer<Float>
  private var p9: UnsafePointer<Float>
  private var p10: UnsafePointer<Float>
  private var p11: UnsafePointer<Float>
  private var p12: UnsafePointer<Float>
  private var p13: UnsafePointer<Float>

  /// `base + offsets[row]` for each row; no other offset is read.
  @inline(__always)
  init(_ base: UnsafePointer<Float>, _ offsets: UnsafePointer<Int>) {
    let rows = Rows.value
    p0 = rows > 0 ? base + offsets[0] : base
    p1 = rows > 1 ? base + offsets[1] : base
    p2 = rows > 2 ? base + offsets[2] : base
    p3 = rows > 3 ? base + offsets[3] : base
    p4 = rows > 4 ? base + offsets[4] : base
    p5 = rows > 5 ? base + offsets[5] : base
    p6 = rows > 6 ? base + offsets[6] : base
    p7 = rows > 7 ? base + offsets[7] : base
    p8 = rows > 8 ? base + offsets[8] : base
    p9 = rows > 9 ? base + offsets[9] : base
    p10 = rows > 10 ? base + offsets[10] : base
    p11 = rows > 11 ? base + offsets[11] : base
    p12 = rows > 12 ? base + offsets[12] : base
    p13 = rows > 13 ? base + offsets[13] : base
  }

  @inline(__always)
  subscript(row: Int) -> UnsafePointer<Float> {
    switch row {
    case 0: p0
    case 1: p1
    case 2: p2
    case 3: p3
    case 4: p4
    case 5: p5
    case 6: p6
    case 7: p7
    case 8: p8
    case 9: p9
    case 10: p10
    case 11: p11
    case 12: p12
    default: p13
    }
  }
}

/// How many of the rows that are left the next register tile takes: as many as it has, but the last two tiles share what is
/// left where that is little, since few sums in flight do not keep the multiply-add units busy.
@inline(__always)
func tileRows(_ left: Int) -> Int {
  let fewest = 5
  return left <= tilePixels ? left : left >= tilePixels + fewest ? tilePixels : (left + 1) / 2
}
