import Results

/// A built-in engine in a process of its own.
enum ServedEngine {
  /// What this program made itself was held against the limits already, or is to be timed and no more: what a case may take is
  /// reckoned for verification.
  private static let limits = ["--max-memory", "\(1 << 50)", "--max-work", "\(1 << 50)"]

  /// The shell's command that serves it.
  /// - Parameters:
  ///   - program: the path of this program.
  ///   - name: the engine's.
  ///   - options: of `assay engine`.
  static func command(_ program: String, _ name: String, options: [String] = []) -> String {
    "exec \(ShellCommand([program, "engine", name] + options + limits))"
  }
}
