import Problems
import Tensors

extension Bottleneck {
  public static let perturbations: Applicable<[Perturbation]> = .some(BlockDefects.perturbations)
  static let control = defects.control

  public static let mutants: Applicable<[Mutant]> = .some(
    defects.all + [
      defects.composed("stride on the first convolution of the bottleneck") { (block, x) throws(EngineError) in
        try block.relu(block.sum(defects.branch(block, x, 1), block.shortcut(x, stride: block.stride)))
      }
    ])

  private static let defects = BlockDefects(operation: name, strided: 2) { (block, x, strided) throws(EngineError) in
    func stride(_ conv: Int) -> Int { conv == strided ? block.stride : 1 }
    let attributes = block.exercise.attributes
    let dilation = (try? attributes.integer("dilation", default: 1)) ?? 1
    let groups = (try? attributes.integer("groups", default: 1)) ?? 1
    let first = try block.relu(block.norm("bn1", block.conv("conv1", x, stride: stride(1), padding: 0)))
    let second = try block.conv(
      "conv2", first, stride: stride(2), padding: dilation,
      ["dilation": .integer(dilation), "groups": .integer(groups)])
    let third = try block.relu(block.norm("bn2", second))
    return try block.norm("bn3", block.conv("conv3", third, stride: stride(3), padding: 0))
  }
}
