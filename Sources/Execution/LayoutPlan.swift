import Convolution
import Problems
import Tensors

/// How each activation of a plan, or its gradient, is kept: its blocks as who writes it leaves them, its halo as wide as its
/// readers need it.
struct LayoutPlan {
  /// Blocks of channels as a convolution in so many groups has them.
  private var groups: [Int]
  private var halos: [BlockedLayout.Halo]
  private let activations: [Shape]
  private let vectorWidth: Int

  /// The halos that a step needs round what it reads.
  struct Needs {
    var input = BlockedLayout.Halo()
    /// Round its output: what is read on the way back.
    var output = BlockedLayout.Halo()
  }

  private let needs: [Needs]

  /// - Parameters:
  ///   - plan: whose activations they are.
  ///   - needs: of each of its steps.
  ///   - vectorWidth: channels of a block.
  /// - Throws: ``ExecutionError`` when a size overflows.
  init(_ plan: FusedPlan, _ needs: [Needs], vectorWidth: Int) throws(ExecutionError) {
    self.needs = needs
    activations = plan.activations
    self.vectorWidth = vectorWidth
    groups = Array(repeating: 1, count: plan.activations.count)
    halos = Array(repeating: BlockedLayout.Halo(), count: plan.activations.count)
    for step in plan.steps {
      if case .convolution(let convolution) = step.work { groups[step.output] = convolution.problem.groups }
    }
    // What is packed from NCHW comes as its first reader wants it.
    if let first = plan.steps.first(where: { $0.input == 0 }) { groups[0] = Self.groupsRead(by: first) }
    for (step, needs) in zip(plan.steps, needs) {
      halos[step.output] = halos[step.output].union(needs.output)
      guard try isRead(as: Self.groupsRead(by: step), step.input) else { continue }
      halos[step.input] = halos[step.input].union(needs.input)
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
  /// - Parameters:
  ///   - step: of the plan.
  ///   - number: the step's.
  func layoutRead(by step: FusedPlan.Step, _ number: Int) throws(ExecutionError) -> BlockedLayout {
    let wanted = Self.groupsRead(by: step)
    if try isRead(as: wanted, step.input) { return try layout(step.input) }
    return try layout(step.input, groups: wanted, needs[number].input)
  }

  /// A residual as a step adds it.
  func residualLayout(of step: FusedPlan.Step) throws(ExecutionError) -> BlockedLayout { try layout(step.output) }
}
