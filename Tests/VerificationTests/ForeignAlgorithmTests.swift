import Engines
import Operations
import Problems
import Results
import Tensors
import Testing
import Verification

/// Engines that use Winograd's algorithm with points of their own: held to the bound of these, where they say so, and to no
/// wider one than that.
@Suite struct ForeignAlgorithmTests {
  private static let ncnn6 = try? WinogradTile(outputTile: 6, preset: .ncnn)
  private static let textbook4 = try? WinogradTile(outputTile: 4, preset: .textbook)

  private func verdict(_ engine: some Engine, _ text: String, seed: UInt64 = 7) throws -> CaseResult {
    CaseVerifier(try VerificationCase.random(text, seed: seed))
      .verify(engine, dtype: .float32, threads: [1], repeating: false)
  }

  /// ncnn's case: F(6×6) in groups of 16 channels.
  @Test func `ncnn's points on groups of 16 pass where they are declared, and fail where they are not`() throws {
    let tile = try #require(Self.ncnn6)
    let problem = "conv2d n1c64h20w19 k64r3s3 stride1 pad1 groups4"
    let declared = try verdict(WinogradEngine(tile, declared: tile), problem)
    #expect(declared.status == .pass, "\(declared.message)")
    let tensor = try #require(declared.tensors.first)
    #expect(tensor.widening == "winograd 6x3 (ncnn)")
    #expect(tensor.worstRatio > 0.02 && tensor.worstRatio < 0.7, "\(tensor.worstRatio)")
    let undeclared = try verdict(WinogradEngine(tile, declared: nil), problem)
    #expect(undeclared.status == .fail && undeclared.tensors.first?.widening == nil)
    print(
      "ncnn's F(6×6), groups of 16: \(tensor.worstRatio) of its bound, \(undeclared.tensors[0].worstRatio) of direct")
  }

  @Test(arguments: [16, 64]) func `textbook points pass where they are declared, and fail where they are not`(
    channels: Int
  ) throws {
    let tile = try #require(Self.textbook4)
    let problem = "conv2d n1c\(channels)h17w22 k16r3s3 stride1 pad1 bias"
    let declared = try verdict(WinogradEngine(tile, declared: tile), problem)
    #expect(declared.status == .pass, "\(declared.message)")
    let undeclared = try verdict(WinogradEngine(tile, declared: nil), problem)
    #expect(undeclared.status == .fail)
    print(
      "textbook F(4×4), \(channels) channels: \(declared.tensors[0].worstRatio) of its bound, "
        + "\(undeclared.tensors[0].worstRatio) of direct, \(undeclared.tensors[0].failing) elements beyond")
  }

  /// The declaration is no place to hide half of the digits in, up to the longest sums of residual networks.
  @Test(arguments: [16, 64, 512]) func `textbook points do not cover operands rounded to TF32`(channels: Int) throws {
    let tile = try #require(Self.textbook4)
    var engine = WinogradEngine(tile, declared: tile)
    engine.narrowing = { $0.tf32 }
    let found = try verdict(engine, "conv2d n1c\(channels)h14w14 k8r3s3 stride1 pad1")
    #expect(found.status == .fail)
    let tensor = try #require(found.tensors.first)
    #expect(tensor.failing > tensor.compared / 100, "\(tensor.failing) of \(tensor.compared)")
    print(
      "TF32 under textbook F(4×4), \(channels) channels: \(tensor.worstRatio), "
        + "\(tensor.failing) of \(tensor.compared)")
  }

  @Test func `the grid of tiles may begin anywhere`() throws {
    let tile = try #require(Self.textbook4)
    for shift in 0..<4 {
      var engine = WinogradEngine(tile, declared: tile)
      engine.shift = shift
      let found = try verdict(engine, "conv2d n2c16h9w14 k8r3s3 stride1 pad1", seed: 11)
      #expect(found.status == .pass, "shift \(shift): \(found.message)")
    }
  }

  @Test(arguments: [
    ("conv2d n1c24h13w16 k8r5s5 stride1 pad2", 2, 5, [0, 1, -1, 2, -2]),
    ("conv2d n1c24h13w16 k8r3s3 stride1 pad0", 4, 3, [0, 0.75, -0.75, 1.3, -1.3]),
    ("conv2d n1c24h13w16 k8r2s2 stride1 pad1", 3, 2, [0, 1, -0.5]),
  ])
  func `other kernels and points`(text: String, outputs: Int, taps: Int, points: [Double]) throws {
    let tile = try WinogradTile(outputTile: outputs, kernelSize: taps, points: points)
    let found = try verdict(WinogradEngine(tile, declared: tile), text)
    #expect(found.status == .pass && found.tensors.first?.widening == "winograd \(tile)", "\(found.message)")
    var rounding = WinogradEngine(tile, declared: tile)
    rounding.narrowing = { $0.tf32 }
    #expect(try verdict(rounding, text).status == .fail)
  }

  /// No image: no tile, and a weight gradient of zeros.
  @Test func `a batch of none`() throws {
    let tile = try #require(Self.ncnn6)
    var engine = WrongEngine()
    engine.description.algorithms = ["conv2d": OperationAlgorithm([.winograd(tile)])]
    let found = try verdict(engine, "conv2d n0c3h9w9 k4r3s3 stride1 pad1")
    #expect(found.status == .pass && found.tensors.contains { $0.path == "gradients/weight" }, "\(found.message)")
  }

  @Test func `where Winograd does not apply the definition's bound holds, and no widening is named`() throws {
    let tile = try #require(Self.textbook4)
    var engine = WrongEngine()
    engine.description.algorithms = ["conv2d": OperationAlgorithm([.terms, .winograd(tile)])]
    let found = try verdict(engine, "conv2d n1c8h9w9 k4r3s3 stride2 pad1")
    #expect(found.status == .pass && found.tensors.allSatisfy { $0.widening == nil })
    let bounds = try verdict(WrongEngine(), "conv2d n1c8h9w9 k4r3s3 stride2 pad1")
    #expect(found.tensors.map(\.worst) == bounds.tensors.map(\.worst))
  }

  /// Constants that are no floats, as 1/6, add to the bound, and so do the places that an output can have in a tile: of ours
  /// both are known.
  @Test func `the same points by somebody else have a wider bound than ours`() throws {
    let ours = try WinogradTile(outputTile: 4, preset: .assay)
    let theirs = try WinogradTile(outputTile: 4, kernelSize: 3, points: ours.points)
    let text = "conv2d n1c16h4w4 k4r3s3 stride1 pad1"
    func largest(_ tile: WinogradTile) throws -> Double {
      let request = BoundFigures.Request(try Problem.parse(text), algorithms: [.winograd(tile)])
      return try BoundFigures(request).tensors[0].bound.median
    }
    let (narrow, wide) = (try largest(ours), try largest(theirs))
    #expect(narrow < wide && wide < 3 * narrow, "\(narrow) \(wide)")
  }
}
