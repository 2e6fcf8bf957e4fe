import Convolution
import Problems
import Tensors

/// How each activation of a plan is kept: its blocks as who writes it leaves them, its halo as wide as its readers need it.
struct LayoutPlan {
  /// Blocks of channels as a convolution in so many groups has them.
  private var groups: [Int]
  private var halos: [BlockedLayout.Halo]
  private let activations: [Shape]
  private let vectorWidth: Int

  /// - Throws: ``ExecutionError`` when a size overflows.
  init(
    _ plan: FusedPlan, _ strategies: [any ConvolutionStrategy], vectorWidth: Int
  ) throws(ExecutionError) {
    activations = plan.activations
    self.vectorWidth = vectorWidth
    groups = Array(repeating: 1, count: plan.activations.count)
    halos = Array(repeating: BlockedLayout.Halo(), count: plan.activations.count)
    for step in plan.steps {
      if case .convolution(let convolution) = step.work { groups[step.output] = convolution.problem.groups }
    }
    // What is packed from NCHW comes as its first reader wants it.
    if let first = plan.steps.first(where: { $0.input == 0 }) { groups[0] = Self.groupsRead(by: first) }
    for (step, strategy) in zip(plan.steps, strategies) {
      guard case .convolution(let convolution) = step.work, try isRead(as: Self.groupsRead(by: step), step.input)
      else { continue }
      halos[step.input] = halos[step.input].union(strategy.requiredHalo(convolution.problem, .forward))
    }
    // A residual has the output's own layout; a chain of blocks has one for all.
    var changed = true
    while changed {
      changed = false
      for step in plan.steps {
        guard let residual = step.residual, try isRead(as: groups[step.output], residual) else { continue }
        let union = halos[residual].union(halos[step.output])
        changed = changed || halos[residual] != union || halos[step.output] != union
        halos[residual] = union
        halos[step.output] = union
      }
    }
  }

  /// The blocks in which a step reads its input.
  private static func groupsRead(by step: FusedPlan.Step) -> Int {
    guard case .convolution(let convolution) = step.work else { return 1 }
    return convolution.problem.groups
  }

  /// Whether an activation's blocks are those that a reader in so many groups expects.
  private func isRead(as readerGroups: Int, _ activation: Int) throws(ExecutionError) -> Bool {
    try layout(activation, groups: readerGroups, .init()) == layout(activation, groups: groups[activation], .init())
  }

  private func layout(
    _ activation: Int, groups: Int, _ halo: BlockedLayout.Halo
  ) throws(ExecutionError) -> BlockedLayout {
    let shape = activations[activation]
    return try translating { () throws(ConvolutionError) in
      try BlockedLayout(
        batch: shape[0], channels: shape[1], height: shape[2], width: shape[3], groups: groups,
        vectorWidth: vectorWidth, halo: halo)
    }
  }

  /// An activation as it is kept.
  func layout(_ activation: Int) throws(ExecutionError) -> BlockedLayout {
    try layout(activation, groups: groups[activation], halos[activation])
  }

  /// An activation as a step reads it: as it is kept, or in blocks of its own, to which it has to be converted.
  func layoutRead(
    by step: FusedPlan.Step, _ strategy: any ConvolutionStrategy
  ) throws(ExecutionError) -> BlockedLayout {
    let wanted = Self.groupsRead(by: step)
    if try isRead(as: wanted, step.input) { return try layout(step.input) }
    guard case .convolution(let convolution) = step.work else { return try layout(step.input, groups: wanted, .init()) }
    return try layout(step.input, groups: wanted, strategy.requiredHalo(convolution.problem, .forward))
  }

  /// A residual as a step adds it.
  func residualLayout(of step: FusedPlan.Step) throws(ExecutionError) -> BlockedLayout { try layout(step.output) }
}
