import Operations
import Problems
import Tensors
import Testing

@Suite("Limits of a case")
struct CaseLimitsTests {
  @Test("Counts saturate; nothing times anything is nothing")
  func saturation() {
    #expect(SaturatingCount.largest * 2 == .largest && SaturatingCount.largest + 1 == .largest)
    #expect(SaturatingCount.product(.max, 0, .max) == 0 && SaturatingCount.product(.max, .max) == .largest)
    #expect(SaturatingCount(-1) == 0)
  }

  @Test(
    "Sizes are read with their units",
    arguments: [
      ("1", 1), ("512MB", 512_000_000), ("2.5 GB", 2_500_000_000), ("4GiB", 1 << 32), ("250g", 250_000_000_000),
      ("5e11", 500_000_000_000), ("1_000", 1000),
    ])
  func sizes(text: String, value: Int) { #expect(CaseLimits.size(text) == value) }

  @Test(
    "What is no size is refused", arguments: ["", "0", "-1", "nan", "inf", "1e400", "9223372036854775808", "8 parsecs"])
  func notSizes(text: String) { #expect(CaseLimits.size(text) == nil) }

  @Test(
    "Problems beyond the limits are refused, by memory or by work",
    arguments: [
      ("relu shape100000000000", "--max-memory"), ("linear n1c1000000 k1000000", "--max-memory"),
      ("conv2d n1c512h128w128 k1024r7s7 stride1 pad3", "--max-work"),
    ])
  func refused(text: String, option: String) throws {
    let problem = try Problem.parse(text)
    let excess = try #require(CaseLimits.standard.excess(of: problem.cost))
    #expect(excess.advice.hasPrefix(option))
    #expect(throws: ProblemError.self) { try CaseLimits.standard.require(problem) }
  }

  @Test("Many small layers are as much work as a few large ones")
  func manyLayers() throws {
    func work(_ count: Int) throws -> SaturatingCount {
      try ResidualBlockProblem(inputShape: [1, 1, 2, 2], stages: [BlockStage](repeating: .relu, count: count)).cost.work
    }
    #expect(try work(1_000).value < CaseLimits.unlisted.maximumWork)
    #expect(try work(100_000).value > CaseLimits.unlisted.maximumWork)
  }

  @Test("Every named network fits in one forward pass, from a file that nobody vouches for, as to its work")
  func networks() throws {
    for architecture in ResNetArchitecture.named where architecture.stem == .imageNet {
      let plan = try architecture.plan(inputShape: [1, 3, 224, 224])
      #expect(plan.multiplyAccumulates < CaseLimits.unlisted.maximumWork)
    }
  }

  @Test("Whole numbers stored as floats are integers, others are not")
  func wholeNumbers() throws {
    let attributes = Attributes([
      "stride": .real(2), "padding": .reals([1, 0]), "groups": .real(1.5), "odd": .real(.infinity),
    ])
    #expect(try attributes.pair("stride", default: nil) == 2)
    #expect(try attributes.pair("padding", default: nil) == Pair(1, 0))
    #expect(throws: ProblemError.self) { try attributes.integer("groups", default: nil) }
    #expect(throws: ProblemError.self) { try attributes.integer("odd", default: nil) }
  }

  @Test("A misspelt operation has a near one; a name of its own has none")
  func nearMiss() {
    #expect(Problem.nearMiss(of: "identitx") == "identity" && Problem.nearMiss(of: "conv2") == "conv2d")
    #expect(Problem.nearMiss(of: "gelu") == nil && Problem.nearMiss(of: String(repeating: "x", count: 100_000)) == nil)
  }

  @Test("Names are bytes")
  func byteNames() {
    #expect("\u{E9}" == "e\u{301}")
    #expect(ByteName("\u{E9}") != ByteName("e\u{301}") && ByteName("a") < ByteName("b"))
  }
}
