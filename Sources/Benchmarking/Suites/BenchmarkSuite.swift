import Engines
import Foundation
import Operations
import Problems
import TOMLFiles
import TOMLKit
import Tensors

/// What to time, as a file in `Benchmarks/` says it.
public struct BenchmarkSuite: Sendable, Hashable {
  /// Why a file is no suite.
  public struct Invalid: Error, CustomStringConvertible, Hashable {
    public var description: String

    public init(_ description: String) { self.description = description }
  }

  public var name: String
  /// Names of architectures whose distinct convolutions are timed, or which are timed whole.
  public var networks: [String] = []
  /// Whether the networks are timed as a whole in place of their convolutions: in evaluation from images to logits, or one step of
  /// training.
  public var timesWholeNetworks = false
  /// Further problems in their text form, of any operation; their batch is their own.
  public var problems: [String] = []
  public var batches = [1]
  public var threads = [1]
  public var imageSize = 224
  /// Where nothing is said, forward, and of whole networks in evaluation.
  public var passes: [TimingRequest.TimedPass] {
    get { statedPasses ?? (timesWholeNetworks ? [.inference] : [.forward]) }
    set { statedPasses = newValue }
  }
  private var statedPasses: [TimingRequest.TimedPass]?
  public var layouts: [TimingRequest.Layout] = [.nchw]
  public var dtype = DType.float32
  public var engines: [String] = []
  public var blocks = 12
  public var sliceMilliseconds = 20.0
  public var cold = false

  public init(name: String) { self.name = name }

  /// - Throws: ``Invalid`` that names the file, the key, what was expected and what was found.
  public static func read(_ file: URL) throws(Invalid) -> BenchmarkSuite {
    let path = file.path(percentEncoded: false)
    let table: TOMLTable
    do { table = try TOMLText.table(at: file) } catch { throw Invalid("\(error)") }
    do throws(Invalid) {
      return try suite(table, name: file.deletingPathExtension().lastPathComponent)
    } catch { throw Invalid("\(path): \(error)") }
  }

  private static let keys: Set<String> = [
    "description", "networks", "problems", "batches", "threads", "image_size", "passes", "layouts", "dtype", "engines",
    "blocks", "slice_ms", "cold", "whole_networks",
  ]

  private static func suite(_ table: TOMLTable, name: String) throws(Invalid) -> BenchmarkSuite {
    do { try TOMLText.require(keys, in: table) } catch { throw Invalid("\(error)") }
    var suite = BenchmarkSuite(name: name)
    suite.networks = try strings(table, "networks") ?? []
    suite.problems = try strings(table, "problems") ?? []
    suite.batches = try integers(table, "batches", 1...65_536) ?? suite.batches
    suite.threads = try integers(table, "threads", 1...1_024) ?? suite.threads
    suite.imageSize = try integers(table, "image_size", 1...65_536)?.first ?? suite.imageSize
    suite.statedPasses = try choices(table, "passes")
    suite.layouts = try choices(table, "layouts") ?? suite.layouts
    if let value = table["dtype"] {
      guard let dtype = value.string.flatMap(DType.init(rawValue:)), dtype.format != nil else {
        let known = DType.floats.map(\.rawValue).joined(separator: ", ")
        throw Invalid("dtype: expected \(known), found \(value.debugDescription)")
      }
      suite.dtype = dtype
    }
    suite.engines = try strings(table, "engines") ?? []
    suite.blocks = try integers(table, "blocks", 1...10_000)?.first ?? suite.blocks
    if let value = table["slice_ms"] {
      guard let number = value.double ?? value.int.map({ Double($0) }), number > 0, number <= 60_000 else {
        throw Invalid("slice_ms: expected milliseconds above 0, found \(value.debugDescription)")
      }
      suite.sliceMilliseconds = number
    }
    suite.cold = try flag(table, "cold") ?? suite.cold
    suite.timesWholeNetworks = try flag(table, "whole_networks") ?? suite.timesWholeNetworks
    if suite.timesWholeNetworks, !suite.problems.isEmpty {
      throw Invalid("problems: expected none beside whole_networks, found \(suite.problems.count)")
    }
    try suite.requirePasses()
    return suite
  }

  /// The operations of its workloads, as far as its problems can be read.
  public var operations: Set<String> {
    guard !timesWholeNetworks else { return [ResNetProblem.operation] }
    let named = problems.compactMap { (try? Problem.parse($0)).map { type(of: $0).operation } }
    return Set(named).union(networks.isEmpty && !named.isEmpty ? [] : [Conv2dProblem.operation])
  }

  /// What whole networks are timed in.
  public static let networkPasses: [TimingRequest.TimedPass] = [.inference, .trainingStep]

  /// - Throws: ``Invalid`` for a pass that whole networks do not have, or not in the suite's type.
  func requirePasses() throws(Invalid) {
    guard timesWholeNetworks else { return }
    if let pass = passes.first(where: { !Self.networkPasses.contains($0) }) {
      let known = Self.networkPasses.map(\.rawValue).joined(separator: " or ")
      throw Invalid("passes: expected \(known) of whole networks, found \(pass.rawValue)")
    }
    if passes.contains(.trainingStep), dtype != .float32 {
      throw Invalid("dtype: expected float32 for training_step, found \(dtype.rawValue)")
    }
  }

  private static func flag(_ table: TOMLTable, _ key: String) throws(Invalid) -> Bool? {
    guard let value = table[key] else { return nil }
    guard let flag = value.bool else {
      throw Invalid("\(key): expected true or false, found \(value.debugDescription)")
    }
    return flag
  }

  private static func strings(_ table: TOMLTable, _ key: String) throws(Invalid) -> [String]? {
    guard let value = table[key] else { return nil }
    let found = value.array.map { array in array.compactMap { $0.string } }
    guard let array = value.array, let found, found.count == array.count else {
      throw Invalid("\(key): expected an array of strings, found \(value.debugDescription)")
    }
    return found
  }

  private static func integers(_ table: TOMLTable, _ key: String, _ range: ClosedRange<Int>) throws(Invalid) -> [Int]? {
    guard let value = table[key] else { return nil }
    let found: [Int]
    if let single = value.int {
      found = [single]
    } else if let array = value.array, !array.isEmpty {
      found = array.compactMap { $0.int }
      guard found.count == array.count else {
        throw Invalid("\(key): expected integers, found \(value.debugDescription)")
      }
    } else {
      throw Invalid("\(key): expected an integer or several, found \(value.debugDescription)")
    }
    if let bad = found.first(where: { !range.contains($0) }) {
      throw Invalid("\(key): expected \(range.lowerBound) to \(range.upperBound), found \(bad)")
    }
    return found
  }

  private static func choices<Choice: RawRepresentable & CaseIterable>(
    _ table: TOMLTable, _ key: String
  ) throws(Invalid) -> [Choice]? where Choice.RawValue == String {
    guard let words = try strings(table, key) else { return nil }
    var found: [Choice] = []
    for word in words {
      guard let choice = Choice(rawValue: word) else {
        let known = Choice.allCases.map(\.rawValue).joined(separator: ", ")
        throw Invalid("\(key): expected \(known), found '\(word)'")
      }
      found.append(choice)
    }
    return found
  }
}
