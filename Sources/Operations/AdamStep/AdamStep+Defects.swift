import Problems

extension AdamStep {
  public static let perturbations: Applicable<[Perturbation]> = .some(OptimizerDefects.perturbations)

  public static let mutants: Applicable<[Mutant]> = .some(
    defects.adaptive + [defects.mistaken("decay decoupled where it is coupled", for: AdamWStep.name, weightDecay: 0)])

  private static let defects = OptimizerDefects(operation: name)
}
