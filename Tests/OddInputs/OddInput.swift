import Foundation
import Tensors

/// What an input made of it.
enum Reaction: Int, CaseIterable {
  case accepted = 0
  case inconclusive = 2
  case usage = 64
  case badData = 65
}

/// One kind of odd input: the n-th follows from the seed alone.
protocol OddInput {
  static var name: String { get }
  /// How many of 100 inputs are of this kind.
  static var share: Int { get }
  init() throws
  /// Gives the program one input and says how it reacted. What it may not do is trap, hang, or take a gigabyte.
  mutating func react(to random: inout OddRandom) throws -> Reaction
  /// The same input as a person would repeat it.
  mutating func describe(_ random: inout OddRandom) -> String
}

/// An odd input that is a file.
protocol OddFile: OddInput {
  /// What is known of a file that was written.
  associatedtype Written
  /// Of the file's name.
  static var ending: String { get }
  static func write(_ path: String, _ random: inout OddRandom) throws -> Written
}

extension OddFile {
  static var ending: String { "h5" }

  mutating func describe(_ random: inout OddRandom) -> String {
    let name = "odd-" + Self.name.replacing(" ", with: "-") + "." + Self.ending
    let path = FileManager.default.temporaryDirectory.appending(path: name).path
    _ = try? Self.write(path, &random)
    return "written to \(path)"
  }
}

/// Seeded choices with a liking for what breaks programs.
struct OddRandom {
  private var source: SplitMix64

  init(seed: UInt64, kind: String, index: Int) {
    var hash = SplitMix64.mix(seed)
    for byte in kind.utf8 { hash = SplitMix64.mix(hash ^ UInt64(byte)) }
    source = SplitMix64(seed: SplitMix64.mix(hash ^ UInt64(index)))
  }

  mutating func below(_ count: Int) -> Int { Int(source.next() % UInt64(count)) }
  mutating func chance(_ percent: Int) -> Bool { below(100) < percent }
  mutating func pick<Element>(_ elements: [Element]) -> Element { elements[below(elements.count)] }
  mutating func bits() -> UInt64 { source.next() }

  /// Small most of the time, else at the edges of what a machine counts.
  mutating func integer() -> Int {
    switch below(10) {
    case 0...5: return below(9)
    case 6: return below(300)
    case 7: return pick(Self.edges)
    case 8: return pick(Self.edges) &+ below(5) &- 2
    default: return Int(bitPattern: UInt(bits() >> UInt64(below(64))))
    }
  }

  mutating func real() -> Double {
    switch below(8) {
    case 0...2: return Double(below(40)) / 8
    case 3:
      return pick([
        .nan, .infinity, -.infinity, -0.0, .leastNonzeroMagnitude, .greatestFiniteMagnitude, 0x1p63, -0x1p63, 0x1p64,
      ])
    case 4: return Double(integer())
    case 5: return Double(bitPattern: bits())
    default: return 1 / Double(1 + below(20))
    }
  }

  private static let edges = [
    0, -1, 1, .max, .min, .max - 1, 1 << 31, 1 << 32, 1 << 30, (1 << 31) - 1, 1 << 48, 1 << 47, 1 << 53, 1 << 62,
    65_535, 65_536, 65_537, 1_000_000, 100_000_000, 3_037_000_500, -100, -(1 << 31),
  ]

  /// Words that mean something somewhere, and some that mean nothing anywhere.
  mutating func word() -> String {
    pick([
      "", " ", "same", "valid", "nearest", "bilinear", "mean", "sum", "none", "resnet18", "resnet50", "cifar_resnet8",
      "cifar_resnet9223372036854775806", "simple_resnet", "sgd", "adam", "adamw", "bn", "relu", "true", "nan", "inf",
      "-0",
      "\u{0}", "\u{1B}[2J", "e\u{301}", "é", "../../etc/passwd", "*", "'; echo no;'",
      String(repeating: "x", count: 3_000),
      "conv k=3 out=8 pad=1", "conv k=1 out=9223372036854775807", "upsample size=100000x100000", "upsample size=4x4",
      "conv k=1073741824 out=1", "\(integer())", "\(real())",
    ])
  }
}
