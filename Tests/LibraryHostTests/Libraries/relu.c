/* relu in float32, right or wrong in one way: the way is the macro that it is compiled with. */
#define _GNU_SOURCE
#if defined(NEWER_ABI)
/* What the assay.h of a later version would define, in place of this one's. */
#define assay_abi replaced
#include <assay.h>
#undef assay_abi
__attribute__((visibility("default"))) const int32_t assay_abi = ASSAY_ABI + 1;
#else
#include <assay.h>
#endif
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static float positive(float x) { return x < 0 ? 0 : x; }

static void compute(const float *x, float *y, int64_t count) {
  for (int64_t i = 0; i < count; i++) y[i] = positive(x[i]);
}

#if defined(WAITS_FOR_ITS_THREAD)
static void *stops(void *done) {
  usleep(500);
  *(volatile int *)NULL = 1;
  *(volatile int *)done = 1;
  return NULL;
}
#endif

#if defined(LATE_WRITE)
struct work { const float *x; float *y; int64_t count; };

static void *later(void *argument) {
  struct work *work = argument;
  usleep(50000);
  for (int64_t i = 0; i < work->count; i++) work->y[i] = 1;
  return NULL;
}
#endif

#if defined(THREAD_OVER_READ)
static void *over_read(void *argument) {
  volatile const float *past = argument;
  float found = *past;
  (void)found;
  return NULL;
}
#endif

ASSAY_EXPORT int assay_relu(const assay_call *call) {
  const assay_view *view = assay_tensor(call, "x");
#if defined(REFUSES)
  static char message[64];
  snprintf(message, sizeof message, "refused with code %d in %d threads", REFUSES, (int)call->threads);
  return assay_refuse(call, REFUSES, message);
#endif
  const float *x = assay_data(call, "x");
  float *y = assay_data(call, "y");
  const int64_t count = view->count;
#if defined(OVER_READ)
  volatile float past = x[count + OVER_READ - 1];
  (void)past;
#elif defined(UNDER_READ)
  volatile float before = x[-UNDER_READ];
  (void)before;
#elif defined(OVER_WRITE)
  y[count] = 0;
#elif defined(NEAR_WRITE)
  y[-1] = 0; /* within the lead of a tensor that ends flush with its guard */
#elif defined(MUTATES)
  ((float *)x)[3] = 0;
#elif defined(NULL_POINTER)
  *(volatile int *)NULL = 0;
#elif defined(ABORTS)
  abort();
#elif defined(EXITS)
  exit(EXITS);
#elif defined(KILLED)
  fprintf(stderr, "about to end\n");
  kill(getpid(), 9);
#elif defined(DIVIDES)
  volatile int seven = 7, zero = 0;
  return seven / zero;
#elif defined(PRINTS)
  printf("{\"id\":1,\"result\":{}}\n");
  fflush(stdout);
  if (getchar() != EOF) return ASSAY_FAILED;
#elif defined(RECURSES)
  volatile char frame[1 << 12];
  frame[0] = 1;
  int deeper = assay_relu(call);
  return deeper + frame[0];
#elif defined(UNKNOWN_CODE)
  return assay_refuse(call, 77, "it is Monday");
#elif defined(THREAD_OVER_READ)
  pthread_t thread;
  pthread_create(&thread, NULL, over_read, (void *)(x + count));
  pthread_join(thread, NULL);
#elif defined(WAITS_FOR_ITS_THREAD)
  /* The thread stops between this call and the next one, which waits for it. */
  static volatile int done;
  static int calls;
  pthread_t thread;
  if (calls++ == 0 && pthread_create(&thread, NULL, stops, (void *)&done) == 0) pthread_detach(thread);
  else while (!done) continue;
#elif defined(LATE_WRITE)
  static struct work work;
  work = (struct work){x, y, count};
  pthread_t thread;
  pthread_create(&thread, NULL, later, &work);
  pthread_detach(thread);
  return ASSAY_OK;
#elif defined(CANARY)
  /* The declared alignment leaves a gap behind the last element; this lets it into the result. */
  compute(x, y, count);
  if (count % 16 != 0) y[0] = x[count] + 0.0f;
  return ASSAY_OK;
#elif defined(GAP_READ)
  /* As a vector kernel may: it reads the gap, and nothing of it shows. */
  volatile float beside = count % 16 != 0 ? x[count] : 0;
  (void)beside;
#elif defined(UNSTEADY)
  static int calls = 1;
  compute(x, y, count);
  if (count > 0) y[0] += (float)calls++ * 0x1p-20f;
  return ASSAY_OK;
#elif defined(BY_PLACE)
  /* Its bits depend on where its operands lie, as the order of a vectorised sum may. */
  compute(x, y, count);
  if (count > 0 && ((uintptr_t)x & 63) != 0) y[0] = nextafterf(y[0], 2);
  return ASSAY_OK;
#elif defined(NEEDS_STATE)
  if (call->state == NULL || strcmp((const char *)call->state, "packed") != 0) return ASSAY_FAILED;
#endif
  compute(x, y, count);
  return ASSAY_OK;
}

#if defined(NEEDS_STATE)
ASSAY_EXPORT int assay_relu_prepare(const assay_call *call, void **state) {
  /* No activation may be known yet; their shapes are. */
  if (assay_data(call, "x") != NULL || assay_shape(call, "x") == NULL) return ASSAY_FAILED;
  *state = strdup("packed");
  call->reply->workspace_bytes = 7;
  call->reply->description = "packed relu";
  return ASSAY_OK;
}

ASSAY_EXPORT void assay_relu_release(void *state) { free(state); }
#endif

#if defined(TWO)
ASSAY_EXPORT int assay_identity(const assay_call *call) {
  memcpy(assay_data(call, "y"), assay_data(call, "x"), sizeof(float) * (size_t)assay_tensor(call, "x")->count);
  return ASSAY_OK;
}

ASSAY_EXPORT int assay_identity_backward(const assay_call *call) {
  const assay_view *dy = assay_tensor(call, "upstream/y"), *dx = assay_tensor(call, "gradients/x");
  memcpy(dx->data, dy->data, sizeof(float) * (size_t)dy->count);
  return ASSAY_OK;
}
#endif

#if defined(RENAMED)
ASSAY_EXPORT int my_relu(const assay_call *call) { return assay_relu(call); }
#endif

#if defined(DECLARES)
ASSAY_EXPORT const char *assay_library(void) { return DECLARES; }
#endif
