import Engines
import GradientChecking
import Operations
import Problems
import Results
import Tensors
import Testing

/// A network's gradients by directions of whole tensors, and the layer at fault by its name.
@Suite struct NetworkTests {
  private let network = GradientCase("resnet n2c3h32w32 archcifar_resnet8 classes10")
  private let training = GradientCase("resnet n2c3h32w32 archcifar_resnet8 classes10 training")

  private func record(_ gradientCase: GradientCase, spoilt: String? = nil) throws -> GradientRecord {
    try gradientCase.check(options: .init(), spoilt: spoilt).run()
  }

  @Test func aCorrectNetworkPasses() throws {
    for gradientCase in [network, training] {
      let record = try record(gradientCase)
      #expect(record.verdict == .pass, "\(GradientReport(record).text)")
      #expect(record.tensors.count > 25)
      #expect(record.tensors.allSatisfy { $0.method == .dualProjection && $0.worstResolution < 1e-11 })
    }
  }

  @Test(arguments: [
    "conv1", "layer1.0.bn2", "layer2.0.conv2", "layer2.0.downsample.0", "layer3.0.add", "avgpool", "fc",
  ])
  func theLayerWithABrokenBackwardPassIsNamed(layer: String) throws {
    let record = try record(network, spoilt: layer)
    #expect(record.verdict == .fail)
    #expect(record.reason == "at fault: layer \(layer)", "\(GradientReport(record).text)")
    let guilty = record.contracts.filter { $0.verdict == .fail }
    #expect(guilty.count == 1)
    #expect(guilty.first?.detail?.contains("gradient of x") == true)
  }

  @Test func oneElementOfAParametersGradientIsNamed() throws {
    let record = try record(network, spoilt: "layer3.0.conv1.weight[7, 2, 1, 0]")
    let bad = record.tensors.filter { $0.verdict != .pass }
    #expect(bad.map(\.tensor) == ["layer3.0.conv1.weight"])
    #expect(bad.first?.badElements.map(\.index) == [[7, 2, 1, 0]])
  }

  @Test(arguments: ["layer9.0.conv1", "conv1.weight[0, 0, 9, 0]", "conv1.weight[0]", "x[", "nothing[0]"])
  func aDefectThatNamesNothingIsRefused(text: String) {
    #expect(throws: ProblemError.self) { try record(network, spoilt: text) }
  }

  /// An engine whose convolution `layer2.0.conv2` gives a wrong gradient by its input, in the network and alone.
  private struct Broken: Engine {
    let plan: ReferenceNetwork
    var description: EngineDescription { EngineDescription(name: "broken", version: "1") }

    func compute(_ exercise: Exercise) throws(EngineError) -> Answer {
      var answer = try ReferenceEngine().compute(exercise)
      if exercise.name == "layer2.0.conv2" {
        answer.gradients["x"] = answer.gradients["x"].map { .float64($0.doubles.map { $0 * 1.001 }) }
      } else if exercise.operation == "resnet" {
        var network = plan
        network.defect = { layer, gradients in
          if layer.name == "layer2.0.conv2" { gradients["x"] = gradients["x"]?.map { $0 * 1.001 } }
        }
        let groups = [exercise.inputs, exercise.parameters, exercise.buffers]
        var operands: NamedTensors = [:]
        for (name, tensor) in groups.flatMap({ $0 }) where tensor.dtype != .int64 { operands[name] = tensor.doubles }
        do {
          network.gates = try network.gates(at: operands)
          answer.gradients = try network.backward(operands, exercise.upstream.mapValues(\.doubles)).mapValues {
            .float64($0)
          }
        } catch { throw .failed("\(error)") }
      }
      return answer
    }

    func prepare(_ exercise: Exercise, for timing: TimingRequest) throws(EngineError) -> any PreparedOperation {
      throw .unsupported("not timed")
    }
  }

  @Test func anEnginesLayerAtFaultIsNamed() throws {
    let plan = try #require(try NetworkFunction(Problem.parse(network.text))).layers
    let record = try network.check(engine: Broken(plan: plan), options: .init()).run()
    #expect(record.verdict == .fail)
    #expect(record.reason == "at fault: layer layer2.0.conv2", "\(GradientReport(record).text)")
    let before = record.tensors.filter { $0.verdict == .fail }.map(\.tensor)
    #expect(before.contains("layer2.0.conv1.weight") && !before.contains("layer2.0.conv2.weight"))
  }
}
