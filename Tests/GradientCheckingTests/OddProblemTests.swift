import GradientChecking
import Operations
import Problems
import Results
import Tensors
import Testing

/// What random problems met and lists of problems did not: outputs that nothing reaches, gradients that are nothing, gradients of which
/// rounding leaves little.
@Suite struct OddProblemTests {
  private var options: GradientCheck.Options {
    var options = GradientCheck.Options()
    options.seed = 7
    options.threads = 1
    return options
  }

  @Test(arguments: [
    // Windows of padding alone, whose maximum is −∞.
    "max_pool2d n3c5h1w7 kernel2 stride2 pad1 dilation2",
    // Constants: no step moves them.
    "softmax n5c1", "softmax n2c1h5w1", "layer_norm shape4x3x1 dims1", "layer_norm shape1 dims1",
    // A batch norm over two values makes ±1 of nearly any two: what is left of the gradient is 10⁻⁵ of its terms.
    "bottleneck n2c1h1w1 k2 projection stride3 groups2 dilation2 training",
  ])
  func `a correct gradient passes`(text: String) throws {
    let record = try GradientCase(text).check(options: options).run()
    #expect(record.verdict == .pass, "\(GradientReport(record).text)")
  }

  /// What flows back from a window of padding alone has nowhere to go.
  @Test func `a gradient through an output that nothing reaches fails`() throws {
    let problem = try Problem.parse("max_pool2d n1c1h1w7 kernel2 stride2 pad1 dilation2")
    let x = Tensor<Double>(shape: [1, 1, 1, 7], elements: [1, -2, 3, -4, 5, -6, 7])
    var function = CheckedFunction(OperationFunction(problem), name: problem.text, at: ["x": x])
    #expect(GradientCheck(function, options: options).run().verdict == .pass)
    let correct = function.backward
    function.backward = { operands, upstream in
      var gradients = try correct(operands, upstream)
      // The first window is one of padding alone.
      gradients["x"]?.elements[0] += upstream["y"]?.elements[0] ?? 0
      return gradients
    }
    #expect(GradientCheck(function, options: options).run().verdict == .fail)
  }

  /// Sixteen sweeps in place of two widen no bound by so much that a wrong element is lost.
  @Test(arguments: ["conv3.weight[0, 0, 0, 0]", "bn1.weight[1]", "conv1.weight[0, 0, 0, 0]"])
  func `a wrong element of such a gradient fails`(element: String) throws {
    let text = "bottleneck n3c2h2w3 k2 projection training"
    #expect(try GradientCase(text).check(options: options).run().verdict == .pass)
    let record = try GradientCase(text).check(options: options, spoilt: element).run()
    #expect(record.verdict == .fail, "\(GradientReport(record).text)")
  }
}
