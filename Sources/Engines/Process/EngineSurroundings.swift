import Foundation

/// What an engine in another process sees of this one and of the machine.
///
/// An engine is somebody else's program. It gets the variables that it needs to find its libraries and to know how many threads
/// it may have, and no others: a CI's variables hold secrets.
public struct EngineSurroundings: Hashable, Sendable {
  /// Names of further variables that it gets.
  public var passedVariables: [String]
  /// Without network, and with a file system that is read-only.
  public var sandbox: Sandbox?

  public init(passedVariables: [String] = [], sandbox: Sandbox? = nil) {
    self.passedVariables = passedVariables
    self.sandbox = sandbox
  }

  /// Variables by their whole names.
  private static let names: Set<String> = [
    // Where programs, the user's files and temporaries are; the language of messages, and the hour.
    "PATH", "HOME", "TMPDIR", "LANG", "LANGUAGE", "TZ", "USER", "LOGNAME",
    // Where libraries are, a Python's and an interpreter's own among them.
    "LD_LIBRARY_PATH", "PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "CONDA_PREFIX", "JULIA_DEPOT_PATH", "JULIA_PROJECT",
    // Which device of several: what the user reserved, and nobody else's. They are numbers, no secrets.
    "CUDA_VISIBLE_DEVICES", "HIP_VISIBLE_DEVICES", "ROCR_VISIBLE_DEVICES", "ONEAPI_DEVICE_SELECTOR",
    // The instruction set that this program's own kernels are held to, where it serves them, and its plans.
    "ASSAY_ISA", "ASSAY_PLANS",
  ]
  /// Variables by how their names begin: locales, thread libraries, and the loader of Darwin.
  private static let prefixes = ["LC_", "OMP_", "GOMP_", "KMP_", "MKL_", "OPENBLAS_", "BLIS_", "TBB_", "DYLD_"]
  /// And by how they end: `NUMEXPR_NUM_THREADS`, `VECLIB_MAXIMUM_THREADS`.
  private static let suffixes = ["_NUM_THREADS", "_MAXIMUM_THREADS"]

  /// The variables that the engine gets.
  /// - Parameters:
  ///   - environment: this process's.
  ///   - temporaries: the folder that it is told to keep temporary files in.
  package func variables(of environment: [String: String], temporaries: String) -> [String: String] {
    var passed = environment.filter { name, _ in
      Self.names.contains(name) || passedVariables.contains(name) || Self.prefixes.contains(where: name.hasPrefix)
        || Self.suffixes.contains(where: name.hasSuffix)
    }
    if sandbox != nil { passed["TMPDIR"] = temporaries }
    return passed
  }
}
