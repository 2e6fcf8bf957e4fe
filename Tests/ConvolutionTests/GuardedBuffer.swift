/// Floats between two bands of a reserved NaN: what reads a band computes NaN, what writes one is found out.
final class GuardedBuffer {
  static let guardBits: UInt32 = 0x7fc0_dead
  static let band = 96
  let pointer: UnsafeMutablePointer<Float>
  let count: Int

  /// Every element holds `value`; nil is the reserved NaN.
  init(_ count: Int, filledWith value: Float? = nil) {
    self.count = count
    let total = count + 2 * Self.band
    let memory = UnsafeMutableRawPointer.allocate(byteCount: total * 4, alignment: 64)
      .bindMemory(to: Float.self, capacity: total)
    memory.initialize(repeating: Float(bitPattern: Self.guardBits), count: total)
    pointer = memory + Self.band
    if let value { pointer.update(repeating: value, count: count) }
  }

  convenience init(_ values: [Float]) {
    self.init(values.count)
    for (index, value) in values.enumerated() { pointer[index] = value }
  }

  deinit { (pointer - Self.band).deallocate() }

  var mutable: UnsafeMutableBufferPointer<Float> { UnsafeMutableBufferPointer(start: pointer, count: count) }
  var readable: UnsafeBufferPointer<Float> { UnsafeBufferPointer(start: pointer, count: count) }
  var values: [Float] { Array(readable) }
  var bits: [UInt32] { readable.map(\.bitPattern) }

  /// Whether both bands are as they were.
  var isIntact: Bool {
    (0..<Self.band).allSatisfy {
      pointer[-1 - $0].bitPattern == Self.guardBits && pointer[count + $0].bitPattern == Self.guardBits
    }
  }
}
