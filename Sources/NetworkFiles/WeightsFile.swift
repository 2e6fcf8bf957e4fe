import GoldenFiles
import HDF5
import Operations
import Problems
import Results
import Tensors

/// A network's values as a file: schema `assay.weights`, one dataset for each tensor under its `state_dict` name. A
/// checkpoint has the optimiser's memory besides. A path that ends in `.safetensors` stands for the same in that format.
///
///     /                     @schema "assay.weights", @schema_version 1, @architecture, @num_classes, (@width),
///                           (@image_mean, @image_std: three numbers each), (@image_size)
///     /state_dict/<name>    float32 or float64; int64 for num_batches_tracked
///     /training             @epochs_done, and the run's settings as strings; checkpoints alone
///     /training/history     float64 (epochs, 5): epoch, loss, judged loss, accuracy, learning rate
///     /optimizer/<name>     @step; datasets momentum_buffer, exp_avg, exp_avg_sq, max_exp_avg_sq; checkpoints alone
public struct WeightsFile: Sendable, Equatable {
  public static let schema = "assay.weights"
  public static let version = 1

  /// `nil` for another program's tensors, which are no known network's.
  public var architecture: String?
  public var classCount: Int
  /// Planes of the first stage where they are not the architecture's own.
  public var width: Int?
  /// What the images that it was trained on were normalised by; `nil` where they were not, or the file does not say.
  public var normalization: ImageNormalization?
  /// Height and width that pictures got; `nil` where they were no pictures, or the file does not say.
  public var imageSize: Int?
  /// By `state_dict` name.
  public var tensors: [String: AnyTensor]
  public var checkpoint: Checkpoint?

  /// Where a training run stands.
  public struct Checkpoint: Sendable, Equatable {
    public var epochsDone: Int
    /// What must be the same for the run to go on as if it had never stopped.
    public var settings: [String: String]
    /// By parameter name.
    public var optimizer: [String: Memory]
    /// Its epochs so far, without what they took; empty in files of earlier versions.
    public var history: TrainingHistory

    /// What the optimiser remembers of one parameter.
    public struct Memory: Sendable, Equatable {
      public var step: Int
      public var tensors: [String: AnyTensor]

      public init(step: Int, tensors: [String: AnyTensor]) {
        self.step = step
        self.tensors = tensors
      }
    }

    public init(
      epochsDone: Int, settings: [String: String], optimizer: [String: Memory],
      history: TrainingHistory = TrainingHistory()
    ) {
      self.epochsDone = epochsDone
      self.settings = settings
      self.optimizer = optimizer
      self.history = TrainingHistory(history.epochs.map(\.untimed))
    }
  }

  public init(
    architecture: String?, classCount: Int, width: Int? = nil, normalization: ImageNormalization? = nil,
    imageSize: Int? = nil, tensors: [String: AnyTensor], checkpoint: Checkpoint? = nil
  ) {
    self.architecture = architecture
    self.classCount = classCount
    self.width = width
    self.normalization = normalization
    self.imageSize = imageSize
    self.tensors = tensors
    self.checkpoint = checkpoint
  }

  // MARK: Reading

  /// - Parameters:
  ///   - path: the file, HDF5 or safetensors.
  ///   - limits: what it may ask for.
  ///   - probe: the process that parses the header of a safetensors file; `nil` parses it in this one.
  ///   - withOptimizer: whether the optimiser's memory of a checkpoint in HDF5 is read, too, without which no run goes on; with
  ///     Adam it is twice as large as the weights.
  /// - Throws: ``GoldenFiles/GoldenFileError`` for a file that is missing, cut short, of another schema, or without the groups.
  public init(
    contentsOf path: String, limits: GoldenLimits = .standard, probe: NetworkFileProbe? = nil,
    withOptimizer: Bool = true
  ) throws(GoldenFileError) {
    if SafetensorsFile.isOne(path, limits: limits) {
      self = try WeightsFile(SafetensorsFile(contentsOf: path, limits: limits, probe: probe), from: path)
      return
    }
    let root = try Self.open(path, limits)
    let attributes = GoldenAttributes(object: root, file: path)
    guard try attributes.string("schema") == Self.schema else {
      throw GoldenFileError(
        .notAGoldenFile, file: path, object: "/@schema", expected: "\"\(Self.schema)\"",
        found: try attributes.string("schema").map { "\"\($0)\"" } ?? "nothing",
        advice: "Fixtures/generate/export_state_dict.py makes such a file from PyTorch's weights")
    }
    let version = try attributes.number("schema_version") ?? 0
    guard version <= Double(Self.version) else {
      throw GoldenFileError(
        .newerSchema, file: path, expected: "schema version \(Self.version) at most", found: "\(version)")
    }
    guard let architecture = try attributes.string("architecture"), let classes = try attributes.number("num_classes"),
      let classCount = Int(exactly: classes)
    else {
      throw GoldenFileError(.missing, file: path, expected: "@architecture and @num_classes", found: "not both")
    }
    self.architecture = architecture
    self.classCount = classCount
    width = try attributes.number("width").flatMap { Int(exactly: $0) }
    normalization = try Self.normalization(
      mean: try attributes.numbers("image_mean"), std: try attributes.numbers("image_std"), from: path)
    imageSize = try attributes.number("image_size").flatMap { Int(exactly: $0) }
    var reader = GoldenTensorReader(file: path, limits: limits)
    tensors = try Self.tensors(in: try translating { () throws(HDF5Error) in try root.group("state_dict") }, &reader)
    checkpoint = try Self.checkpoint(in: root, path, &reader, withOptimizer: withOptimizer)
  }

  static func normalization(
    mean: [Double]?, std: [Double]?, from path: String
  ) throws(GoldenFileError) -> ImageNormalization? {
    guard mean != nil || std != nil else { return nil }
    do throws(ProblemError) { return try ImageNormalization(mean: mean ?? [], std: std ?? []) } catch {
      throw GoldenFileError(
        .inconsistent, file: path, object: "/@image_\(error.subject)", expected: error.expected, found: error.found)
    }
  }

  private static func open(_ path: String, _ limits: GoldenLimits) throws(GoldenFileError) -> HDF5Group {
    do { return try opening(path, limits: limits) } catch {
      // Whoever has weights of PyTorch's needs the way from there to here, not a guess about damage.
      let isForeign = [".pth", ".pt", ".bin", ".ckpt"].contains { path.lowercased().hasSuffix($0) }
      guard error.kind == .notAGoldenFile, isForeign else { throw error }
      throw GoldenFileError(
        .notAGoldenFile, file: path, expected: "weights as HDF5 or safetensors", found: "a file in PyTorch's format",
        advice: "convert it with `python Fixtures/generate/export_state_dict.py FILE weights.h5`")
    }
  }

  private static func tensors(
    in group: HDF5Group, _ reader: inout GoldenTensorReader
  ) throws(GoldenFileError) -> [String: AnyTensor] {
    var tensors: [String: AnyTensor] = [:]
    for link in try translating({ () throws(HDF5Error) in try group.links() }) {
      let dataset = try translating { () throws(HDF5Error) in try group.dataset(link.name) }
      tensors[link.name] = try reader.read(dataset)
    }
    return tensors
  }

  private static func checkpoint(
    in root: HDF5Group, _ path: String, _ reader: inout GoldenTensorReader, withOptimizer: Bool
  ) throws(GoldenFileError) -> Checkpoint? {
    guard case .group(let training)? = try translating({ () throws(HDF5Error) in try root.memberIfPresent("training") })
    else { return nil }
    let attributes = GoldenAttributes(object: training, file: path)
    guard let epochs = try attributes.number("epochs_done").flatMap({ Int(exactly: $0) }), epochs >= 0 else {
      throw GoldenFileError(
        .missing, file: path, object: "/training@epochs_done", expected: "a number of epochs", found: "none")
    }
    var settings: [String: String] = [:]
    for name in try translating({ () throws(HDF5Error) in try training.attributeNames() }) where name != "epochs_done" {
      settings[name] = try attributes.string(name)
    }
    var memory: [String: Checkpoint.Memory] = [:]
    let group = try translating { () throws(HDF5Error) in try root.group("optimizer") }
    let links = withOptimizer ? try translating({ () throws(HDF5Error) in try group.links() }) : []
    for link in links {
      let entry = try translating { () throws(HDF5Error) in try group.group(link.name) }
      let step = try GoldenAttributes(object: entry, file: path).number("step").flatMap { Int(exactly: $0) }
      guard let step else {
        throw GoldenFileError(
          .missing, file: path, object: "\(entry.path)@step", expected: "a number of steps", found: "none")
      }
      memory[link.name] = Checkpoint.Memory(step: step, tensors: try tensors(in: entry, &reader))
    }
    var history = TrainingHistory()
    if case .dataset(let dataset)? = try translating({ () throws(HDF5Error) in try training.memberIfPresent("history") }
    ) {
      history = try TrainingHistory(try reader.read(dataset), at: dataset.path, of: path)
    }
    return Checkpoint(epochsDone: epochs, settings: settings, optimizer: memory, history: history)
  }

  // MARK: Writing

  /// Writes the file under a temporary name and renames it: a run that dies leaves the last complete one.
  /// - Throws: ``GoldenFiles/GoldenFileError`` of kind `cannotWrite`.
  public func write(to path: String) throws(GoldenFileError) {
    if SafetensorsFile.hasName(path) {
      do { try safetensors.write(to: path) } catch {
        throw GoldenFileError(.cannotWrite, file: path, expected: "a new file", found: error.reason)
      }
      return
    }
    try creating(path) { root in
      try root.setAttribute("schema", .string(Self.schema))
      try root.setAttribute("schema_version", .integer(Self.version))
      if let architecture { try root.setAttribute("architecture", .string(architecture)) }
      try root.setAttribute("num_classes", .integer(classCount))
      if let width { try root.setAttribute("width", .integer(width)) }
      if let normalization {
        try root.setAttribute("image_mean", .floats(normalization.mean))
        try root.setAttribute("image_std", .floats(normalization.std))
      }
      if let imageSize { try root.setAttribute("image_size", .integer(imageSize)) }
      try Self.write(tensors, to: try root.createGroup("state_dict"))
      guard let checkpoint else { return }
      let training = try root.createGroup("training")
      try training.setAttribute("epochs_done", .integer(checkpoint.epochsDone))
      for (name, text) in checkpoint.settings.sorted(by: { $0.key < $1.key }) {
        try training.setAttribute(name, .string(text))
      }
      if !checkpoint.history.epochs.isEmpty {
        try training.createDataset("history", checkpoint.history.tensor, options: HDF5DatasetOptions())
      }
      let optimizer = try root.createGroup("optimizer")
      for (name, memory) in checkpoint.optimizer.sorted(by: { $0.key < $1.key }) {
        let entry = try optimizer.createGroup(name)
        try entry.setAttribute("step", .integer(memory.step))
        try Self.write(memory.tensors, to: entry)
      }
    }
  }

  private static func write(_ tensors: [String: AnyTensor], to group: HDF5Group) throws(HDF5Error) {
    for (name, tensor) in tensors.sorted(by: { $0.key < $1.key }) {
      // A checksum where a chunk pays: a flipped bit in a weight would otherwise go unnoticed.
      let large = tensor.shape.count * tensor.dtype.byteCount > 4096
      let options = HDF5DatasetOptions(fletcher32: large)
      try group.createDataset(name, tensor, options: options)
    }
  }
}
