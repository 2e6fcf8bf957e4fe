import Problems

extension ResidualBlock {
  public static let perturbations: Applicable<[Perturbation]> = .some(BlockDefects.perturbations)
  public static let mutants: Applicable<[Mutant]> =
    .none(because: "its stages are free, and the mistakes of composition are made in the fixed blocks")
}
