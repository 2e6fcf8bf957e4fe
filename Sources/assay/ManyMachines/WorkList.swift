import Foundation
import OperatingSystem
import Reporting
import Verification

/// The pieces of work of a command with what each costs, for schedulers that place work themselves.
struct WorkList: Encodable {
  struct Piece: Encodable {
    /// What `--filter` takes, with `=` before it.
    var name: String
    /// The golden file that it is of.
    var file: String?
    /// In proportion to the time that it takes on any machine; of one command's list alone.
    var cost: Double
  }

  var command: String
  var pieces: [Piece]

  init(command: String, _ pieces: [Piece]) {
    self.command = command
    self.pieces = pieces
  }

  /// A name a line, or JSON.
  /// - Parameters:
  ///   - json: where JSON goes; `-` is stdout, and `nil` asks for the names.
  func write(json: String?) throws {
    guard let json else {
      for piece in pieces { Console.print(piece.name.printable) }
      return
    }
    try JSONOption.write(JSONText.data(self), to: json)
  }

  /// Those of one shard.
  func part(_ shard: Shard?) -> WorkList {
    guard let shard else { return self }
    return WorkList(
      command: command, shard.part(of: pieces, key: { Verifier.key(file: $0.file ?? "", name: $0.name) }, cost: \.cost))
  }
}
