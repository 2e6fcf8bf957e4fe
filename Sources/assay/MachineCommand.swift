import ArgumentParser
import Benchmarking
import Foundation
import Reporting
import Results

struct MachineCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "machine",
    abstract: "What this machine is, what it can do at most, and what may disturb timings.",
    discussion: """
      The peaks are measured, on one thread and on all cores, in a few seconds.

      EXAMPLES:
        assay machine
        assay machine --json machine.json

      \(Outcome.exitCodes)
      """)

  @OptionGroup var json: JSONOption
  @OptionGroup var colors: ColorOption

  private struct Output: Encodable {
    var machine: MachineRecord
    var ceilings: [CeilingRecord]
  }

  func run() throws {
    try json.check()
    let machine = MachineProbe.record()
    let counts = machine.cores > 1 ? [1, machine.cores] : [1]
    let ceilings = try counts.map { try MachineProbe.ceilings(threads: $0) }
    try json.write(Output(machine: machine, ceilings: ceilings))
    func bytes(_ value: Int?) -> String { value.map { "\($0 >> 10) KiB" } ?? "unknown" }
    var rows = [
      ["CPU", machine.cpuModel], ["cores", "\(machine.cores)"],
      [
        "instruction sets",
        machine.instructionSets.joined(separator: ", ") + ", using \(machine.selectedInstructionSet)",
      ],
      ["L1 data, L2, L3", [machine.l1DataBytes, machine.l2Bytes, machine.l3Bytes].map(bytes).joined(separator: ", ")],
      ["frequency governor", machine.governor ?? "the system does not say"],
      ["load average", machine.loadBefore.map { "\($0)" } ?? "the system does not say"],
    ]
    for ceiling in ceilings {
      let l3 = ceiling.l3GigabytesPerSecond.map { String(format: ", L3 copy %.1f GB/s", $0) } ?? ""
      rows.append([
        "\(ceiling.threads) thread\(ceiling.threads == 1 ? "" : "s")",
        String(format: "FMA peak %.1f GF/s, L2 copy %.1f GB/s", ceiling.peakGigaflops, ceiling.l2GigabytesPerSecond)
          + l3
          + String(format: ", memory copy %.1f GB/s", ceiling.memoryGigabytesPerSecond),
      ])
    }
    Console.print(TextTable([], rows).text, terminator: "")
    for warning in machine.warnings { Console.print(colors.color.doubtful("warning: \(warning)")) }
  }
}
