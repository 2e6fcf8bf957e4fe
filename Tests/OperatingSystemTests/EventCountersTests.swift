import Foundation
import OperatingSystem
import Testing

#if os(Linux)
  @Suite struct EventCountersTests {
    /// A shell that computes when it is told to, in a process that it starts then, and tells when that has ended.
    private func workingChild(rounds: Int) throws -> ChildProcess {
      let work = "i=0; while [ $i -lt \(rounds) ]; do i=$((i+1)); done"
      return try ChildProcess(
        "/bin/sh", ["-c", "while read line; do ( \(work) ); echo done; done"], input: .pipe, output: .pipe)
    }

    private func work(_ child: ChildProcess) throws {
      child.input?.write(Array("go\n".utf8))
      #expect(try #require(child.output?.read()) == Array("done\n".utf8))
    }

    /// The kernel's own clock of threads goes through the same counters as the processor's events: it counts the processes that are
    /// started later, and nothing of before.
    @Test func whatIsStartedLaterCountsAndWhatWasBeforeDoesNot() throws {
      let child = try workingChild(rounds: 200_000)
      defer { child.killGroup() }
      try work(child)
      let before = Double(try #require(child.cpuNanoseconds()))
      #expect(child.counts() == nil)
      try child.startCounting([.taskClock])
      #expect(try #require(child.counts()) == [.taskClock: 0])
      try work(child)
      let counted = Double(try #require(child.counts()?[.taskClock]))
      // Of the process that has ended the reaping shell's account tells alone.
      let status = try String(contentsOfFile: "/proc/\(child.identifier)/stat", encoding: .utf8)
      let fields = try #require(status.split(separator: ")").last).split(separator: " ")
      // User and system time of the shell and of what it has waited for, in ticks of 10 ms: both rounds of it.
      let ticks = try fields[11...14].reduce(0.0) { $0 + (try #require(Double($1))) }
      let all = ticks * 1e9 / Double(sysconf(Int32(_SC_CLK_TCK)))
      // Two equal rounds: the counter has seen one of them. A quarter is for ticks and for a core that was slower in one.
      #expect(counted > 0.25 * all && counted < 0.75 * all, "\(counted) of \(all) ns; before \(before)")
    }

    /// A processor that counts has at least as many instructions as rounds; one that does not says why.
    @Test func processorsCountOrSayWhyNot() throws {
      let child = try workingChild(rounds: 10_000)
      defer { child.killGroup() }
      do {
        try child.startCounting(CountedEvent.ofProcessor)
        try work(child)
        let counts = try #require(child.counts())
        #expect(try #require(counts[.instructions]) > 10_000 && #require(counts[.cycles]) > 0)
      } catch let refusal as EventCounters.Refusal {
        #expect(
          ["the processor counts no ", "the system allows it not: kernel.perf_event_paranoid is ", "perf_event_open: "]
            .contains { refusal.description.hasPrefix($0) }, "\(refusal)")
        #expect(child.counts() == nil)
      }
    }

    @Test func whatHasEndedIsNotCounted() throws {
      let child = try ChildProcess("/bin/true", [])
      child.wait()
      let refusal = #expect(throws: EventCounters.Refusal.self) { try child.startCounting([.taskClock]) }
      #expect(refusal?.description == "process \(child.identifier) has no thread that could be counted")
    }
  }
#endif
