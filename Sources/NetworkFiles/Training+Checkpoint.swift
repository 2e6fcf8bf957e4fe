import GoldenFiles
import Problems
import Operations
import Results
import Tensors

// How a training run becomes a file and comes back.

extension ResNetArchitecture {
  /// Planes of the first stage where they are not the architecture's own.
  var otherWidth: Int? {
    guard let own = try? ResNetArchitecture(named: name), own.widths != widths else { return nil }
    return widths[0]
  }
}

extension Training where Scalar == Float {
  /// - Parameters:
  ///   - run: what must be the same when it goes on.
  ///   - history: its epochs so far.
  public func checkpoint(_ run: SavedRun, history: TrainingHistory = TrainingHistory()) -> WeightsFile {
    let memory = step.optimizerStates.mapValues { state in
      let tensors = [
        "momentum_buffer": state.momentumBuffer, "exp_avg": state.expAvg, "exp_avg_sq": state.expAvgSq,
        "max_exp_avg_sq": state.maxExpAvgSq,
      ]
      return WeightsFile.Checkpoint.Memory(
        step: state.step, tensors: tensors.compactMapValues { $0.map(AnyTensor.float32) })
    }
    return WeightsFile(
      architecture: options.architecture.name, classCount: options.classCount, width: options.architecture.otherWidth,
      normalization: run.normalization, imageSize: run.imageSize, tensors: step.state.stateDict(AnyTensor.float32),
      checkpoint: .init(epochsDone: epochsDone, settings: run.settings, optimizer: memory, history: history))
  }

  /// Goes on where a checkpoint stands.
  /// - Parameters:
  ///   - file: the checkpoint.
  ///   - path: where it was read from, for messages.
  ///   - run: what the checkpoint says of its run.
  ///   - plan: of one of its mini-batches.
  /// - Throws: ``GoldenFiles/GoldenFileError`` when the file does not fit itself, ``StateDictMismatch``.
  public init(resuming file: WeightsFile, from path: String, as run: SavedRun, _ plan: NetworkPlan) throws {
    func wrong(_ object: String, _ expected: String, _ found: String) -> GoldenFileError {
      GoldenFileError(.inconsistent, file: path, object: object, expected: expected, found: found)
    }
    let state = try file.state(of: plan, from: path)
    self.init(options: run.options, state: state, epochsDone: file.checkpoint?.epochsDone ?? 0)
    let shapes = Dictionary(uniqueKeysWithValues: plan.parameters.map { ($0.name, $0.shape) })
    for (name, memory) in (file.checkpoint?.optimizer ?? [:]).sorted(by: { $0.key < $1.key }) {
      guard let shape = shapes[name] else { throw wrong("/optimizer/\(name)", "a parameter's name", "another") }
      for (key, tensor) in memory.tensors.sorted(by: { $0.key < $1.key }) where tensor.shape != shape {
        throw wrong("/optimizer/\(name)/\(key)", "shape \(shape)", "shape \(tensor.shape)")
      }
      var state = OptimizerState<Float>(step: memory.step)
      state.momentumBuffer = memory.tensors["momentum_buffer"]?.floating()
      state.expAvg = memory.tensors["exp_avg"]?.floating()
      state.expAvgSq = memory.tensors["exp_avg_sq"]?.floating()
      state.maxExpAvgSq = memory.tensors["max_exp_avg_sq"]?.floating()
      step.optimizerStates[name] = state
    }
  }
}
