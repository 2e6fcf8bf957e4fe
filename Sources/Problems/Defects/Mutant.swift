import Tensors

/// A named defect that is applied to a correct engine from outside: it changes what the engine is asked, what it answers,
/// or how answers are put together. It never computes the operation itself.
public struct Mutant: Sendable {
  public typealias Compute = @Sendable (Exercise) throws(EngineError) -> Answer
  public typealias Defect = @Sendable (_ exercise: Exercise, _ correct: @escaping Compute) throws(EngineError) -> Answer

  public enum Family: String, Sendable, CaseIterable, Codable {
    case convolution, winograd
    case normalisation
    case reluAndPooling = "relu and pooling"
    case linearAndLoss = "linear and loss"
    case optimisers
    case residual
    case memory
    /// Every element within its bound, perhaps, and all of them worse than they should be.
    case accuracy
    case sixteenBits = "16 bits"
    case classes = "size classes"
    case gate
    case cheats
  }

  public let name: String
  public let family: Family
  /// The operations that it applies to, by name; empty where it applies to all.
  public let operations: [String]
  /// The built-in engine that it is applied to, where that is not the reference.
  public let base: String?
  /// The types that it is tried in. In types of 16 bits it is applied to a correct engine that rounds each result once, and must be
  /// noticed in each of them; in the others once.
  public let dtypes: [DType]
  /// A fresh defect: some remember earlier calls.
  public let make: @Sendable () -> Defect

  /// - Parameters:
  ///   - name: what the self-test calls it.
  ///   - family: what kind of error it is.
  ///   - operations: the operations that it applies to, by name; with none, all of them.
  ///   - base: the engine that it spoils; the reference, when left out.
  ///   - dtypes: the types that it is tried in.
  ///   - make: a defect that has seen no case yet.
  public init(
    _ name: String, _ family: Family, _ operations: [String], of base: String? = nil,
    in dtypes: [DType] = [.float32, .float64], make: @escaping @Sendable () -> Defect
  ) {
    precondition(!dtypes.isEmpty, "\(name) is tried in no type")
    self.name = name
    self.family = family
    self.operations = operations
    self.base = base
    self.dtypes = dtypes
    self.make = make
  }

  /// Whether it is a defect of kernels of 16 bits.
  public var isNarrow: Bool { dtypes.allSatisfy(\.isNarrow) }

  public func applies(to operation: String) -> Bool { operations.isEmpty || operations.contains(operation) }

  /// One mutant for all that have a name in common, of the first one's family and base: in each operation its own defect.
  public static func joined(_ mutants: [Mutant]) -> [Mutant] {
    var names: [String] = []
    for mutant in mutants where !names.contains(mutant.name) { names.append(mutant.name) }
    let parts = Dictionary(grouping: mutants, by: \.name)
    return names.compactMap { parts[$0] }.map { parts in
      guard parts.count > 1 else { return parts[0] }
      let first = parts[0]
      precondition(
        parts.allSatisfy {
          $0.family == first.family && $0.base == first.base && $0.dtypes == first.dtypes && !$0.operations.isEmpty
        }, "\(first.name): the operations' forms of one defect differ in more than their operation")
      return Mutant(first.name, first.family, parts.flatMap(\.operations), of: first.base, in: first.dtypes) {
        let defects = parts.map { (part: $0, defect: $0.make()) }
        return { (exercise, correct) throws(EngineError) in
          guard let own = defects.first(where: { $0.part.applies(to: exercise.operation) }) else {
            return try correct(exercise)
          }
          return try own.defect(exercise, correct)
        }
      }
    }
  }

  /// A defect without memory.
  public static func stateless(
    _ name: String, _ family: Family, _ operations: [String], _ defect: @escaping Defect
  ) -> Mutant {
    Mutant(name, family, operations) { defect }
  }

  /// What is asked is changed.
  public static func asking(
    _ name: String, _ family: Family, _ operations: [String], _ change: @escaping @Sendable (inout Exercise) -> Void
  ) -> Mutant {
    stateless(name, family, operations) { (exercise, correct) throws(EngineError) in
      var changed = exercise
      change(&changed)
      return try correct(changed)
    }
  }

  /// What is answered is changed.
  public static func answering(
    _ name: String, _ family: Family, _ operations: [String],
    _ change: @escaping @Sendable (inout Answer, Exercise) -> Void
  ) -> Mutant {
    stateless(name, family, operations) { (exercise, correct) throws(EngineError) in
      var answer = try correct(exercise)
      change(&answer, exercise)
      return answer
    }
  }
}

extension AnyTensor {
  /// Changed as doubles and put back into its own type.
  public mutating func edit(_ change: (inout Tensor<Double>) -> Void) {
    guard dtype != .int64 else { return }
    var values = doubles
    change(&values)
    self = AnyTensor.float64(values).converted(to: dtype)
  }

  public func edited(_ change: (inout Tensor<Double>) -> Void) -> AnyTensor {
    var copy = self
    copy.edit(change)
    return copy
  }
}

extension [String: AnyTensor] {
  public mutating func edit(_ name: String, _ change: (inout Tensor<Double>) -> Void) { self[name]?.edit(change) }
}

extension Tensor where Element == Double {
  /// Element (n, c, h, w) of a rank-4 tensor is taken from another place; zero where that is outside.
  public func gathered(_ shape: Shape, from source: (_ index: [Int]) -> [Int]) -> Tensor {
    let strides = self.shape.strides
    var gathered = Tensor(zeros: shape)
    for offset in 0..<shape.count {
      let place = source(shape.index(ofOffset: offset))
      guard zip(place, self.shape.dimensions).allSatisfy({ $0 >= 0 && $0 < $1 }) else { continue }
      gathered.elements[offset] = elements[zip(place, strides).reduce(0) { $0 + $1.0 * $1.1 }]
    }
    return gathered
  }

  public func gathered(from source: (_ index: [Int]) -> [Int]) -> Tensor { gathered(shape, from: source) }

  /// Each element by its index.
  public func indexed(_ transform: (_ index: [Int], _ value: Double) -> Double) -> Tensor {
    Tensor(
      shape: shape, elements: elements.indices.map { transform(shape.index(ofOffset: $0), elements[$0]) })
  }

  /// Rounded to this many significant bits, to nearest even.
  public func rounded(toBits bits: Int) -> Tensor { map { $0.rounded(toBits: bits) } }
}

extension Double {
  public func rounded(toBits bits: Int) -> Double {
    guard isFinite, self != 0 else { return self }
    let unit = Double(sign: .plus, exponent: exponent - (bits - 1), significand: 1)
    return (self / unit).rounded(.toNearestOrEven) * unit
  }
}

extension Exercise {
  /// The dimensions of an operand, whatever its group.
  public func shape(_ name: String) -> Shape? { (inputs[name] ?? parameters[name] ?? buffers[name])?.shape }

  public func pair(_ name: String, default value: Pair) -> Pair {
    (try? attributes.pair(name, default: value)) ?? value
  }
}
