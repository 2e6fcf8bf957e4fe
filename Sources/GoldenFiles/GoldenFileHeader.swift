import Problems
import Tensors

/// The attributes of a golden file's root.
public struct GoldenFileHeader: Sendable, Hashable {
  public var generator: String
  public var generatorScript: String
  public var generatorSHA256: String
  /// The precision in which the expected values were computed: its rounding enters the bound.
  public var oracleDType: DType
  public var seed: UInt64?
  public var created: String?
  public var text: String?
  public var license: String?

  public init(
    generator: String = "", generatorScript: String = "", generatorSHA256: String = "", oracleDType: DType = .float64,
    seed: UInt64? = nil, created: String? = nil, text: String? = nil, license: String? = nil
  ) {
    self.generator = generator
    self.generatorScript = generatorScript
    self.generatorSHA256 = generatorSHA256
    self.oracleDType = oracleDType
    self.seed = seed
    self.created = created
    self.text = text
    self.license = license
  }
}
