/* An engine that computes nothing and holds MEBIBYTES of memory that it wrote to: from prepare on, only within prepare (BRIEFLY), or
 * in a child (IN_CHILD). It holds 30 MiB within its hello, too, which is nobody's network. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static char *hold(size_t mebibytes) {
  char *bytes = mmap(NULL, mebibytes << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (bytes == MAP_FAILED) exit(3);
  memset(bytes, 1, mebibytes << 20);
  return bytes;
}

static void prepare(void) {
#ifdef IN_CHILD
  int ready[2];
  if (pipe(ready) != 0) exit(3);
  if (fork() == 0) {
    hold(MEBIBYTES);
    if (write(ready[1], "x", 1) != 1) exit(3);
    pause();
  }
  char byte;
  if (read(ready[0], &byte, 1) != 1) exit(3);
#else
  char *bytes = hold(MEBIBYTES);
#ifdef BRIEFLY
  munmap(bytes, (size_t)MEBIBYTES << 20);
#else
  (void)bytes;
#endif
#endif
}

int main(void) {
  static char line[1 << 20];
  while (fgets(line, sizeof line, stdin)) {
    int id = atoi(strstr(line, "\"id\":") + 5);
    if (strstr(line, "\"hello\"")) {
      munmap(hold(30), 30 << 20);
      printf("{\"id\":%d,\"result\":{\"protocol\":2,\"name\":\"allocating\",\"version\":\"1\",\"operations\":[\"conv2d\"],"
             "\"dtypes\":[\"float32\"],\"passes\":[\"forward\"]}}\n", id);
    } else if (strstr(line, "\"prepare\"")) {
      prepare();
      printf("{\"id\":%d,\"result\":{\"handle\":\"1\"}}\n", id);
    } else if (strstr(line, "\"time\"")) {
      int count = atoi(strstr(line, "\"iterations\":") + 13);
      printf("{\"id\":%d,\"result\":{\"nanoseconds\":[1", id);
      while (--count > 0) printf(",1");
      printf("]}}\n");
    } else {
      printf("{\"id\":%d,\"result\":{}}\n", id);
    }
    fflush(stdout);
  }
  return 0;
}
