import ArgumentParser
import Foundation
import Results

/// Whether words among the results are coloured: on a terminal, unless `NO_COLOR` is set or the user says otherwise.
enum TerminalColor: String, ExpressibleByArgument, CaseIterable {
  case auto, always, never

  private var isOn: Bool {
    switch self {
    case .always: true
    case .never: false
    case .auto:
      isatty(Console.resultDescriptor) == 1 && (ProcessInfo.processInfo.environment["NO_COLOR"] ?? "").isEmpty
        && ProcessInfo.processInfo.environment["TERM"] != "dumb"
    }
  }

  func good(_ text: String) -> String { painted(text, 32) }
  func bad(_ text: String) -> String { painted(text, 31) }
  func doubtful(_ text: String) -> String { painted(text, 33) }

  func painted(_ text: String, as outcome: Outcome) -> String {
    switch outcome {
    case .holds: good(text)
    case .inconclusive: doubtful(text)
    case .fails, .notWritten, .badData, .internalError: bad(text)
    }
  }

  private func painted(_ text: String, _ code: Int) -> String { isOn ? "\u{1B}[\(code)m\(text)\u{1B}[0m" : text }
}
