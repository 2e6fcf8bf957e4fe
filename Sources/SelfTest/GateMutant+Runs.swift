import Foundation
import Results
import RunAnalysis

/// Defects of what happens to verdicts after they were found: how parts become a run, and a run an exit code.
extension GateMutant {
  /// Runs are changed before they are merged.
  private static func before(_ name: String, _ change: @escaping @Sendable (inout [RunMerge.Part]) -> Void)
    -> GateMutant
  {
    GateMutant(name) { gate in
      let merge = gate.merge
      gate.merge = { parts, expected in
        var parts = parts
        change(&parts)
        return merge(parts, expected)
      }
    }
  }

  /// A merged run is changed before anybody sees it.
  private static func after(_ name: String, _ change: @escaping @Sendable (inout Run) -> Void) -> GateMutant {
    GateMutant(name) { gate in
      let merge = gate.merge
      gate.merge = { parts, expected in
        guard var run = merge(parts, expected) else { return nil }
        change(&run)
        return run
      }
    }
  }

  private static func ending(_ name: String, _ change: @escaping @Sendable (Run, Int) -> Int) -> GateMutant {
    GateMutant(name) { gate in
      let conclude = gate.concludeRun
      gate.concludeRun = { change($0, conclude($0)) }
    }
  }

  static let runs: [GateMutant] = [
    GateMutant("an internal error taken for a refusal") { gate in
      let judge = gate.judge
      gate.judge = { item, engine, dtype in
        var result = judge(item, engine, dtype)
        if item.golden.expectError != nil, result.status == .error { result.status = .refused }
        return result
      }
    },
    concluding("an interruption is a success") { section, code in section.interrupted && code == 2 ? 0 : code },
    concluding("a case that was not run is a success") { section, code in
      code == 2 && section.results.contains { $0.status == .notRun } ? 0 : code
    },
    after("merge forgets a part") { $0.gradients = nil },
    after("merge forgets a shard's failures") { run in
      run.verification?.results.removeAll { $0.status == .fail }
    },
    after("merge forgets an interruption") { run in
      run.verification?.interrupted = false
      run.gradients?.interrupted = false
      run.verification?.holes?.removeAll { $0.reason.contains("interrupted") }
      run.holes?.removeAll { $0.reason.contains("interrupted") }
    },
    after("merge forgets stale known failures") { $0.verification?.staleKnownFailures = [] },
    GateMutant("a known failure is stale where one shard does not need it") { gate in
      let merge = gate.merge
      gate.merge = { parts, expected in
        guard var run = merge(parts, expected) else { return nil }
        for record in parts.flatMap({ $0.run.verification?.knownFailures ?? [] }) where record.failing == 0 {
          run.verification?.staleKnownFailures.append(
            StaleKnownFailure(engine: record.engine, caseGlob: record.caseGlob, problem: "nothing fails"))
        }
        return run
      }
    },
    after("a missing shard is a success") { $0.verification?.holes = nil },
    after("a missing part is a success") { $0.holes = nil },
    before("merge joins other engines") { parts in
      let engines = parts.first?.run.verification?.engines ?? []
      for index in parts.indices { parts[index].run.verification?.engines = engines }
    },
    before("merge joins other precisions") { parts in
      for index in parts.indices { parts[index].run.verification?.dtypes = nil }
    },
    before("merge joins other instruction sets") { parts in
      for index in parts.indices { parts[index].run.provenance.instructionSet = nil }
    },
    before("merge takes a shard twice") { parts in
      for index in parts.indices { parts[index].run.verification?.shard?.index = index }
    },
    ending("a run's exit code dropped") { _, _ in 0 },
    ending("the verification's exit code is the run's") { run, _ in
      run.verification.map { Int($0.conclusion.outcome.exitCode) } ?? 0
    },
    ending("the larger exit code is the worse") { run, code in
      run.conclusions.map { Int($0.conclusion.outcome.exitCode) }.max() ?? code
    },
    ending("a run of nothing is a success") { run, code in run.conclusions.isEmpty ? 0 : code },
    ending("doubtful times are a success") { run, code in code == 2 && run.benchmark?.doubts != nil ? 0 : code },
    GateMutant("what a file says of itself is believed") { gate in
      let conclude = gate.concludeStored
      gate.concludeStored = { data in
        let record = (try? JSONSerialization.jsonObject(with: data)) as? [String: Any]
        return record?["outcome"] as? String == Outcome.holds.rawValue ? 0 : conclude(data)
      }
    },
  ]
}
