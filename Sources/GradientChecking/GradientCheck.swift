import Problems
import Results
import Tensors

/// Checks a hand-written backward pass, element by element, against derivatives that it had no part in.
///
///     try GradientCheck(
///       "my layer", at: ["x": x, "weight": weight],
///       forward: { ["y": myForward($0["x"]!, $0["weight"]!)] },
///       backward: { operands, upstream in
///         let (dx, dw) = myBackward(upstream["y"]!, operands["x"]!, operands["weight"]!)
///         return ["x": dx, "weight": dw]
///       }
///     ).requirePass()
///
/// A verdict is FAIL exactly when |analytic − numeric| exceeds the sum of both bounds; what could not be determined is
/// INCONCLUSIVE, never a pass. The same seed gives the same record, with any number of threads.
public struct GradientCheck: Sendable {
  /// How derivatives are determined.
  public enum Method: String, Sendable, CaseIterable {
    /// Whatever is exact, else duals and differences.
    case automatic
    /// Linear maps by the adjoint test alone, without looking at each column.
    case adjoint
    /// Nothing is taken for linear: dual numbers and finite differences.
    case differences
    /// The same by dual numbers alone.
    case dual
  }

  public struct Options: Sendable {
    public var seed: UInt64 = 1
    public var threads = 2
    /// Every element, whatever it costs.
    public var exhaustive = false
    public var method = Method.automatic
    /// Finite differences also where dual numbers are available.
    public var differences = true
    public var contracts = true
    /// Cotangents by output name; random with |v| in [1, 2] where none are given.
    public var cotangent: NamedTensors?
    /// Multiply-accumulates (or touched elements) that one method may spend on one operand before it is
    /// checked by projections instead.
    public var workLimit = 2_000_000_000
    /// Ends the check with an INCONCLUSIVE record when it is raised.
    public var stop: StopFlag?

    public init() {}
  }

  public var function: CheckedFunction
  public var options: Options

  public init(_ function: CheckedFunction, options: Options = Options()) {
    self.function = function
    self.options = options
  }

  /// A black box: everything has to be found out by calling it.
  ///
  /// - Parameters:
  ///   - name: what the report calls it.
  ///   - point: the operands, where the derivatives are taken.
  ///   - checked: the operands whose gradients `backward` returns; all, when left out.
  ///   - precision: the arithmetic of the backward pass: `.float32` for one that computes in `Float`.
  ///   - options: how derivatives are determined.
  ///   - forward: operands to outputs, by name.
  ///   - backward: operands and cotangents to gradients, by name: what is checked.
  public init(
    _ name: String = "closure", at point: NamedTensors, checking checked: [String]? = nil,
    precision: DType = .float64, options: Options = Options(),
    forward: @escaping CheckedFunction.Forward,
    backward: @escaping CheckedFunction.Backward
  ) {
    function = CheckedFunction(
      name: name, at: point, checking: checked, precision: precision, forward: forward, backward: backward)
    self.options = options
  }

  /// The same for a backward pass that writes into buffers: each is filled with a NaN of its own before every call, so that an
  /// element that is never written is named, and one that is added to what was there cannot pass.
  public init(
    _ name: String = "closure", at point: NamedTensors, checking checked: [String]? = nil,
    precision: DType = .float64, options: Options = Options(),
    forward: @escaping CheckedFunction.Forward,
    writing backward:
      @escaping @Sendable (
        _ operands: NamedTensors, _ upstream: NamedTensors, _ gradients: inout NamedTensors
      ) throws -> Void
  ) {
    let written = checked ?? Array(point.keys)
    self.init(name, at: point, checking: checked, precision: precision, options: options, forward: forward) {
      operands, upstream in
      var gradients: NamedTensors = [:]
      for name in written {
        guard let operand = operands[name] else { continue }
        gradients[name] = Tensor(shape: operand.shape, repeating: UnwrittenMark.float64)
      }
      try backward(operands, upstream, &gradients)
      return gradients
    }
  }

  /// - Throws: ``GradientCheckFailure`` with the whole report when the verdict is anything but PASS.
  public func requirePass() throws(GradientCheckFailure) {
    let record = run()
    if record.verdict != .pass { throw GradientCheckFailure(record: record) }
  }

  /// Never throws and never traps: what goes wrong is in the record.
  public func run() -> GradientRecord {
    let clock = ContinuousClock()
    let start = clock.now
    var record = GradientRecord(
      name: function.name, engine: "closure",
      dtype: function.implementation.precision.rawValue,
      seed: options.seed)
    do {
      try check(&record)
    } catch let error as GradientCheckError {
      record.verdict =
        switch error {
        case .unsupported: .unsupported
        case .stopped: .inconclusive
        default: .error
        }
      record.reason = error.description
    } catch {
      record.verdict = .error
      record.reason = GradientCheckError.evaluationFailed("\(error)").description
    }
    for tensor in record.tensors { record.verdict = .worse(record.verdict, tensor.verdict) }
    for contract in record.contracts { record.verdict = .worse(record.verdict, contract.verdict) }
    let elapsed = start.duration(to: clock.now).components
    record.seconds = Double(elapsed.seconds) + Double(elapsed.attoseconds) * 1e-18
    return record
  }

  private func check(_ record: inout GradientRecord) throws {
    if case .none(let reason) = function.subject.differentiableOperands {
      throw GradientCheckError.unsupported(reason)
    }
    let evaluator = try Evaluator(function, stop: options.stop)
    // A check that breaks off reports its cost, too.
    defer { record.cost = evaluator.cost }
    let session = try GradientSession(evaluator: evaluator, options: options)
    if options.contracts {
      record.contracts = try session.contracts.run()
      // Eight directions through forward and backward, six times.
      let second = session.affordable(evaluations: 6, weight: 50)
      if second,
        let secondOrder = try SecondOrder(evaluator: evaluator, cotangent: session.cotangent).run(
          seed: options.seed)
      {
        record.contracts.append(secondOrder)
      }
    }
    var calibration = GradientCalibration()
    record.tensors = try session.checkAll(&calibration)
    if let faults = try session.faults(&record.tensors) {
      record.contracts += faults.guilty
      record.reason = faults.reason
    }
    record.calibration = calibration.elements > 0 ? calibration : nil
  }
}

/// A gradient check that did not pass.
public struct GradientCheckFailure: Error, Sendable {
  public let record: GradientRecord
}

extension GradientCheckFailure: CustomStringConvertible {
  public var description: String { GradientReport(record).text }
}
