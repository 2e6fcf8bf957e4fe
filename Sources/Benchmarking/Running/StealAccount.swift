/// What the hypervisor took while something was timed, added up over the workloads.
struct StealAccount {
  private var start: MachineProbe.CPUTicks?
  private var total = 0.0
  private var stolen = 0.0

  mutating func begin() { start = .now() }

  mutating func end() { add(from: start, to: .now()) }

  mutating func add(from start: MachineProbe.CPUTicks?, to end: MachineProbe.CPUTicks?) {
    guard let start, let end else { return }
    total += end.total - start.total
    stolen += end.steal - start.steal
  }

  /// Of the CPU time of all cores. The system counts in hundredths of a second: of less than a second of one core a single
  /// tick would be more than a hundredth.
  /// - Returns: `nil` where the system does not tell, or too little was timed.
  var fraction: Double? { total >= 100 ? stolen / total : nil }
}
