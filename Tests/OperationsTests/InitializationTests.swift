import Foundation
import Problems
import Operations
import Tensors
import Testing

/// Generators differ, so initial values are held against their distributions. Seeds are fixed: a correct generator fails
/// a limit below with probability under 10⁻⁶, once and for all.
@Suite struct InitializationTests {
  @Test func convolutionsAreKaimingNormalOverTheFanOut() throws {
    let plan = try ResNetArchitecture.resnet18.plan(inputShape: [1, 3, 64, 64])
    let state = Initialization(seed: 1).state(of: plan, as: Double.self)
    for name in ["conv1.weight", "layer2.0.conv1.weight", "layer4.1.conv2.weight"] {
      let values = try #require(state.parameters[name])
      let fanOut = Double(values.shape[0] * values.shape[2] * values.shape[3])
      let deviation = (2 / fanOut).squareRoot()
      let count = Double(values.count)
      let mean = values.elements.reduce(0, +) / count
      let variance = values.elements.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / (count - 1)
      // The mean of n normals has deviation σ/√n, their variance σ²√(2/n).
      #expect(abs(mean) < 5 * deviation / count.squareRoot(), "\(name)")
      #expect(abs(variance / (deviation * deviation) - 1) < 5 * (2 / count).squareRoot(), "\(name)")
      #expect(kolmogorov(values.elements) { 0.5 * erfc(-$0 / (deviation * 2.0.squareRoot())) } < critical(values.count))
    }
  }

  @Test func linearIsUniformByTheFanIn() throws {
    let plan = try ResNetArchitecture.resnet50.plan(inputShape: [1, 3, 64, 64])
    let state = Initialization(seed: 2).state(of: plan, as: Double.self)
    let bound = 1 / 2048.0.squareRoot()
    for name in ["fc.weight", "fc.bias"] {
      let values = try #require(state.parameters[name]).elements
      #expect(values.allSatisfy { abs($0) <= bound })
      #expect(kolmogorov(values) { ($0 + bound) / (2 * bound) } < critical(values.count))
    }
  }

  @Test func batchNormsAndSeeds() throws {
    let plan = try ResNetArchitecture.cifar(depth: 20).plan(inputShape: [1, 3, 32, 32])
    let state = Initialization(seed: 3, zeroInitResidual: true).state(of: plan, as: Float.self)
    #expect(state.parameters["layer1.0.bn2.weight"]?.elements.allSatisfy { $0 == 0 } == true)
    #expect(state.parameters["layer1.0.bn1.weight"]?.elements.allSatisfy { $0 == 1 } == true)
    #expect(state.buffers["bn1"]?.runningVariance.elements.allSatisfy { $0 == 1 } == true)
    #expect(state.buffers["bn1"]?.batchesTracked == 0)
    #expect(Set(state.stateDict(AnyTensor.float32).keys) == Set(plan.stateNames.map(\.name)))
    let again = Initialization(seed: 3).state(of: plan, as: Float.self)
    let other = Initialization(seed: 4).state(of: plan, as: Float.self)
    #expect(state.parameters["conv1.weight"] == again.parameters["conv1.weight"])
    #expect(state.parameters["conv1.weight"] != other.parameters["conv1.weight"])
  }

  /// The largest distance between the values' distribution and the one expected.
  private func kolmogorov(_ values: [Double], _ distribution: (Double) -> Double) -> Double {
    let count = Double(values.count)
    return values.sorted().enumerated().reduce(0) { worst, entry in
      let expected = distribution(entry.element)
      return max(worst, expected - Double(entry.offset) / count, Double(entry.offset + 1) / count - expected)
    }
  }

  /// Exceeded with probability 10⁻⁶ (Smirnov's asymptotic law): √(ln(2/α)/(2n)).
  private func critical(_ count: Int) -> Double { (log(2 / 1e-6) / (2 * Double(count))).squareRoot() }
}
