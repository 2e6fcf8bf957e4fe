import Operations
import Problems
import Testing

@Suite struct NetworkProblemTextTests {
  @Test(arguments: [
    "basic_block n2c6h7w5 k6", "basic_block n2c5h8w6 k7 projection stride2 training",
    "bottleneck n2c16h6w5 k4 groups4 width32", "bottleneck n2c6h9w10 k3 projection uncounted stride2 dilation2",
    "residual_block n2c5h6w7 stagesconv,k=1,out=5,stride=1,pad=0,groups=1;bn",
    "residual_block n2c3h7w7 stagesupsample,size=14x14,mode=nearest;conv,k=3,out=4,stride=1,pad=1,groups=1;bn;relu "
      + "shortcutupsample,size=14x14,mode=nearest;conv,k=1,out=4,stride=1,pad=0,groups=1 training",
    "resnet n1c3h64w64 archresnet50", "resnet n2c3h32w32 target archcifar_resnet20 classes10 training",
    "sgd_step n4c5 t3 lr0.1 momentum0.9 nesterov", "adam_step shape7 t2 lr0.01 amsgrad from1000",
    "adamw_step shape2x3x4 t5 moments betas0.8,0.95 decay0.1",
    "training_run n20c3h32w32 t2b4 archsimple_resnet classes10 optimizersgd lr0.1",
  ])
  func roundTrip(line: String) throws {
    let problem = try Problem.parse(line)
    let again = try Problem.parse(problem.text)
    #expect(again.text == problem.text)
    #expect(again.operands == problem.operands)
    #expect(again.outputs == problem.outputs)
    // The same problem comes back from its own attributes and operands, as from a golden case.
    let made = try Problem.make(
      operation: type(of: problem).operation, attributes: problem.attributes, operands: problem.operands)
    #expect(made?.text == problem.text)
  }

  @Test(arguments: [
    "basic_block n2c5h7w5 k6", "basic_block n2c6h7w5 k6 groups2", "bottleneck n2c6h7w5 k3",
    "residual_block n2c5h6w7 stagesswish", "residual_block n2c5h6w7 stagesconv,k=1,out=4",
    "resnet n1c3h64w64 archsimple_resnet classes10", "sgd_step n4c5 t3 lr0.1 nesterov", "adam_step n4c5 t3 lr-1",
  ])
  func refuses(line: String) {
    #expect(throws: ProblemError.self) { try Problem.parse(line) }
  }
}
