import Problems

extension Flatten {
  public static let perturbations: Applicable<[Perturbation]> = .some([
    .operand("shifted input") { Perturbation.rolled($0) }
  ])

  public static let mutants: Applicable<[Mutant]> =
    .none(because: "a copy has no arithmetic to get wrong: a shifted one is noticed by the corpus")
}
