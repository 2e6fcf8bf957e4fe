import Tensors
import Testing

@Suite struct FloatFormatTests {
  static let narrow = [DType.float16, .bfloat16]

  @Test(arguments: narrow)
  func everyPatternIsItself(dtype: DType) throws {
    let format = try #require(dtype.format)
    for pattern in 0...UInt32(UInt16.max) {
      let value = format.value(pattern)
      if value.isNaN {
        #expect(format.value(format.pattern(value)).isNaN)
      } else {
        #expect(format.pattern(value) == pattern)
      }
    }
  }

  /// Every boundary between neighbours: the tie, and the nearest doubles on either side.
  @Test(arguments: narrow)
  func roundsToNearestEven(dtype: DType) throws {
    let format = try #require(dtype.format)
    let infinity = UInt32(1 << 15) - UInt32(1 << format.fractionBits)
    for pattern in 0..<infinity {
      let (low, high) = (
        format.value(pattern),
        pattern + 1 == infinity ? 2 * format.overflowThreshold - format.greatest : format.value(pattern + 1)
      )
      let tie = low + (high - low) / 2
      let even = pattern & 1 == 0 ? pattern : pattern + 1
      for sign in [0, UInt32(1) << 15] {
        let factor = sign == 0 ? 1.0 : -1.0
        #expect(format.pattern(factor * tie) == sign | even)
        #expect(format.pattern(factor * tie.nextDown) == sign | pattern)
        #expect(format.pattern(factor * tie.nextUp) == sign | (pattern + 1))
      }
    }
  }

  #if !(os(macOS) && arch(x86_64))
    /// The conversion of the machine, where there is one.
    @Test func agreesWithFloat16() {
      var random = SplitMix64(seed: 16)
      for _ in 0..<100_000 {
        let value = Float(bitPattern: UInt32(truncatingIfNeeded: random.next()))
        let (own, machine) = (FloatFormat.binary16.pattern(Double(value)), Float16(value))
        if value.isNaN { #expect(machine.isNaN) } else { #expect(own == UInt32(machine.bitPattern), "\(value)") }
      }
      #expect(FloatFormat.binary16.greatest == Double(Float16.greatestFiniteMagnitude))
      #expect(FloatFormat.binary16.leastSubnormal == Double(Float16.leastNonzeroMagnitude))
    }
  #endif

  @Test func agreesWithTheTypesThatSwiftHas() {
    #expect(
      DType.float32.unitRoundoff == Double(Float.ulpOfOne) / 2 && DType.float64.unitRoundoff == Double.ulpOfOne / 2)
    #expect(FloatFormat.binary32.greatest == Double(Float.greatestFiniteMagnitude))
    #expect(FloatFormat.binary64.greatest == Double.greatestFiniteMagnitude)
    #expect(FloatFormat.binary32.leastSubnormal == Double(Float.leastNonzeroMagnitude))
    #expect(FloatFormat.binary64.leastNormal == Double.leastNormalMagnitude)
    var random = SplitMix64(seed: 32)
    for _ in 0..<100_000 {
      let value = Double(bitPattern: random.next())
      guard !value.isNaN else { continue }
      #expect(FloatFormat.binary32.rounded(value) == Double(Float(value)), "\(value)")
      #expect(value.isInfinite || FloatFormat.binary32.pattern(value) == Float(value).bitPattern)
      #expect(FloatFormat.binary64.rounded(value) == value)
    }
  }

  /// The mark is a NaN that neither a conversion nor arithmetic gives.
  @Test(arguments: narrow)
  func unwrittenMarkIsItsOwn(dtype: DType) throws {
    let format = try #require(dtype.format)
    #expect(format.value(format.unwrittenPattern).isNaN)
    #expect(![format.pattern(.nan), format.pattern(-.nan)].contains(format.unwrittenPattern))
  }

  @Test(arguments: narrow, [0.1, -3.25, 1e-7, 70_000, .infinity, 0])
  func tensorsRoundOnce(dtype: DType, value: Double) throws {
    let format = try #require(dtype.format)
    let tensor = AnyTensor.float64(Tensor(shape: [2], elements: [value, -value])).converted(to: dtype)
    #expect(tensor.dtype == dtype && tensor.doubles.elements == [format.rounded(value), format.rounded(-value)])
    #expect(tensor.converted(to: .float64).converted(to: dtype) == tensor)
  }
}
