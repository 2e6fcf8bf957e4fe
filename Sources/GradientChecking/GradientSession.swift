import Problems
import Results
import Tensors

/// One check in progress: the cotangent, the analytic gradients under it, and each operand's verdicts.
struct GradientSession: Sendable {
  let evaluator: Evaluator
  let options: GradientCheck.Options
  /// Random with |v| in [1, 2], float32 values: a cotangent of ones hides whatever cancels in a sum.
  let cotangent: [Double]
  let gradients: NamedTensors
  let rounding: AnalyticRounding
  let range: NormalRange.Distance

  init(evaluator: Evaluator, options: GradientCheck.Options) throws {
    self.evaluator = evaluator
    self.options = options
    let function = evaluator.function
    if let given = options.cotangent {
      cotangent = try evaluator.layout.flatten(given)
    } else {
      var random = SplitMix64(seed: SplitMix64.mix(options.seed))
      cotangent = evaluator.base.map { _ in
        let size = Double(Float(1 + random.nextUniform()))
        return random.next() & 1 == 0 ? size : -size
      }
    }
    gradients = try evaluator.backward(evaluator.function.point, cotangent)
    range = NormalRange(unitRoundoff: function.implementation.unitRoundoff).distance(
      operands: function.point, cotangent: cotangent, results: [evaluator.base] + gradients.values.map(\.elements))
    let isExact = Self.exactOperands(of: function, options).isSuperset(of: function.checked)
    // Integers say nothing of values near the ends of the range: these are looked at where they are, and round.
    rounding =
      isExact && range.isCalm
      ? .none
      : try AnalyticRounding(evaluator: evaluator, cotangent: cotangent, gradients: gradients)
  }

  /// Those that are checked on integers.
  private static func exactOperands(of function: CheckedFunction, _ options: GradientCheck.Options) -> Set<String> {
    options.method == .automatic || options.method == .adjoint ? function.exactOperands : []
  }

  var contracts: GradientContracts {
    GradientContracts(
      evaluator: evaluator, cotangent: cotangent, gradients: gradients, rounding: rounding, range: range)
  }

  private var function: CheckedFunction { evaluator.function }
  /// Whether dual numbers go through it.
  private var isGeneric: Bool { function.subject.generic != nil }

  func checkAll(_ calibration: inout GradientCalibration) throws -> [GradientTensorRecord] {
    var records: [GradientTensorRecord] = []
    var projected: [String] = []
    var projectedDifferences: [String] = []
    // Measured once, when the first operand needs it.
    var noise: ForwardNoise?
    var closeRounding: AnalyticRounding?
    let exactOperands = Self.exactOperands(of: function, options)
    let exact = function.checked.filter(exactOperands.contains)
    if !exact.isEmpty { records += try checkLinear(exact) }
    if !range.isCalm { records += try exact.compactMap { try checkWhereItStands($0, &closeRounding) } }
    for operand in function.checked where !exact.contains(operand) {
      let footprint = footprint(of: operand)
      if let samples = function.samples(of: operand) {
        if function.subject.network == nil || affordable(samples: samples.count) {
          records.append(try judge(operand, samples, footprint, &closeRounding))
        } else {
          projected.append(operand)
        }
        continue
      }
      var dual: NumericGradient?
      if isGeneric {
        if affordable(duals: footprint) {
          let sweep = DualSweep(
            evaluator: evaluator, operand: operand, footprint: footprint, cotangent: cotangent,
            threads: options.threads
          )
          dual = try sweep.all()
          if let dual { records.append(try judge(sweep, dual, &closeRounding)) }
        } else {
          projected.append(operand)
        }
      }
      guard options.differences && options.method != .dual || !isGeneric else { continue }
      guard
        affordable(evaluations: footprint.colourCount * 2 * DifferenceSweep.firstLevels, weight: 1)
      else {
        projectedDifferences.append(operand)
        continue
      }
      let known =
        try noise
        ?? ForwardNoise(evaluator: evaluator, seed: options.seed, threads: options.threads)
      noise = known
      let sweep = DifferenceSweep(
        evaluator: evaluator, operand: operand, footprint: footprint, cotangent: cotangent,
        noise: known,
        threads: options.threads)
      records.append(try checkDifferences(sweep, dual: dual, &calibration))
    }
    if !projected.isEmpty {
      // Where layers can be looked at on their own, they say first which tensors are worth a search.
      records += try projection(noise: nil).run(
        projected, seed: options.seed, searching: function.layerwise == nil)
    }
    // Where duals are available, whole tensors too large for single differences are left to them: black-box differences
    // of a net cross kinks at any step that rounding allows.
    if !projectedDifferences.isEmpty, !isGeneric {
      let known =
        try noise
        ?? ForwardNoise(evaluator: evaluator, seed: options.seed, threads: options.threads)
      records += try projection(noise: known).run(projectedDifferences, seed: options.seed)
    }
    return records
  }

  /// By dual numbers at the point itself, an operand whose gradient was found right on integers.
  private func checkWhereItStands(
    _ operand: String, _ closeRounding: inout AnalyticRounding?
  ) throws -> GradientTensorRecord? {
    let footprint = footprint(of: operand)
    guard affordable(duals: footprint) else { return nil }
    let sweep = DualSweep(
      evaluator: evaluator, operand: operand, footprint: footprint, cotangent: cotangent, threads: options.threads)
    return try sweep.all().map { try judge(sweep, $0, &closeRounding) }
  }

  /// Layers of a network that are wrong on their own, and a sentence that says so; and the elements at fault in what they give.
  func faults(
    _ records: inout [GradientTensorRecord]
  ) throws -> (guilty: [GradientContractRecord], reason: String)? {
    let failing = records.indices.filter { records[$0].verdict == .fail }
    guard let layerwise = function.layerwise, !failing.isEmpty else { return nil }
    let findings = try layerwise.run(
      at: function.point, upstream: evaluator.layout.unflatten(cotangent), options: options)
    let guilty = findings.guilty
    let names = guilty.map { $0.name.dropFirst("layer ".count) + "." }
    let suspects =
      guilty.isEmpty
      ? Array(failing.suffix(Self.searchLimit))
      : failing.filter { index in names.contains { records[index].tensor.hasPrefix($0) } }
    for index in suspects where records[index].method == .dualProjection {
      let position = function.checked.firstIndex(of: records[index].tensor) ?? 0
      records[index] =
        try projection(noise: nil).run([records[index].tensor], seed: options.seed &+ UInt64(position)).first
        ?? records[index]
    }
    return (guilty, reason(findings, failing.map { records[$0].tensor }))
  }

  private func reason(_ findings: LayerwiseCheck.Findings, _ failing: [String]) -> String {
    guard findings.guilty.isEmpty else {
      return "at fault: " + findings.guilty.map(\.name).joined(separator: ", ")
    }
    guard !findings.unasked.isEmpty else {
      return "every layer is right on its own: the fault is in how they are put together"
    }
    // A gradient is spoilt by every layer behind its own.
    let last = function.checked.last(where: failing.contains) ?? failing.last ?? ""
    return
      "no layer that the engine does on its own is wrong, and \(findings.unasked.sorted().joined(separator: ", ")) it "
      + "does not: the last wrong gradient is that of \(last), so the fault is there or in a layer after it"
  }

  /// Tensors that are searched where no layer is wrong on its own.
  private static let searchLimit = 4

  private func projection(noise: ForwardNoise?) -> Projection {
    Projection(
      evaluator: evaluator, cotangent: cotangent, gradients: gradients, rounding: rounding,
      threads: options.threads,
      noise: noise)
  }

  private func footprint(of operand: String) -> Footprint {
    function.subject.footprints[operand]
      ?? .dense(elements: function.point[operand]?.count ?? 0, outputs: evaluator.layout.count)
  }

  /// Whether so many evaluations stay below the limit of work.
  func affordable(evaluations: Int, weight: Int) -> Bool {
    if options.exhaustive { return true }
    let touched = function.point.values.reduce(evaluator.layout.count) { $0 + $1.count }
    let (product, overflow) = max(function.subject.work, touched).multipliedReportingOverflow(
      by: evaluations * weight)
    return !overflow && product <= options.workLimit
  }

  private func affordable(duals footprint: Footprint) -> Bool { affordable(samples: footprint.colourCount) }

  /// - Parameter samples: lanes of dual numbers.
  private func affordable(samples: Int) -> Bool {
    let lanes = Dual<Double>.directionCount
    return affordable(evaluations: (samples + lanes - 1) / lanes * (1 + DualSweep.displacements), weight: 12)
  }

  /// The elements whose gradients are known, by dual numbers.
  private func judge(
    _ operand: String, _ samples: [Int], _ footprint: Footprint, _ closeRounding: inout AnalyticRounding?
  ) throws -> GradientTensorRecord {
    let sweep = DualSweep(
      evaluator: evaluator, operand: operand, footprint: footprint, cotangent: cotangent, threads: options.threads)
    guard function.subject.slices != nil || affordable(samples: samples.count), let numeric = try sweep.some(samples)
    else { throw GradientCheckError.unsupported("too large for single samples without --exhaustive") }
    var record = try judge(sweep, numeric, &closeRounding)
    record.elementCount = samples.count
    return record
  }

  /// Elements that are measured once more at a time: one that fails again is enough.
  private static let elementsAtOnce = 64

  /// What fails must fail again with rounding that was measured more closely, in the dual numbers and in the backward pass.
  /// - Parameter closeRounding: of the backward pass, once it is known.
  private func judge(
    _ sweep: DualSweep, _ numeric: NumericGradient, _ closeRounding: inout AnalyticRounding?
  ) throws -> GradientTensorRecord {
    var (judge, numeric) = (judge(sweep.operand, .dual), numeric)
    var failing = judge.failing(numeric)
    guard !failing.isEmpty else { return judge.judge(numeric) }
    if !rounding.isDerived {
      closeRounding =
        try closeRounding
        ?? AnalyticRounding(
          evaluator: evaluator, cotangent: cotangent, gradients: gradients,
          displacements: DualSweep.closeDisplacements)
      judge.rounding = closeRounding
    }
    var sweep = sweep
    sweep.displacements = DualSweep.closeDisplacements
    while !failing.isEmpty {
      let some = Array(failing.prefix(Self.elementsAtOnce))
      failing.removeFirst(some.count)
      guard let again = try sweep.some(some) else { break }
      for element in some { numeric.elements[element] = again.elements[element] ?? numeric.elements[element] }
      if some.contains(where: { judge.fails($0, numeric) }) { break }
    }
    return judge.judge(numeric)
  }

  private func judge(
    _ operand: String, _ method: GradientMethod, convention: NumericGradient? = nil
  ) -> GradientJudge {
    let gradient = gradients[operand]
    return GradientJudge(
      operand: operand, shape: gradient?.shape ?? Shape(), method: method,
      analytic: gradient?.elements ?? [],
      rounding: rounding, convention: convention)
  }

  // MARK: Differences

  /// A coarser bound is worth a second ladder: mostly a kink that is near.
  private static let wantedResolution = 1e-8

  private func checkDifferences(
    _ sweep: DifferenceSweep, dual: NumericGradient?, _ calibration: inout GradientCalibration
  ) throws -> GradientTensorRecord {
    let judge = judge(sweep.operand, .differences, convention: dual)
    var numeric = try sweep.all()
    let doubtful = numeric.elements.indices.filter { element in
      guard let derivative = numeric.elements[element] else { return false }
      guard case .smooth = derivative.kind,
        derivative.bound <= Self.wantedResolution * derivative.scale
      else {
        return true
      }
      return judge.verdict(element, derivative, typicalScale: 0).verdict != .pass
    }
    if !doubtful.isEmpty {
      let second = try sweep.again(doubtful)
      replace(doubtful, of: &numeric, by: second, judge)
      // The operand's own scale need not be the function's: logits of 1e-40 are as good as 0.
      let scale = StepLadder.scale(of: function.point[sweep.operand]?.elements ?? [])
      let open = doubtful.filter { element in
        numeric.elements[element].map {
          judge.verdict(element, $0, typicalScale: 0).verdict == .inconclusive
        } ?? false
      }
      if !open.isEmpty, scale < 0x1p-10 || scale > 0x1p10 {
        replace(open, of: &numeric, by: try sweep.again(open, scale: 1), judge)
      }
    }
    if let dual { calibrate(numeric, dual, &calibration) }
    return judge.judge(numeric)
  }

  /// What the first ladder could not tell, the second decides; what failed must fail there too.
  private func replace(
    _ elements: [Int], of numeric: inout NumericGradient, by second: NumericGradient,
    _ judge: GradientJudge
  ) {
    for element in elements {
      guard let derivative = second.elements[element] else { continue }
      let first = numeric.elements[element]
      if case .smooth? = first?.kind, let first, first.bound < derivative.bound,
        judge.verdict(element, first, typicalScale: 0).verdict == .pass
      {
        continue
      }
      numeric.elements[element] = derivative
    }
    numeric.localityViolation = numeric.localityViolation ?? second.localityViolation
  }

  private func calibrate(
    _ numeric: NumericGradient, _ dual: NumericGradient, _ calibration: inout GradientCalibration
  ) {
    for (difference, exact) in zip(numeric.elements, dual.elements) {
      guard let difference, let exact, case .smooth = difference.kind, case .smooth = exact.kind
      else { continue }
      calibration.elements += 1
      let error = abs(difference.value - exact.value)
      let bound = difference.bound + exact.bound
      if error > bound { calibration.exceeded += 1 }
      if error > 0 { calibration.worstRatio = max(calibration.worstRatio, error / bound) }
    }
  }

  // MARK: Linear maps

  /// The adjoint test of every operand that the function is linear in; and every column, where that is affordable.
  private func checkLinear(_ operands: [String]) throws -> [GradientTensorRecord] {
    let footprints = Dictionary(uniqueKeysWithValues: operands.map { ($0, footprint(of: $0)) })
    let test = AdjointTest(evaluator: evaluator, footprints: footprints, threads: options.threads)
    let outcomes = try test.run(seed: SplitMix64.mix(options.seed ^ 0xAD))
    return try operands.compactMap { operand in try outcomes[operand].map(judge) }
  }

  private func judge(_ outcome: AdjointTest.Outcome) throws -> GradientTensorRecord {
    let map = outcome.map
    let shape = function.point[map.operand]?.shape ?? Shape()
    var record = GradientTensorRecord(
      tensor: map.operand, shape: shape.dimensions, method: .adjoint, elementCount: shape.count)
    if let nonFinite = outcome.nonFinite {
      record.verdict = .fail
      record.reason = "the gradient of integers is not finite: \(nonFinite)"
      return record
    }
    let classes = map.footprint.elements(count: shape.count).filter { !$0.isEmpty }
    let wantsColumns = options.method != .adjoint || options.exhaustive
    if wantsColumns, affordable(evaluations: map.footprint.colourCount, weight: 1) {
      record = exactJudge(map, .columns).judge(try map.allColumns(of: classes))
    } else if outcome.mismatch != 0 {
      let guilty = try map.guiltyClasses(classes, limit: AdjointTest.colourLimit)
      record = exactJudge(map, .adjoint).judge(try map.allColumns(of: guilty.map { classes[$0] }))
      if guilty.count == AdjointTest.colourLimit {
        record.pattern = "at least " + (record.pattern ?? "\(record.failedCount) elements")
      }
    }
    if outcome.mismatch != 0 {
      record.verdict = .fail
      let found = "vᵀ(Ju) − (Jᵀv)ᵀu = \(outcome.mismatch), which is exact and must be 0"
      record.reason = record.reason.map { "\($0); \(found)" } ?? found
    }
    return record
  }

  private func exactJudge(_ map: LinearMap, _ method: GradientMethod) -> GradientJudge {
    GradientJudge(
      operand: map.operand, shape: map.point.operands[map.operand]?.shape ?? Shape(),
      method: method,
      analytic: map.analytic, rounding: nil)
  }
}
