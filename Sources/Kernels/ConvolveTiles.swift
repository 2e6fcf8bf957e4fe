import KernelContracts

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

/// Pixel strides with a copy of their own: the next pixel, every second one, every second of three-channel pixels.
enum OneVector: Constant { @inline(__always) static var value: Int { vectorWidth } }
enum TwoVectors: Constant { @inline(__always) static var value: Int { 2 * vectorWidth } }
enum SixFloats: Constant { @inline(__always) static var value: Int { 6 } }
/// The stride is read from the strip. Slower: as many addresses as pixels do not fit the integer registers.
enum AnyStride: Constant { @inline(__always) static var value: Int { 0 } }

enum Tiles<Stride: Constant> {
  /// Two vectors of output channels × `first` + `second` pixels; `second` is `first` or zero.
  @inline(__always)
  static func two(
    _ strip: UnsafePointer<ConvolutionStrip>, _ first: Int, _ second: Int, _ inputA: Int, _ inputB: Int,
    _ outputA: Int, _ outputB: Int, _ ahead: Int
  ) {
    if second > 0 {
      switch first {
      case 1: Tile<C1, C1, Stride>.two(strip, inputA, inputB, outputA, outputB, ahead)
      case 2: Tile<C2, C2, Stride>.two(strip, inputA, inputB, outputA, outputB, ahead)
      case 3: Tile<C3, C3, Stride>.two(strip, inputA, inputB, outputA, outputB, ahead)
      #if KERNELS_AVX512 || KERNELS_NEON
        case 4: Tile<C4, C4, Stride>.two(strip, inputA, inputB, outputA, outputB, ahead)
        case 5: Tile<C5, C5, Stride>.two(strip, inputA, inputB, outputA, outputB, ahead)
        case 6: Tile<C6, C6, Stride>.two(strip, inputA, inputB, outputA, outputB, ahead)
        case 7: Tile<C7, C7, Stride>.two(strip, inputA, inputB, outputA, outputB, ahead)
      #endif
      default: fatalError("no such tile")
      }
    } else {
      switch first {
      case 1: Tile<C1, C0, Stride>.two(strip, inputA, inputB, outputA, outputB, ahead)
      case 3: Tile<C3, C0, Stride>.two(strip, inputA, inputB, outputA, outputB, ahead)
      case 5: Tile<C5, C0, Stride>.two(strip, inputA, inputB, outputA, outputB, ahead)
      #if KERNELS_AVX512 || KERNELS_NEON
        case 7: Tile<C7, C0, Stride>.two(strip, inputA, inputB, outputA, outputB, ahead)
      #endif
      default: fatalError("no such tile")
      }
    }
  }

  /// The same for one vector.
  @inline(__always)
  static func one(
    _ strip: UnsafePointer<ConvolutionStrip>, _ first: Int, _ second: Int, _ inputA: Int, _ inputB: Int,
    _ outputA: Int, _ outputB: Int, _ ahead: Int
  ) {
    if second > 0 {
      switch first {
      case 1: Tile<C1, C1, Stride>.one(strip, inputA, inputB, outputA, outputB, ahead)
      case 2: Tile<C2, C2, Stride>.one(strip, inputA, inputB, outputA, outputB, ahead)
      case 3: Tile<C3, C3, Stride>.one(strip, inputA, inputB, outputA, outputB, ahead)
      #if KERNELS_AVX512 || KERNELS_NEON
        case 4: Tile<C4, C4, Stride>.one(strip, inputA, inputB, outputA, outputB, ahead)
        case 5: Tile<C5, C5, Stride>.one(strip, inputA, inputB, outputA, outputB, ahead)
        case 6: Tile<C6, C6, Stride>.one(strip, inputA, inputB, outputA, outputB, ahead)
        case 7: Tile<C7, C7, Stride>.one(strip, inputA, inputB, outputA, outputB, ahead)
      #endif
      default: fatalError("no such tile")
      }
    } else {
      switch first {
      case 1: Tile<C1, C0, Stride>.one(strip, inputA, inputB, outputA, outputB, ahead)
      case 3: Tile<C3, C0, Stride>.one(strip, inputA, inputB, outputA, outputB, ahead)
      case 5: Tile<C5, C0, Stride>.one(strip, inputA, inputB, outputA, outputB, ahead)
      #if KERNELS_AVX512 || KERNELS_NEON
        case 7: Tile<C7, C0, Stride>.one(strip, inputA, inputB, outputA, outputB, ahead)
      #endif
      default: fatalError("no such tile")
      }
    }
  }
}
