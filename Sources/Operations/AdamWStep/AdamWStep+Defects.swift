import Problems

extension AdamWStep {
  public static let perturbations: Applicable<[Perturbation]> = .some(OptimizerDefects.perturbations)

  public static let mutants: Applicable<[Mutant]> = .some(
    defects.adaptive + [defects.mistaken("decay coupled where it is decoupled", for: AdamStep.name, weightDecay: 0.01)])

  private static let defects = OptimizerDefects(operation: name)
}
