import Tensors
import Testing

@Suite struct SplitMix64Tests {
  /// The bit patterns that the golden format's page publishes.
  @Test(arguments: [
    (UInt64(42), -1.0, 1.0, [0x3ef7_5cc8, 0xbf2e_203a, 0xbee2_b664, 0x3ec1_4f14] as [UInt32]),
    (7, -0.1, 0.3, [0x3d65_18d3, 0xbdbf_0c0d, 0x3e85_469a, 0x3e1d_711e]),
  ])
  func publishedVectors(seed: UInt64, low: Double, high: Double, bits: [UInt32]) {
    let elements = [0, 1, 2, 1_000_000]
    let found = elements.map { SplitMix64.uniform(seed: seed, element: $0, low: low, high: high).bitPattern }
    #expect(found == bits)
  }

  /// Vigna's splitmix64.c, seed 1234567.
  @Test func generatorMatchesPublishedSequence() {
    var generator = SplitMix64(seed: 1_234_567)
    #expect(generator.next() == 6_457_827_717_110_365_317)
    #expect(generator.next() == 3_203_168_211_198_807_973)
  }
}
