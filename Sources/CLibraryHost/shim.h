// What holds a library of others' code needs of C: the structs of assay.h, and a call that a fault returns from.
#ifndef ASSAY_CLIBRARYHOST_SHIM_H
#define ASSAY_CLIBRARYHOST_SHIM_H
#define ASSAY_HOST
#include "../../Benchmarks/engines/include/assay.h"
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

// What a watched call returns in place of the library's code when a signal ended it.
#define ASSAY_FAULTED (-0x7A55A7)

enum { ASSAY_ACCESS_UNKNOWN = 0, ASSAY_ACCESS_READ = 1, ASSAY_ACCESS_WRITE = 2 };

typedef struct assay_fault {
  int32_t signal;  // 0: there was none
  int32_t access;  // of a page fault, where the system tells
  uintptr_t address;
} assay_fault;

typedef struct assay_watch {
  sigjmp_buf escape;
  pthread_t caller;
  volatile sig_atomic_t is_inside;     // the caller is in the library's code
  volatile sig_atomic_t is_answering;  // a request is not yet answered
  volatile sig_atomic_t has_fault;     // `fault` is written
  int claimed;                         // by the first thread that faults
  int is_installed;
  assay_fault fault;
} assay_watch;

// One for the whole program: what Swift takes over from a header it compiles into each object file that calls it, and of weak
// functions the linker keeps one. (A variable beside the functions would not be taken over.)
__attribute__((weak, noinline)) assay_watch *assay_watched(void) {
  static assay_watch watch;
  return &watch;
}

// Seconds that the process has left after a fault: the library may have held the allocator's lock.
#define ASSAY_LAST_SECONDS 5

static inline int32_t assay_access_of(int signal, void *context) {
#if defined(__linux__) && defined(__x86_64__)
  // A page fault's error code; bit 1: it was a write. (REG_ERR and REG_TRAPNO, which need _GNU_SOURCE to be named.)
  const ucontext_t *at = (const ucontext_t *)context;
  if (signal != SIGSEGV || at->uc_mcontext.gregs[20] != 14) return ASSAY_ACCESS_UNKNOWN;
  return (at->uc_mcontext.gregs[19] & 2) != 0 ? ASSAY_ACCESS_WRITE : ASSAY_ACCESS_READ;
#elif defined(__APPLE__) && defined(__x86_64__)
  const ucontext_t *at = (const ucontext_t *)context;
  (void)signal;
  return (at->uc_mcontext->__es.__err & 2) != 0 ? ASSAY_ACCESS_WRITE : ASSAY_ACCESS_READ;
#elif defined(__APPLE__) && defined(__aarch64__)
  // ESR_EL1's WnR.
  const ucontext_t *at = (const ucontext_t *)context;
  (void)signal;
  return (at->uc_mcontext->__es.__esr & 0x40) != 0 ? ASSAY_ACCESS_WRITE : ASSAY_ACCESS_READ;
#else
  (void)signal;
  (void)context;
  return ASSAY_ACCESS_UNKNOWN;
#endif
}

// The first fault is kept. The calling thread leaves the library's code; another thread stops where it is, for good, and has
// the caller leave, which may be waiting for it. A fault of the host's own ends the process as it would without this, and one
// that comes while nothing is asked at once.
static void assay_on_fault(int number, siginfo_t *info, void *context) {
  int is_caller = pthread_equal(pthread_self(), assay_watched()->caller);
  int is_sent = info->si_code <= 0;
  if (is_caller && !assay_watched()->is_inside) {
    if (is_sent && assay_watched()->has_fault) return;
    signal(number, SIG_DFL);
    if (is_sent) raise(number);
    return;
  }
  if (!assay_watched()->is_answering) {
    // Nobody asked for anything: what the thread would have changed is answered for.
    static const char said[] = "a thread that the library left behind touched memory of a call that was answered\n";
    ssize_t written = write(2, said, sizeof said - 1);
    (void)written;
    _exit(1);
  }
  if (!__sync_lock_test_and_set(&assay_watched()->claimed, 1)) {
    assay_watched()->fault.signal = number;
    assay_watched()->fault.access = is_sent ? ASSAY_ACCESS_UNKNOWN : assay_access_of(number, context);
    assay_watched()->fault.address = is_sent ? 0 : (uintptr_t)info->si_addr;
    assay_watched()->has_fault = 1;
    alarm(ASSAY_LAST_SECONDS);
  }
  // Before it is asked where the caller is: either it is found inside, or it finds the fault when it enters.
  __sync_synchronize();
  if (is_caller) siglongjmp(assay_watched()->escape, 1);
  if (assay_watched()->is_inside) pthread_kill(assay_watched()->caller, number);
  for (;;) pause();
}

// Signals of wrong code come to `assay_on_fault`, on a stack of their own, since the fault may be the end of the stack.
static inline void assay_watch_this_thread(void) {
  static __thread int has_stack;
  if (!has_stack) {
    stack_t stack;
    memset(&stack, 0, sizeof stack);
    stack.ss_size = 1 << 16;
    stack.ss_sp = malloc(stack.ss_size);
    if (stack.ss_sp != NULL) sigaltstack(&stack, NULL);
    has_stack = 1;
  }
  assay_watched()->caller = pthread_self();
  if (assay_watched()->is_installed) return;
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_sigaction = assay_on_fault;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK;
  sigemptyset(&action.sa_mask);
  const int signals[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL};
  for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++) sigaction(signals[i], &action, NULL);
  // An abort ends the process at once, without Swift's own account of it.
  signal(SIGABRT, SIG_DFL);
  assay_watched()->is_installed = 1;
}

static inline void assay_watch_answering(int is_answering) { assay_watched()->is_answering = is_answering; }

// After a fault its signal is still blocked: the mask is put back here and not by every call that has none.
static inline int assay_escaped(void) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, assay_watched()->fault.signal);
  pthread_sigmask(SIG_UNBLOCK, &set, NULL);
  assay_watched()->is_inside = 0;
  return ASSAY_FAULTED;
}

// Whether the caller may enter the library's code: not when another thread has stopped for good, which it might wait for.
static inline int assay_entered(void) {
  assay_watched()->is_inside = 1;
  __sync_synchronize();
  if (!assay_watched()->has_fault) return 1;
  assay_watched()->is_inside = 0;
  return 0;
}

// The library's code, or ASSAY_FAULTED. Nothing of the library may be called after a fault: its locks may be held for ever.
// - Requires: assay_watch_this_thread on this thread.
static __attribute__((noinline)) int assay_watched_call(assay_function function, const assay_call *call) {
  if (sigsetjmp(assay_watched()->escape, 0) != 0) return assay_escaped();
  if (!assay_entered()) return ASSAY_FAULTED;
  int code = function(call);
  assay_watched()->is_inside = 0;
  return code;
}

static __attribute__((noinline)) int assay_watched_prepare(
    assay_prepare_function function, const assay_call *call, void **state) {
  if (sigsetjmp(assay_watched()->escape, 0) != 0) return assay_escaped();
  if (!assay_entered()) return ASSAY_FAULTED;
  int code = function(call, state);
  assay_watched()->is_inside = 0;
  return code;
}

static __attribute__((noinline)) int assay_watched_release(assay_release_function function, void *state) {
  if (sigsetjmp(assay_watched()->escape, 0) != 0) return assay_escaped();
  if (!assay_entered()) return ASSAY_FAULTED;
  function(state);
  assay_watched()->is_inside = 0;
  return ASSAY_OK;
}

// The first fault of any thread; `signal` 0 where there was none.
static inline assay_fault assay_first_fault(void) {
  assay_fault none = {0, 0, 0};
  return assay_watched()->has_fault ? assay_watched()->fault : none;
}
#endif
