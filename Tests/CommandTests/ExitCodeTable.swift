import Foundation
import Testing

/// What every command that judges ends with, event by event, and what it leaves on disk.
///
/// A cell is a line for the shell, run in the project's folder. `$A` is the command, `$T` the trial files, `$W` the table's own
/// files (``ExitCodeTableFiles``), `$O` where a report is asked for, `$F` a folder on a full disk.
enum ExitCodeTable {
  enum Verb: String, CaseIterable, Sendable {
    case verify, fuzz, gradcheck, selftest, bench, duet, merge, report, compare, train, evaluate
  }
  enum Event: String, CaseIterable, Sendable {
    case holds
    case failure = "a failure"
    case dyingEngine = "an engine that dies"
    case interrupted
    case hole = "a hole"
    case badFile = "a bad file"
    case fullDisk = "full disk"
    case closedStdout = "closed stdout"
    case fullStderr = "full stderr"
  }
  /// What is left where the report was asked for.
  enum Left: String, Sendable {
    case report, file, nothing
  }
  enum Cell: Sendable {
    /// More than one code only where times decide: those of a busy machine decide nothing.
    case ends(_ codes: [Int32], Left, _ line: String)
    /// The event cannot happen to this command, and why.
    case cannot(_ because: String)
  }
  /// A cell that can be run.
  struct Trial: Sendable, CustomTestStringConvertible {
    var verb: Verb
    var event: Event
    var codes: [Int32]
    var left: Left
    var line: String

    var testDescription: String { "\(verb.rawValue), \(event.rawValue)" }
  }

  static let trials: [Trial] = Verb.allCases.flatMap { verb in
    Event.allCases.compactMap { event in
      guard case .ends(let codes, let left, let line) = cell(verb, event) else { return nil }
      return Trial(verb: verb, event: event, codes: codes, left: left, line: line)
    }
  }

  /// The cells of events that a command cannot meet, with the reason.
  static let impossible: [(verb: Verb, event: Event, because: String)] = Verb.allCases.flatMap { verb in
    Event.allCases.compactMap { event in
      guard case .cannot(let reason) = cell(verb, event) else { return nil }
      return (verb, event, reason)
    }
  }

  /// A cell's line with the outside that its event gives it.
  static func cell(_ verb: Verb, _ event: Event) -> Cell {
    switch event {
    case .holds: plain(verb)
    case .closedStdout: redirected(verb, "1>&-")
    case .fullStderr: redirected(verb, "2>/dev/full")
    case .failure: failure(verb)
    case .dyingEngine: dyingEngine(verb)
    case .interrupted: interrupted(verb)
    case .hole: hole(verb)
    case .badFile: badFile(verb)
    case .fullDisk: fullDisk(verb)
    }
  }

  private static let training =
    "$A train --data $T/X_sixteen_images.h5 --model cifar_resnet8 --width 1 --batch 4 --epochs 1"
  private static let judging = "$A evaluate --data $T/T8_ten_images.h5 --weights"
  /// One family of mutants each: what they say of all is held elsewhere.
  private static let strongSelftest =
    "$A selftest -q --smoke --filter 'size classes/*linear*' --golden Fixtures/linear.h5 --out $O"
  private static let weakSelftest = "$A selftest -q --smoke --filter 'optimisers/*' --golden $W/weak --out $O"
  private static let base = "--base \"$A engine direct\""
  /// A gate of the engine against itself.
  private static let duet = "$A duet -q --deadline 5 --suite $W/tiny.toml \(base) --head \"$A engine direct\""

  private static func plain(_ verb: Verb) -> Cell {
    switch verb {
    case .verify: .ends([0], .report, "$A verify -q --golden $T/H14_old.h5 --out $O")
    case .fuzz: .ends([0], .report, "$A fuzz -q --operation relu --cases 20 --out $O")
    case .gradcheck: .ends([0], .report, "$A gradcheck -q --operation 'relu n1c1h2w3' --out $O")
    case .selftest: .ends([0], .report, strongSelftest)
    case .bench: .ends([0, 2], .report, "$A bench -q --suite $W/tiny.toml --out $O")
    case .duet: .ends([0, 2], .report, "\(duet) --out $O")
    case .merge: .ends([0], .report, "$A merge $W/good --out $O")
    case .report: .ends([0], .report, "$A report $W/good --out $O")
    case .compare: .ends([0], .nothing, "$A compare $T/M_old.json $T/M_old.json")
    case .train: .ends([0], .file, "\(training) --out $O")
    case .evaluate: .ends([0], .nothing, "\(judging) $T/weights_cifar8_w2.h5")
    }
  }

  /// The files asked for are written, so that the code stays what it was.
  private static func redirected(_ verb: Verb, _ redirection: String) -> Cell {
    // The whole corpus would take long, and its verdict is no other.
    if verb == .selftest { return .ends([1], .report, "\(weakSelftest) \(redirection)") }
    guard case .ends(let codes, let left, let line) = plain(verb) else { return plain(verb) }
    return .ends(codes, left, "\(line) \(redirection)")
  }

  private static func failure(_ verb: Verb) -> Cell {
    switch verb {
    case .verify: .ends([1], .report, "$A verify -q --golden $T/H12_a_star_is_a_name.h5 --out $O")
    case .fuzz:
      .ends(
        [1], .report,
        "$A fuzz -q --operation conv2d --cases 2 --dtype float32 --engine \"wrong=sh $W/wrong.sh\" --out $O")
    case .gradcheck:
      .ends(
        [1], .report,
        "$A gradcheck -q --operation 'conv2d n1c2h4w4 k2r3s3 stride1 pad1' --spoil 'weight[0,0,0,0]' --out $O")
    // A corpus of one case lets mutants live.
    case .selftest: .ends([1], .report, weakSelftest)
    case .bench:
      .ends(
        [1], .report, "$A bench -q --suite $W/tiny.toml --engine direct --engine \"wrong=sh $W/wrong.sh\" --out $O")
    case .duet:
      .ends(
        [1, 2], .report,
        "$A duet -q --deadline 5 --suite $W/tiny.toml \(base) --head \"$A engine direct --inject-slowdown 50%\" --out $O"
      )
    case .merge: .ends([1], .report, "$A merge $W/failed --out $O")
    case .report: .ends([1], .report, "$A report $W/failed --out $O")
    case .compare: .ends([1], .nothing, "$A compare $T/M_old.json $W/slower.json")
    case .train: .ends([1], .file, "\(training) --require-accuracy 1 --out $O")
    case .evaluate: .ends([1], .nothing, "\(judging) $T/weights_cifar8_w2.h5 --require-accuracy 1")
    }
  }

  /// One that answered, and then died: an error (1), not one that could not be started (2).
  private static func dyingEngine(_ verb: Verb) -> Cell {
    switch verb {
    case .verify:
      .ends(
        [1], .report, "$A verify -q --golden $T/H14_old.h5 --fresh 0 --engine \"dies=sh $W/dies.sh\" --out $O")
    case .fuzz: .ends([1], .report, "$A fuzz -q --operation relu --cases 1 --engine \"dies=sh $W/dies.sh\" --out $O")
    case .gradcheck:
      .ends([1], .report, "$A gradcheck -q --operation 'relu n1c1h2w3' --engine \"dies=sh $W/dies.sh\" --out $O")
    case .bench:
      .ends(
        [1], .report, "$A bench -q --suite $W/tiny.toml --engine direct --engine \"dies=sh $W/dies.sh\" --out $O")
    case .duet:
      .ends([1], .nothing, "$A duet -q --deadline 5 --suite $W/tiny.toml \(base) --head \"sh $W/dies.sh\" --out $O")
    case .selftest, .merge, .report, .compare, .train, .evaluate: .cannot("it starts no engine")
    }
  }

  private static func interrupted(_ verb: Verb) -> Cell {
    let stop = "& sleep 2; kill -TERM $!; wait $!"
    return switch verb {
    case .verify:
      .ends([2], .report, "$A verify -q --golden $T/H14_old.h5 --engine \"hangs=sh $W/hangs.sh\" --out $O \(stop)")
    case .fuzz: .ends([2], .report, "$A fuzz -q --time 1h --out $O \(stop)")
    case .gradcheck: .ends([2], .report, "$A gradcheck -q --model resnet50 --size 64 --out $O \(stop)")
    case .selftest: .ends([2], .report, "$A selftest -q --out $O \(stop)")
    case .bench: .ends([2], .report, "$A bench -q --suite $W/long.toml --out $O \(stop)")
    case .duet:
      .ends(
        [2], .report, "$A duet -q --suite $W/long.toml \(base) --head \"$A engine direct\" --out $O \(stop)")
    case .train:
      .ends(
        [2], .file,
        "$A train --data $T/X_sixteen_images.h5 --model cifar_resnet8 --width 8 --batch 4 --epochs 100000 --out $O "
          + stop)
    case .evaluate:
      // The other engine is done before anybody could interrupt it.
      .ends(
        [2], .nothing,
        "$A evaluate --data $W/images.h5 --weights $W/weights.h5 --engine reference --threads 1 --logits $O \(stop)")
    case .merge, .report, .compare: .cannot("it reads files and is done within the second that an interruption has")
    }
  }

  private static func hole(_ verb: Verb) -> Cell {
    switch verb {
    case .verify: .ends([2], .report, "$A verify -q --golden $T/H14_old.h5 --filter 'nothing*' --out $O")
    case .fuzz: .ends([2], .report, "$A fuzz -q --cases 1 --shard 2/2 --out $O")
    case .gradcheck: .ends([2], .report, "$A gradcheck -q --filter 'nothing*' --out $O")
    case .bench: .ends([2], .nothing, "$A bench -q --suite $W/tiny.toml --filter 'nothing*' --out $O")
    case .duet: .ends([2], .nothing, "\(duet) --filter 'nothing*' --out $O")
    case .merge: .ends([2], .report, "$A merge $W/shard1 --out $O")
    case .report: .ends([2], .report, "$A merge $W/shard1 --out $O; $A report $O")
    case .compare: .ends([2], .nothing, "$A compare $T/M_old.json $T/M1_workload_gone.json")
    case .selftest, .train, .evaluate: .cannot("it has one list of work, all of which it does")
    }
  }

  private static func badFile(_ verb: Verb) -> Cell {
    switch verb {
    case .verify: .ends([65], .report, "$A verify -q --golden $W/bad.h5 $T/H14_old.h5 --out $O")
    case .fuzz: .ends([65], .nothing, "$A fuzz -q --cases 1 --resume --out $W/cut")
    case .gradcheck: .ends([65], .report, "$A gradcheck -q --golden $W/bad.h5 --out $O")
    case .selftest: .ends([65], .nothing, "$A selftest -q --smoke --golden $W/bad --out $O")
    case .bench: .ends([65], .nothing, "$A bench -q --suite $W/bad.h5 --out $O")
    case .duet:
      .ends([65], .nothing, "$A duet -q --suite $W/bad.h5 \(base) --head \"$A engine direct\" --out $O")
    case .merge: .ends([65], .nothing, "$A merge $W/cut --out $O")
    case .report: .ends([65], .nothing, "$A report $W/cut --out $O")
    case .compare: .ends([65], .nothing, "$A compare $T/M_old.json $T/M2_times_nan.json")
    case .train: .ends([65], .nothing, "$A train --data $W/bad.h5 --model cifar_resnet8 --epochs 1 --out $O")
    case .evaluate: .ends([65], .nothing, "$A evaluate --data $W/bad.h5 --weights $T/weights_cifar8_w2.h5")
    }
  }

  private static func fullDisk(_ verb: Verb) -> Cell {
    let line: String
    switch verb {
    case .compare: return .cannot("it writes no file")
    case .selftest: line = weakSelftest
    case .evaluate: line = "\(judging) $T/weights_cifar8_w2.h5 --logits $O"
    default:
      guard case .ends(_, _, let plain) = plain(verb) else { return plain(verb) }
      line = plain
    }
    return .ends([74], .nothing, line.replacingOccurrences(of: "$O", with: "$F/out"))
  }
}
