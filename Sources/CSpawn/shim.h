// What posix_spawn can do beyond POSIX, which Swift's Glibc module leaves out; and whether waitid's child is only looked at.
#ifndef ASSAY_CSPAWN_SHIM_H
#define ASSAY_CSPAWN_SHIM_H
#include <spawn.h>
#if defined(__linux__)
#include <sys/prctl.h>
#endif

#if defined(__linux__)
extern int posix_spawn_file_actions_addchdir_np(posix_spawn_file_actions_t *actions, const char *path);
#if defined(__GLIBC__) && (__GLIBC__ > 2 || __GLIBC_MINOR__ >= 34)
extern int posix_spawn_file_actions_addclosefrom_np(posix_spawn_file_actions_t *actions, int from);
#define ASSAY_HAS_CLOSEFROM 1
#endif
#endif

// Nothing but the three standard streams reaches the child. Where the system cannot close the rest, each descriptor has to
// say for itself that it closes on exec.
static inline int assay_spawn_close_others(posix_spawn_file_actions_t *actions) {
#ifdef ASSAY_HAS_CLOSEFROM
  return posix_spawn_file_actions_addclosefrom_np(actions, 3);
#else
  (void)actions;
  return 0;
#endif
}

static inline int assay_spawn_change_directory(posix_spawn_file_actions_t *actions, const char *path) {
  return posix_spawn_file_actions_addchdir_np(actions, path);
}

// Whom a dead child leaves behind becomes this process's child, which can then wait for it: not every first process of a
// container does.
static inline void assay_adopt_orphans(void) {
#if defined(__linux__) && defined(PR_SET_CHILD_SUBREAPER)
  prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
#endif
}

#endif
