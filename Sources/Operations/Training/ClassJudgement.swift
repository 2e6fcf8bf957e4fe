/// How the images of one class were judged.
public struct ClassJudgement: Hashable, Sendable {
  /// The class's number.
  public let label: Int
  /// Images of it.
  public var images = 0
  /// Of these, those whose class has the largest logit.
  public var right = 0
  /// The class that most of the others were taken for, the first of several; `nil` where all are right.
  public var takenFor: Int?
  /// How many were.
  public var taken = 0

  /// Share of its images that are right.
  public var accuracy: Double { Double(right) / Double(images) }

  /// One for each class that has images, in order.
  ///
  /// - Parameters:
  ///   - logits: by image and class, finite; of equal ones the first class counts, as in ``Validation``.
  ///   - labels: the images' classes.
  ///   - classCount: of the logits.
  /// - Requires: as many logits as there are images times classes, and labels that are classes.
  /// - Returns: how each class came off.
  public static func all(logits: [Float], labels: [Int64], classCount: Int) -> [ClassJudgement] {
    var counts: [Int: [Int: Int]] = [:]
    for (row, label) in labels.enumerated() {
      let scores = logits[row * classCount..<(row + 1) * classCount]
      var best = scores.startIndex
      for index in scores.indices where scores[index] > scores[best] { best = index }
      counts[Int(label), default: [:]][best - scores.startIndex, default: 0] += 1
    }
    return counts.sorted { $0.key < $1.key }.map { label, found in
      var judgement = ClassJudgement(label: label)
      judgement.images = found.values.reduce(0, +)
      judgement.right = found[label] ?? 0
      let others = found.filter { $0.key != label }
      if let most = others.max(by: { ($0.value, $1.key) < ($1.value, $0.key) }) {
        (judgement.takenFor, judgement.taken) = (most.key, most.value)
      }
      return judgement
    }
  }

  private init(label: Int) { self.label = label }
}
