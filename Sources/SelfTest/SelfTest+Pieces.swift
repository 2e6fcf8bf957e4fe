import Foundation
import Problems
import Results

/// What a self-test is made of: pieces that machines share, and that a run which was killed does not do again.
extension SelfTest {
  /// What one piece of a self-test found.
  public struct Piece: Codable, Sendable {
    public var mutants: [MutantRecord] = []
    public var checksOfCorrectCode = 0
    public var falseAlarms: [String] = []
  }

  static let correctCode = "correct code"
  static let oracle = "oracle"
  static let gate = "gate"
  static func name(_ mutant: Mutant) -> String { "\(mutant.family.rawValue)/\(mutant.name)" }
  static func seedName(_ number: Int) -> String { "seed/\(number + 1)" }
  static func name(_ cheat: Cheat) -> String { "\(Mutant.Family.cheats.rawValue)/\(cheat.name)" }

  /// What a self-test is made of, and what each piece costs beside the others.
  public func pieces(_ trial: CheatTrial?) -> [(name: String, cost: Double)] {
    var found: [(String, Double)] = []
    if !mutants.isEmpty { found.append((Self.correctCode, 20)) }
    // Those of size classes are looked for with random problems.
    found += mutants.map { (Self.name($0), $0.family == .classes ? 4 : 1) }
    if !mutants.isEmpty { found.append((Self.oracle, 10)) }
    if !gateMutants.isEmpty { found.append((Self.gate, 10)) }
    found += (0..<seeds).map { (Self.seedName($0), 8) }
    return found + (trial?.cheats ?? []).map { (Self.name($0), 30) }
  }

  func isMine(_ piece: String) -> Bool { chosen?.contains(piece) ?? true }

  func open(_ piece: String) -> Bool { isMine(piece) && earlier[piece] == nil }

  /// Does a piece, or takes it from an earlier run.
  func piece(_ name: String, _ section: inout SelfTestSection, _ find: () throws -> Piece?) rethrows {
    guard isMine(name) else { return }
    var found = earlier[name]
    if found == nil {
      found = try find()
      // What was cut short is not known, and a tool that was missing may be there the next time.
      if let found, !Task.isCancelled, found.mutants.allSatisfy({ $0.notRun == nil }) { onPiece(name, found) }
    }
    guard let found else { return }
    section.mutants += found.mutants
    section.checksOfCorrectCode += found.checksOfCorrectCode
    section.falseAlarms += found.falseAlarms
    keep(section)
  }
}
