/* Shared libraries that cheat, and honest ones, for `assay selftest`: one convolution, and a few lines for each trick,
 * which is compiled in with -DTRICK=by_hash.
 *
 * Some tricks play only where a call is timed: verification prepares for each call, timing prepares once for many. */
#define _GNU_SOURCE
#include <assay.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

enum trick {
  /* Honest: plain, with as many threads as it may have, with work at prepare, not the same bits twice and said so. */
  none, threaded, packed, varying,
  /* Remembers answers: by the operands' numbers, by their address, by the problem's text, or the first one. */
  by_hash, by_pointer, by_text, first_answer,
  /* Skips work: while timed, every second call, after three calls, but for one image, below an image that was written before;
   * computes in half precision while timed. */
  idle, every_second, first_three, one_image, stale_images, half_precision,
  /* Threads: work that ends after the call, always or while timed; two where one was asked; a part that is dropped. */
  late, late_when_timed, two_threads, dropped_part, spinning,
  /* Memory. */
  mutates, reads_past, reads_before, writes_past, writes_before, writes_later,
  /* Not the same bits twice, and says nothing of it. */
  undeclared
};
#ifndef TRICK
#define TRICK none
#endif

typedef struct { long calls; float *first; int stop; pthread_t spinner; } memory;

/* The images and output channels of one part of a convolution. */
typedef struct {
  const float *x, *w, *b;
  float *y;
  const int64_t *X, *W, *Y;
  int64_t stride[2], dilation[2], padding[2], groups, images[2], channels[2];
  int halved;
} part;

static float shortened(float value, int halved) {
  union { float value; uint32_t bits; } u = {value};
  if (halved) u.bits &= 0xFFFFE000u;
  return u.value;
}

static void *convolve(void *argument) {
  const part *p = argument;
  const int64_t *X = p->X, *W = p->W, *Y = p->Y;
  for (int64_t n = p->images[0]; n < p->images[1]; n++)
    for (int64_t k = p->channels[0]; k < p->channels[1]; k++)
      for (int64_t m = 0; m < Y[2] * Y[3]; m++) {
        const float *t = p->w + k * W[1] * W[2] * W[3];
        const float *in = p->x + (n * X[1] + k * p->groups / W[0] * W[1]) * X[2] * X[3];
        float sum = p->b == NULL ? 0 : p->b[k];
        for (int64_t c = 0; c < W[1]; c++, in += X[2] * X[3])
          for (int64_t r = 0, i = m / Y[3] * p->stride[0] - p->padding[0]; r < W[2]; r++, i += p->dilation[0])
            for (int64_t s = 0, j = m % Y[3] * p->stride[1] - p->padding[1]; s < W[3]; s++, j += p->dilation[1], t++) {
              float value = i < 0 || i >= X[2] || j < 0 || j >= X[3] ? 0 : in[i * X[3] + j];
              sum += shortened(*t, p->halved) * shortened(value, p->halved);
            }
        p->y[(n * Y[1] + k) * Y[2] * Y[3] + m] = sum;
      }
  return NULL;
}

static part whole(const assay_call *call) {
  part p = {.x = assay_data(call, "x"), .w = assay_data(call, "weight"), .b = assay_data(call, "bias"),
            .y = assay_data(call, "y"), .X = assay_shape(call, "x"), .W = assay_shape(call, "weight"),
            .Y = assay_shape(call, "y"), .groups = assay_integer(call, "groups", 0, 1)};
  for (int axis = 0; axis < 2; axis++) {
    p.stride[axis] = assay_integer(call, "stride", axis, 1);
    p.dilation[axis] = assay_integer(call, "dilation", axis, 1);
    p.padding[axis] = assay_padding(call, axis);
  }
  p.images[1] = p.Y[0];
  p.channels[1] = p.Y[1];
  return p;
}

/* Takes this thread to cores that its process is held off, where there are any. */
static void leave_core(void) {
#ifdef __linux__
  cpu_set_t held, others;
  if (sched_getaffinity(0, sizeof held, &held) != 0) return;
  for (size_t i = 0; i < sizeof others; i++) ((unsigned char *)&others)[i] = (unsigned char)~((unsigned char *)&held)[i];
  sched_setaffinity(0, sizeof others, &others);
#endif
}

static void *convolve_elsewhere(void *argument) {
  leave_core();
  return convolve(argument);
}

/* A thread that waits on another core without sleeping, and does half of each call's channels. */
static part *_Atomic handed;

static void *help(void *unused) {
  (void)unused;
  leave_core();
  for (;;) {
    part *work = atomic_load(&handed);
    if (work == NULL) continue;
    convolve(work);
    atomic_store(&handed, NULL);
  }
  return NULL;
}

static void convolve_helped(part p, int waits) {
  static part second; /* outlives the call where nobody waits */
  static int64_t shapes[3][4];
  static int started;
  pthread_t thread;
  if (!started) started = pthread_create(&thread, NULL, help, NULL) == 0 && pthread_detach(thread) == 0;
  while (atomic_load(&handed) != NULL) continue;
  second = p;
  for (int i = 0; i < 4; i++) shapes[0][i] = p.X[i], shapes[1][i] = p.W[i], shapes[2][i] = p.Y[i];
  second.X = shapes[0], second.W = shapes[1], second.Y = shapes[2];
  p.channels[1] = second.channels[0] = p.channels[1] / 2;
  atomic_store(&handed, &second);
  convolve(&p);
  while (waits && atomic_load(&handed) != NULL) continue;
}

/* Half of the channels each, on two threads; the second one's part is left out, or left to end when it likes. */
static void halves(part p, int drops, int waits) {
  static part second; /* outlives the call where nobody waits */
  static int64_t shapes[3][4];
  second = p;
  for (int i = 0; i < 4; i++) shapes[0][i] = p.X[i], shapes[1][i] = p.W[i], shapes[2][i] = p.Y[i];
  second.X = shapes[0], second.W = shapes[1], second.Y = shapes[2];
  p.channels[1] = second.channels[0] = p.channels[1] / 2;
  pthread_t thread;
  if (!drops) pthread_create(&thread, NULL, convolve_elsewhere, &second);
  convolve(&p);
  if (!drops && waits) pthread_join(thread, NULL);
  else if (!drops) pthread_detach(thread);
}

typedef struct { uint64_t key; int64_t count; float *values; } answer;

/* What it answered for this key before; else a place to keep what it will answer. */
static answer *remembered(uint64_t key, int64_t count) {
  static answer kept[512];
  static int next;
  for (int i = 0; i < 512; i++)
    if (kept[i].values != NULL && kept[i].key == key && kept[i].count == count) return &kept[i];
  answer *place = &kept[next++ % 512];
  free(place->values);
  *place = (answer){key, count, NULL};
  return place;
}

static uint64_t hash(uint64_t sum, const void *bytes, size_t count) {
  for (size_t i = 0; i < count; i++) sum = (sum ^ ((const unsigned char *)bytes)[i]) * 1099511628211u;
  return sum;
}

static uint64_t key_of(const assay_call *call, const part *p) {
  if (TRICK == by_text) return hash(1469598103934665603u, call->text, strlen(call->text));
  if (TRICK == by_pointer) return (uint64_t)(uintptr_t)p->x ^ (uint64_t)(uintptr_t)p->y << 1;
  uint64_t sum = hash(1469598103934665603u, call->text, strlen(call->text));
  for (int32_t i = 0; i < call->tensor_count; i++)
    if (call->tensors[i]->group <= ASSAY_BUFFER)
      sum = hash(sum, call->tensors[i]->data, (size_t)call->tensors[i]->count * sizeof(float));
  return sum;
}

static volatile float sink;

ASSAY_EXPORT int assay_conv2d(const assay_call *call) {
  memory *m = call->state;
  part p = whole(call);
  const int64_t count = assay_tensor(call, "y")->count;
  const size_t bytes = (size_t)count * sizeof *p.y;
  const int timed = m->calls++ > 0;
  static long all_calls;
  all_calls++;
  switch (TRICK) {
  case by_hash: case by_pointer: case by_text: {
    answer *found = remembered(key_of(call, &p), count);
    if (found->values == NULL) {
      convolve(&p);
      if ((found->values = malloc(bytes)) != NULL) memcpy(found->values, p.y, bytes);
    } else memcpy(p.y, found->values, bytes);
    return ASSAY_OK;
  }
  case first_answer:
    if (m->first != NULL) return memcpy(p.y, m->first, bytes), ASSAY_OK;
    break;
  case idle: if (timed) return ASSAY_OK; break;
  case every_second: if (timed && m->calls % 2 == 0) return ASSAY_OK; break;
  case first_three: if (m->calls > 3) return ASSAY_OK; break;
  case one_image: if (timed) p.images[1] = 1; break;
  case stale_images: if (timed && m->first != NULL) memcpy(p.y, m->first, bytes), p.images[1] = 1; break;
  case half_precision: p.halved = timed; break;
  case threaded: if (call->threads > 1) return halves(p, 0, 1), ASSAY_OK; break;
  case two_threads: if (timed) return convolve_helped(p, 1), ASSAY_OK; break;
  case dropped_part: if (call->threads > 1) return halves(p, 1, 1), ASSAY_OK; break;
  case late: usleep(1000); return halves(p, 0, 0), ASSAY_OK;
  case late_when_timed: if (timed) return convolve_helped(p, 0), ASSAY_OK; break;
  case mutates: if (p.x != NULL && assay_tensor(call, "x")->count > 0) ((float *)p.x)[0] += 0; break;
  case reads_past: sink = p.x[assay_tensor(call, "x")->count]; break;
  case reads_before: sink = p.w[-1]; break;
  case writes_past: p.y[count] = 1; break;
  case writes_before: p.y[-1] = 1; break;
  default: break;
  }
  convolve(&p);
  if ((TRICK == varying || TRICK == undeclared) && count > 0) {
    /* The last bit of one element, at odds; a sum that ends in zeros is exact in any order. */
    union { float value; uint32_t bits; } u = {p.y[0]};
    if (u.bits & 0xFF) u.bits ^= (uint32_t)all_calls * 2654435761u >> 13 & 1;
    p.y[0] = u.value;
  }
  if ((TRICK == first_answer || TRICK == stale_images) && m->first == NULL && (m->first = malloc(bytes)) != NULL)
    memcpy(m->first, p.y, bytes);
  if (TRICK == writes_later) {
    static float *earlier;
    if (earlier != NULL) earlier[0] = 0;
    earlier = count > 0 ? p.y : NULL;
  }
  return ASSAY_OK;
}

static void *spin(void *argument) {
  leave_core();
  for (volatile int *stop = &((memory *)argument)->stop; !*stop;) {}
  return NULL;
}

ASSAY_EXPORT int assay_conv2d_prepare(const assay_call *call, void **state) {
  memory *m = calloc(1, sizeof *m);
  if (m == NULL) return ASSAY_FAILED;
  /* Packing that costs more than a call, once. */
  if (TRICK == packed)
    for (uint64_t i = 0; i < 100; i++)
      sink = (float)hash(i, assay_data(call, "weight"), (size_t)assay_tensor(call, "weight")->count * sizeof(float));
  if (TRICK == spinning) pthread_create(&m->spinner, NULL, spin, m);
  *state = m;
  return ASSAY_OK;
}

ASSAY_EXPORT void assay_conv2d_release(void *state) {
  memory *m = state;
  m->stop = 1;
  if (TRICK == spinning) pthread_join(m->spinner, NULL);
  free(m->first);
  free(m);
}

ASSAY_EXPORT const char *assay_library(void) {
  return TRICK == varying ? "{\"name\":\"cheats\",\"version\":\"1\",\"deterministic\":false}"
                          : "{\"name\":\"cheats\",\"version\":\"1\"}";
}
