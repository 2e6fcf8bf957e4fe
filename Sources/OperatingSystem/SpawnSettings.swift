import CSpawn
import Foundation

/// What `posix_spawn` is told beside the words: a process group of its own, every signal at its default and none blocked, and
/// no descriptor but the three standard streams.
struct SpawnSettings: ~Copyable {
  // The C library fills them: pointers on Darwin, structures elsewhere.
  #if canImport(Darwin)
    private var actions: posix_spawn_file_actions_t?
    private var attributes: posix_spawnattr_t?
  #else
    private var actions = posix_spawn_file_actions_t()
    private var attributes = posix_spawnattr_t()
  #endif

  init() {
    posix_spawn_file_actions_init(&actions)
    posix_spawnattr_init(&attributes)
    var (all, none) = (sigset_t(), sigset_t())
    sigfillset(&all)
    sigemptyset(&none)
    posix_spawnattr_setsigdefault(&attributes, &all)
    posix_spawnattr_setsigmask(&attributes, &none)
    posix_spawnattr_setpgroup(&attributes, 0)
    var flags = POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP
    #if canImport(Darwin)
      flags |= POSIX_SPAWN_CLOEXEC_DEFAULT
    #endif
    posix_spawnattr_setflags(&attributes, Int16(flags))
  }

  deinit {
    var (actions, attributes) = (actions, attributes)
    posix_spawn_file_actions_destroy(&actions)
    posix_spawnattr_destroy(&attributes)
  }

  mutating func openNull(as number: Int32) {
    posix_spawn_file_actions_addopen(&actions, number, "/dev/null", O_RDWR, 0)
  }

  mutating func duplicate(_ descriptor: Descriptor, as number: Int32) {
    posix_spawn_file_actions_adddup2(&actions, descriptor.number, number)
  }

  mutating func changeDirectory(_ path: String) { assay_spawn_change_directory(&actions, path) }

  /// Starts the program; what it shall have of descriptors is settled by then.
  /// - Returns: 0, or the system's number of what went wrong.
  mutating func spawn(
    _ child: inout pid_t, _ executable: String, _ arguments: [String], _ environment: [String: String]
  ) -> Int32 {
    assay_spawn_close_others(&actions)
    let words = ([executable] + arguments).map { strdup($0) } + [nil]
    let variables = environment.map { strdup("\($0.key)=\($0.value)") } + [nil]
    defer { for text in words + variables { free(text) } }
    return posix_spawn(&child, executable, &actions, &attributes, words, variables)
  }
}
