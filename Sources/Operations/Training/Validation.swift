import Problems
import Tensors

/// What a network is worth on images that it is judged by.
public struct Validation: Hashable, Sendable {
  /// Mean cross-entropy.
  public var loss: Double
  /// Share of the images whose class has the largest logit.
  public var accuracy: Double
  /// Share of the images whose class is among the `k` largest logits.
  public var topAccuracy: Double
  public var k: Int
  /// Images that were judged: the first ones, when the caller asked to stop.
  public var count: Int

  /// A logit or a loss that is NaN or infinite: no accuracy can be said of a network that gives one.
  public struct NotFinite: Error, Hashable, Sendable, CustomStringConvertible {
    /// The image's number among those that are judged.
    public let image: Int
    /// "the logit of class 3", "the loss".
    public let subject: String
    public let found: String

    public init(image: Int, subject: String, found: String) {
      self.image = image
      self.subject = subject
      self.found = found
    }

    public var description: String { "image \(image): \(subject) is \(found)" }
  }

  public enum Failure: Error, Hashable, Sendable, CustomStringConvertible {
    case problem(ProblemError)
    case notFinite(NotFinite)

    public var description: String {
      switch self {
      case .problem(let error): error.description
      case .notFinite(let error): error.description
      }
    }
  }

  /// Evaluates without gradients: running statistics normalise, nothing is recorded or changed.
  ///
  /// - Parameters:
  ///   - architecture: which network.
  ///   - classCount: outputs of its classifier.
  ///   - state: parameters and running statistics.
  ///   - data: images and labels.
  ///   - batchSize: images computed at once; it changes no bit. `nil` takes ``batchSize(for:)``.
  ///   - k: how many of the best classes may hold the label for the second accuracy.
  ///   - threads: share convolutions; they change no bit.
  ///   - observe: called with each batch's logits (images, classes), in order.
  ///   - progress: called with the images done after each batch.
  ///   - shouldStop: asked before each layer of each batch.
  /// - Throws: ``Failure`` when the images do not fit the network, a label is no class, or a number is not finite.
  public static func run<Scalar: RealScalar>(
    _ architecture: ResNetArchitecture, classCount: Int, state: NetworkState<Scalar>, data: some ImageSource<Scalar>,
    batchSize: Int? = nil, k: Int = 5, threads: Int = 1, observe: (Tensor<Scalar>) -> Void = { _ in },
    progress: (Int) -> Void = { _ in }, shouldStop: @escaping () -> Bool = { false }
  ) throws(Failure) -> Validation {
    let stop = StopRequest(shouldStop)
    let size: Int
    do throws(ProblemError) {
      let single = try architecture.plan(inputShape: Shape([1] + data.imageShape.dimensions), classCount: classCount)
      size = batchSize ?? Self.batchSize(for: single)
    } catch { throw .problem(error) }
    return try run(
      classCount: classCount, data: data, batchSize: size, k: k, observe: observe, progress: progress, stop: stop
    ) { (images) throws(ProblemError) in
      let plan = try architecture.plan(inputShape: images.shape, classCount: classCount)
      var pass = NetworkPass(state: state)
      pass.keepsRecords = false
      pass.threads = threads
      pass.beforeLayer = stop.check
      return try pass.forward(plan, x: images).logits
    }
  }

  /// The same for anything that gives logits.
  ///
  /// - Parameters:
  ///   - classCount: of its logits.
  ///   - data: images and labels.
  ///   - batchSize: images computed at once.
  ///   - k: how many of the best classes may hold the label for the second accuracy.
  ///   - observe: called with each batch's logits (images, classes), in order.
  ///   - progress: called with the images done after each batch.
  ///   - shouldStop: asked before each batch.
  ///   - network: gives a batch's logits; the last batch may be smaller.
  /// - Throws: ``Failure`` when the images do not fit the network, a label is no class, or a number is not finite.
  public static func run<Scalar: RealScalar>(
    classCount: Int, data: some ImageSource<Scalar>, batchSize: Int, k: Int = 5,
    observe: (Tensor<Scalar>) -> Void = { _ in }, progress: (Int) -> Void = { _ in },
    shouldStop: @escaping () -> Bool = { false },
    network: (Tensor<Scalar>) throws(ProblemError) -> Tensor<Scalar>
  ) throws(Failure) -> Validation {
    let stop = StopRequest(shouldStop)
    return try run(
      classCount: classCount, data: data, batchSize: batchSize, k: k, observe: observe, progress: progress, stop: stop
    ) { (images) throws(ProblemError) in
      try stop.check()
      return try network(images)
    }
  }

  private static func run<Scalar: RealScalar>(
    classCount: Int, data: some ImageSource<Scalar>, batchSize: Int, k: Int, observe: (Tensor<Scalar>) -> Void,
    progress: (Int) -> Void, stop: StopRequest, network: (Tensor<Scalar>) throws(ProblemError) -> Tensor<Scalar>
  ) throws(Failure) -> Validation {
    var tally = Tally(k: min(k, classCount))
    var first = 0
    while first < data.count {
      let logits: Tensor<Scalar>
      let labels: Tensor<Int64>
      let losses: Tensor<Scalar>
      do throws(ProblemError) {
        let batch = try data.batch(Array(first..<min(first + batchSize, data.count)))
        (logits, labels) = (try network(batch.images), batch.labels)
        let criterion = CrossEntropy(
          try CrossEntropyProblem(batch: batch.count, classes: classCount, reduction: .none))
        losses = try criterion.forward(logits, target: .indices(labels))
      } catch {
        if stop.wasMade { break }
        throw .problem(error)
      }
      do throws(NotFinite) { try tally.add(logits, losses, labels) } catch { throw .notFinite(error) }
      observe(logits)
      first += labels.count
      progress(first)
    }
    return tally.result
  }

  /// How many images to compute at once, so that no layer takes long and a stop is obeyed soon: at most 2²⁹
  /// multiply-accumulates a layer, some tenths of a second.
  ///
  /// - Parameter plan: that of one image.
  public static func batchSize(for plan: NetworkPlan) -> Int {
    let largest = plan.layers.map(\.problem.multiplyAccumulates).max() ?? 1
    return min(64, max(1, (1 << 29) / max(1, largest)))
  }
}

/// Counts what networks got right, image by image.
private struct Tally {
  let k: Int
  private var (loss, hits, topHits, count) = (0.0, 0, 0, 0)

  init(k: Int) { self.k = k }

  /// - Throws: ``Validation/NotFinite``; the batch is not counted then.
  mutating func add<Scalar: RealScalar>(
    _ logits: Tensor<Scalar>, _ losses: Tensor<Scalar>, _ labels: Tensor<Int64>
  ) throws(Validation.NotFinite) {
    let classes = logits.shape[1]
    if let index = logits.elements.firstIndex(where: { !$0.isFinite }) {
      throw Validation.NotFinite(
        image: count + index / classes, subject: "the logit of class \(index % classes)",
        found: logits.elements[index].spelled)
    }
    if let row = losses.elements.firstIndex(where: { !$0.isFinite }) {
      throw Validation.NotFinite(image: count + row, subject: "the loss", found: losses.elements[row].spelled)
    }
    for row in 0..<labels.count {
      let scores = logits.elements[row * classes..<(row + 1) * classes]
      let label = Int(labels.elements[row])
      let own = scores[scores.startIndex + label]
      // The rank of the label; of equal logits the first class comes first, as argmax has it.
      let ahead = scores.indices.count {
        scores[$0] > own || scores[$0] == own && $0 - scores.startIndex < label
      }
      if ahead == 0 { hits += 1 }
      if ahead < k { topHits += 1 }
      loss += losses.elements[row].doubleValue
    }
    count += labels.count
  }

  var result: Validation {
    let images = Double(count)
    return Validation(
      loss: loss / images, accuracy: Double(hits) / images, topAccuracy: Double(topHits) / images, k: k, count: count)
  }
}
