import Problems
import Tensors

extension BasicBlock {
  public static let perturbations: Applicable<[Perturbation]> = .some(BlockDefects.perturbations)
  public static let mutants: Applicable<[Mutant]> = .some(defects.all)
  static let control = defects.control

  private static let defects = BlockDefects(operation: name, strided: 1) { (block, x, strided) throws(EngineError) in
    func stride(_ conv: Int) -> Int { conv == strided ? block.stride : 1 }
    let first = try block.relu(block.norm("bn1", block.conv("conv1", x, stride: stride(1), padding: 1)))
    return try block.norm("bn2", block.conv("conv2", first, stride: stride(2), padding: 1))
  }
}
