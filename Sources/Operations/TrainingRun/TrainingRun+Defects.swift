import Problems

extension TrainingRun {
  public static let perturbations: Applicable<[Perturbation]> =
    .none(because: "the corpora of its networks, losses and optimisers must notice theirs")
  public static let mutants: Applicable<[Mutant]> =
    .none(because: "the mistakes of its parts are made in networks, losses and optimisers")
}
