import Problems
import Testing

@Suite struct ResNetArchitectureTests {
  /// torchvision's own counts; the last four from the papers' networks as built by the golden generator.
  @Test(arguments: [
    ("resnet18", 11_689_512), ("resnet34", 21_797_672), ("resnet50", 25_557_032), ("resnet101", 44_549_160),
    ("resnet152", 60_192_808), ("resnext50_32x4d", 25_028_904), ("resnext101_32x8d", 88_791_336),
    ("wide_resnet50_2", 68_883_240), ("wide_resnet101_2", 126_886_696), ("simple_resnet", 11_173_962),
    ("cifar_resnet20", 272_474), ("cifar_resnet1202", 19_424_026),
  ])
  func parameterCount(name: String, count: Int) throws {
    let architecture = try ResNetArchitecture(named: name)
    let size = architecture.stem == .imageNet ? 224 : 32
    let plan = try architecture.plan(inputShape: [1, 3, size, size])
    #expect(plan.parameterCount == count)
    #expect(architecture.depth == Int(name.drop { !$0.isNumber }.prefix { $0.isNumber }) ?? 18)
    #expect(Set(plan.layers.map(\.name)).count == plan.layers.count)
  }

  @Test func multiplyAccumulates() throws {
    // The usual 4.09 GMAC of ResNet-50 at 224×224.
    let plan = try ResNetArchitecture.resnet50.plan(inputShape: [1, 3, 224, 224])
    #expect(plan.multiplyAccumulates == 4_089_184_256)
  }

  @Test func distinctConvolutionsAddUp() throws {
    let all = try ResNetArchitecture.resnet50.convolutions(batch: 8, imageSize: 224)
    let distinct = try ResNetArchitecture.resnet50.distinctConvolutions(batch: 8, imageSize: 224)
    #expect(all.count == 53)
    #expect(distinct.reduce(0) { $0 + $1.multiplicity } == 53)
    #expect(Set(distinct.map(\.problem)).count == distinct.count)
    #expect(all.first?.stage == "stem" && all.last?.stage == "layer4")
  }

  @Test func stateDictStartsAndEndsAsTorchvisions() throws {
    let names = try ResNetArchitecture.resnet18.plan(inputShape: [1, 3, 64, 64]).stateNames.map(\.name)
    #expect(names.count == 122)
    #expect(
      names.prefix(7) == [
        "conv1.weight", "bn1.weight", "bn1.bias", "bn1.running_mean", "bn1.running_var", "bn1.num_batches_tracked",
        "layer1.0.conv1.weight",
      ])
    #expect(names.suffix(2) == ["fc.weight", "fc.bias"])
  }

  @Test func refusesWhatDoesNotFit() throws {
    #expect(throws: ProblemError.self) { try ResNetArchitecture(named: "resnet19") }
    #expect(throws: ProblemError.self) { try ResNetArchitecture.cifar(depth: 21) }
    #expect(throws: ProblemError.self) { try ResNetArchitecture.simpleResnet.plan(inputShape: [1, 3, 64, 64]) }
    #expect(throws: ProblemError.self) { try ResNetArchitecture.resnet18.plan(inputShape: [1, 1, 64, 64]) }
    // One value a channel in the last stage has no variance.
    #expect(throws: ProblemError.self) {
      try ResNetArchitecture.resnet18.plan(inputShape: [1, 3, 32, 32], training: true)
    }
  }
}
