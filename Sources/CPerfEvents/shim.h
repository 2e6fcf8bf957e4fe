// perf_event_open, which the C library has no function for and whose settings are bit fields, in numbers alone.
#ifndef ASSAY_CPERFEVENTS_SHIM_H
#define ASSAY_CPERFEVENTS_SHIM_H
#include <errno.h>
#include <stdint.h>
#include <sys/types.h>

// One reading: what was counted, and for how long the counter was asked for and had a place in the processor, in nanoseconds.
struct assay_count {
  int error;
  uint64_t value, enabled, running;
};

#if defined(__linux__)
#include <linux/perf_event.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum {
  ASSAY_COUNT_INSTRUCTIONS,
  ASSAY_COUNT_CYCLES,
  ASSAY_COUNT_TASK_CLOCK,
};

// Counts outside the kernel, of a thread and of all that it starts from now on. A descriptor that closes on exec, or the error
// with its sign turned.
static inline int assay_count_open(int event, pid_t thread) {
  struct perf_event_attr settings;
  memset(&settings, 0, sizeof settings);
  settings.size = sizeof settings;
  settings.type = event == ASSAY_COUNT_TASK_CLOCK ? PERF_TYPE_SOFTWARE : PERF_TYPE_HARDWARE;
  settings.config = event == ASSAY_COUNT_INSTRUCTIONS ? PERF_COUNT_HW_INSTRUCTIONS
                    : event == ASSAY_COUNT_CYCLES     ? PERF_COUNT_HW_CPU_CYCLES
                                                      : PERF_COUNT_SW_TASK_CLOCK;
  settings.read_format = PERF_FORMAT_TOTAL_TIME_ENABLED | PERF_FORMAT_TOTAL_TIME_RUNNING;
  settings.inherit = 1;
  settings.exclude_kernel = 1;
  settings.exclude_hv = 1;
  long descriptor = syscall(SYS_perf_event_open, &settings, thread, -1, -1, PERF_FLAG_FD_CLOEXEC);
  return descriptor < 0 ? -errno : (int)descriptor;
}

static inline struct assay_count assay_count_read(int descriptor) {
  struct assay_count found = {0, 0, 0, 0};
  uint64_t numbers[3];
  ssize_t size = read(descriptor, numbers, sizeof numbers);
  if (size != (ssize_t)sizeof numbers) {
    found.error = size < 0 ? errno : EIO;
    return found;
  }
  found.value = numbers[0];
  found.enabled = numbers[1];
  found.running = numbers[2];
  return found;
}
#endif

#endif
