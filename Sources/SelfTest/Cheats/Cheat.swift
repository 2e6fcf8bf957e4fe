import Results

/// A small engine with one trick, or an honest one beside it: in `Benchmarks/engines/cheats`, or of this program.
public struct Cheat: Sendable, Hashable {
  /// How it joins.
  public enum Way: String, Sendable, CaseIterable {
    case library
    /// A Python function that the package serves.
    case function
    /// A Python program that speaks the protocol.
    case process
    /// In this program, timed on steps of training.
    case training
  }

  /// What names it.
  public enum Rule: Sendable, Hashable {
    /// Verification, with a message that holds these words.
    case verification(String)
    /// The benchmark's audit.
    case audit(AuditRule)
    /// No time in the benchmark, with a message that holds these words.
    case failedBenchmark(String)
  }

  public let way: Way
  /// The word that the sources know it by.
  public let trick: String
  /// What it does, for people.
  public let text: String
  /// Each of them names it; none for an honest one.
  public let caughtBy: [Rule]
  /// How many threads it is timed with.
  public let threads: Int

  init(_ way: Way, _ trick: String, _ text: String, _ caughtBy: Rule..., threads: Int = 1) {
    self.way = way
    self.trick = trick
    self.text = text
    self.caughtBy = caughtBy
    self.threads = threads
  }

  /// Whether there is a first version of the protocol to try it by.
  var speaksProtocols: Bool { way == .function || way == .process }
  public var isHonest: Bool { caughtBy.isEmpty }
  public var name: String { "\(text) (\(way.rawValue))" }
  /// What reports call the engine.
  var engineName: String { "\(way.rawValue)-\(trick.replacing("_", with: "-"))" }
}

extension Cheat {
  private static let isWrong = Rule.verification("is wrong")

  /// Every trick that is known of, in each way in which it makes sense, and honest twins.
  public static let all: [Cheat] = libraries + functions + processes + trainings

  private static let libraries = [
    Cheat(.library, "none", "honest"),
    Cheat(.library, "threaded", "honest, with two threads", threads: 2),
    Cheat(.library, "packed", "honest, with work at prepare"),
    Cheat(.library, "varying", "honest, not deterministic and says so"),
    Cheat(.library, "by_hash", "remembers answers by their operands' numbers", .audit(.remembers)),
    Cheat(
      .library, "by_pointer", "remembers answers by their operands' addresses", .verification("answered as before"),
      isWrong),
    Cheat(.library, "by_text", "remembers answers by the problem's text", .verification("answered as before"), isWrong),
    Cheat(.library, "first_answer", "repeats its first answer while timed", .audit(.outputs)),
    Cheat(.library, "idle", "does nothing while timed", .audit(.outputs)),
    Cheat(.library, "every_second", "skips every second call while timed", .audit(.outputs)),
    Cheat(.library, "first_three", "is right for three calls", .audit(.outputs)),
    Cheat(.library, "one_image", "computes one image of four while timed", .audit(.outputs)),
    Cheat(.library, "stale_images", "writes one image and leaves an earlier run's others", .audit(.outputs)),
    Cheat(.library, "half_precision", "computes in half precision while timed", .audit(.outputs)),
    Cheat(.library, "late", "leaves half to a thread that ends after the call", .verification("after it had returned")),
    Cheat(
      .library, "late_when_timed", "leaves half to a thread while timed", .audit(.threads), .audit(.clock),
      // The thread may still write when its memory is taken back.
      .audit(.outputs), .failedBenchmark("ended by SIGSEGV")),
    Cheat(.library, "two_threads", "uses two threads where one was asked for", .audit(.threads), .audit(.clock)),
    Cheat(.library, "dropped_part", "drops the second thread's part", .verification("with 2 threads")),
    Cheat(
      .library, "spinning", "keeps another core busy, in its rivals' slices too", .audit(.threads), .audit(.elsewhere),
      .audit(.clock)),
    Cheat(.library, "mutates", "changes an operand", .verification("which is read-only")),
    Cheat(.library, "reads_past", "reads past an operand's end", .verification("past the end of inputs/x")),
    Cheat(
      .library, "reads_before", "reads ahead of an operand", .verification("ahead of the start of parameters/weight")),
    Cheat(.library, "writes_past", "writes past the result's end", .verification("past the end of outputs/y")),
    Cheat(
      .library, "writes_before", "writes ahead of the result", .verification("ahead of the start of outputs/y"),
      .verification("bytes ahead of outputs/y")),
    Cheat(
      .library, "writes_later", "keeps its answer's buffer and changes it later", .verification("wrote element 0 of"),
      .verification("ended by SIGSEGV")),
    Cheat(
      .library, "undeclared", "is not deterministic and declares it", .verification("differs from call to call"),
      .verification("declared deterministic")),
  ]

  private static let functions = [
    Cheat(.function, "none", "honest"),
    Cheat(.function, "threaded", "honest, with two threads", threads: 2),
    Cheat(.function, "by_hash", "remembers answers by their operands' numbers", .audit(.remembers)),
    Cheat(
      .function, "by_pointer", "remembers answers by their operands' addresses", .verification("answered as before"),
      isWrong),
    Cheat(.function, "first_three", "is right for three calls", .verification("outputs/y")),
    Cheat(
      .function, "every_second", "skips every second call", isWrong, .verification("declared deterministic"),
      .verification("answered as before")),
    Cheat(.function, "one_buffer", "answers in the same memory each time", .audit(.outputs)),
    Cheat(.function, "fixtures", "reads the golden files", .verification("outputs/y")),
    Cheat(.function, "two_threads", "uses two threads where one was asked for", .audit(.threads), .audit(.clock)),
    Cheat(.function, "undeclared", "is not deterministic and declares it", .verification("declared deterministic")),
  ]

  private static let trainings = [
    Cheat(.training, "none", "honest"),
    Cheat(.training, "trains_nothing", "answers the loss of the forward pass and trains nothing", .audit(.outputs)),
    Cheat(.training, "every_second", "skips every second update", .audit(.outputs)),
    Cheat(.training, "first_loss", "repeats its first loss", .audit(.outputs)),
    Cheat(
      .training, "puts_off", "leaves the last gradient that is timed to the step after it", .audit(.elsewhere)),
  ]

  private static let processes = [
    Cheat(.process, "engine", "honest"),
    Cheat(
      .process, "by_name", "remembers answers by the case's name and shapes", .verification("answered as before"),
      isWrong),
    Cheat(
      .process, "claims_winograd", "takes part of long sums in TF32 and claims Winograd's bound",
      // Of most problems; of some it misses an element's bound, too.
      .verification("too large on the whole"), isWrong),
    Cheat(.process, "at_prepare", "folds the activations in at prepare", .audit(.outputs)),
    Cheat(.process, "at_load", "computes when operands are loaded", .audit(.elsewhere)),
    Cheat(
      .process, "after_load", "computes in a thread after load was answered", .audit(.elsewhere), .audit(.remembers),
      .audit(.threads), .audit(.clock)),
    Cheat(.process, "part_at_collect", "leaves two images of five to collect", .audit(.elsewhere)),
    Cheat(.process, "at_collect", "computes when results are collected", .audit(.elsewhere), .audit(.outputs)),
    Cheat(.process, "half_precision", "computes in half precision while timed", .audit(.outputs)),
    Cheat(.process, "idle", "does nothing while timed", .audit(.outputs)),
    Cheat(.process, "one_image", "computes one image of four while timed", .audit(.outputs)),
    Cheat(.process, "stale_images", "writes one image and leaves an earlier run's others", .audit(.outputs)),
    Cheat(.process, "halving", "halves its durations", .audit(.clock)),
    Cheat(.process, "idle_clock", "counts the CPU time of a thread that sleeps", .audit(.clock)),
    Cheat(.process, "minimum", "repeats the least of its durations", .audit(.clock)),
    Cheat(
      .process, "spinning", "keeps another core busy, in its rivals' slices too", .audit(.threads), .audit(.elsewhere),
      .audit(.clock)),
    Cheat(
      .process, "spinning_outside", "keeps another core busy from a process that left its group", .audit(.threads),
      .audit(.elsewhere), .audit(.clock)),
  ]
}
