/* assay.h, ABI 1: a kernel as a shared library that Assay verifies and times.
 *
 *   ASSAY_EXPORT int assay_relu(const assay_call *call) {
 *     const float *x = (const float *)assay_data(call, "x");
 *     float *y = (float *)assay_data(call, "y");
 *     for (int64_t i = 0; i < assay_tensor(call, "x")->count; i++) y[i] = x[i] < 0 ? 0 : x[i];
 *     return ASSAY_OK;
 *   }
 *
 *   cc -O3 -fPIC -shared -I Benchmarks/engines/include -o relu.so relu.c
 *   assay verify --library relu.so
 *
 * A library exports one function an operation, with C linkage; every one but the first is optional:
 *
 *   int  assay_<operation>(const assay_call *call)                        the forward pass
 *   int  assay_<operation>_backward(const assay_call *call)               the gradients, under upstream cotangents
 *   int  assay_<operation>_prepare(const assay_call *call, void **state)  packs weights; each call brings `state` back
 *   void assay_<operation>_release(void *state)                           gives back what prepare made
 *   const char *assay_library(void)                                       one JSON object that describes the library
 *
 * <operation> is a name of the golden format: conv2d, batch_norm2d, linear ... (Fixtures/FORMAT.md lists all of them
 * with their attributes and tensors). --symbol conv2d=my_name calls another symbol, and my_name_backward
 * and so on.
 *
 * What holds for every call:
 * - One thread calls at a time. The work is done when the call returns: a write that comes later is a fault.
 * - The caller owns all memory, and what it points to lives until the call returns. From prepare to release parameters
 *   and buffers keep their addresses and their contents.
 * - Tensors are dense and row-major, and aligned to their element, or to the `alignment` of assay_library. The pages
 *   beside them are inaccessible in verification: one element too far is a fault. Operands are read-only. Nothing
 *   aliases anything.
 * - Outputs hold a NaN that marks what is unwritten. Each has to be written in full; nothing is to be added to.
 * - No exception, panic or longjmp leaves the function. exit, abort and signals cost the case at hand an ERROR.
 * - Strings are UTF-8 and end with a NUL. A message that the library gives lives until its next call.
 * - In prepare inputs, cotangents and all results have a shape and no data: they come with each call.
 *
 * assay_library may say, each where it differs from the default in parentheses:
 *   {"name":"mine" (the file's), "version":"1" ("unknown"), "operations":["conv2d"] (all that are exported),
 *    "dtypes":["float32","float64","float16","bfloat16"] (["float32"]), "omits":["outputs/indices"] ([]),
 *    "deterministic":false (true), "nonfinite":false (true), "denormals":false (true),
 *    "alignment":64 (the element's size), "info":{...},
 *    "algorithm":{"conv2d":{"winograd":{"4x3":{"points":[0,1,-1,0.5,-2]}}}} ({}: sums are taken term by term; else which
 *    error bound a correct run may use, as PROTOCOL.md says),
 *    "validates":true (false: it is not asked for problems that have no result; else it gets their operands and no
 *    tensor to write, and has to refuse them by their category)}
 *
 * Fields are only ever appended to a struct, and a number once given keeps its meaning. A library that was built
 * against a newer ABI than the caller's is refused by name. C99 and C++; no dependencies.
 */
#ifndef ASSAY_H
#define ASSAY_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define ASSAY_ABI 1

#ifdef __cplusplus
#define ASSAY_EXPORT extern "C" __attribute__((visibility("default")))
extern "C" {
#else
#define ASSAY_EXPORT __attribute__((visibility("default")))
#endif

/* What a function returns. */
enum {
  ASSAY_OK = 0,
  /* It cannot do what is asked; the message says why. */
  ASSAY_UNSUPPORTED = 1,
  /* It failed: an ERROR of the case. So does any number that is not listed here. */
  ASSAY_FAILED = 2,
  /* It refuses what has no result, by the categories of the golden format. */
  ASSAY_SHAPE_MISMATCH = 3,
  ASSAY_INVALID_ARGUMENT = 4,
  ASSAY_UNSUPPORTED_DTYPE = 5,
  ASSAY_INDEX_OUT_OF_RANGE = 6
};

/* What a call is for. The one of a prepare may be both. */
enum { ASSAY_FORWARD = 1, ASSAY_BACKWARD = 2 };

/* Element types; the 16-bit ones are bit patterns in a uint16_t. */
enum { ASSAY_FLOAT32 = 1, ASSAY_FLOAT64 = 2, ASSAY_FLOAT16 = 3, ASSAY_BFLOAT16 = 4, ASSAY_INT64 = 5 };

/* What a tensor is to its operation: up to ASSAY_UPSTREAM an operand, which is read; from ASSAY_OUTPUT on a result,
 * which is written. */
enum {
  ASSAY_INPUT = 1,
  ASSAY_PARAMETER = 2,
  ASSAY_BUFFER = 3,
  /* A cotangent, by the name of its output. */
  ASSAY_UPSTREAM = 4,
  ASSAY_OUTPUT = 5,
  /* By the name of its input or parameter. */
  ASSAY_GRADIENT = 6,
  /* A buffer's state afterwards, by its name. */
  ASSAY_BUFFER_AFTER = 7
};

typedef struct assay_view {
  const char *name;     /* "x", "weight", "running_mean" */
  void *data;           /* NULL where only the shape is known */
  const int64_t *shape; /* `rank` extents */
  int64_t count;        /* elements: the extents' product, 1 for rank 0 */
  int32_t rank;
  int32_t dtype;
  int32_t group;
  int32_t reserved;
} assay_view;

/* Kinds of attributes. Truth values are integers. */
enum { ASSAY_INTEGERS = 1, ASSAY_REALS = 2, ASSAY_STRINGS = 3 };

/* `count` values of one kind; the other two pointers are NULL. */
typedef struct assay_attribute {
  const char *name;
  const int64_t *integers;
  const double *reals;
  const char *const *strings;
  int32_t kind;
  int32_t count;
} assay_attribute;

/* What a library may say beside its return value. */
typedef struct assay_reply {
  const char *message;     /* why it refuses */
  const char *description; /* of a prepare: what will run, for people: "direct, AVX2" */
  int64_t workspace_bytes; /* of a prepare: scratch memory that it holds, without packed weights */
} assay_reply;

typedef struct assay_call {
  int32_t abi;           /* the caller's */
  int32_t size;          /* of this struct in the caller */
  const char *operation; /* "conv2d" */
  const char *text;      /* the problem in one line, "conv2d n1c3h8w8 k4r3s3 stride1 pad1"; "" of an invalid one */
  int32_t pass;
  int32_t dtype;   /* of floats; tensors that stay float32 in a 16-bit type say so themselves */
  int32_t threads; /* the most that may compute at once */
  int32_t tensor_count;
  const assay_view *const *tensors; /* results are those that are wanted, and no others */
  const assay_attribute *const *attributes;
  int32_t attribute_count;
  int32_t reserved;
  void *state; /* what prepare made; NULL without one */
  assay_reply *reply;
} assay_call;

typedef int (*assay_function)(const assay_call *call);
typedef int (*assay_prepare_function)(const assay_call *call, void **state);
typedef void (*assay_release_function)(void *state);
typedef const char *(*assay_library_function)(void);

#ifndef ASSAY_HOST
/* Which ABI a library was built against. A library in another language exports it too, or is taken for ABI 1. */
extern __attribute__((weak, visibility("default"))) const int32_t assay_abi;
const int32_t assay_abi = ASSAY_ABI;
#endif

#ifdef __cplusplus
}
#endif

/* The tensor of a path such as "gradients/x", "upstream/y" or "buffers_after/running_mean"; of a name alone the operand
 * (input, parameter or buffer), or else the output of that name. NULL where the call has none. */
static inline const assay_view *assay_tensor(const assay_call *call, const char *name) {
  static const char *const groups[] = {"", "inputs", "parameters", "buffers", "upstream", "outputs", "gradients",
                                       "buffers_after"};
  const char *slash = strchr(name, '/');
  for (int32_t i = 0; i < call->tensor_count; i++) {
    const assay_view *view = call->tensors[i];
    if (slash == NULL) {
      if ((view->group <= ASSAY_BUFFER || view->group == ASSAY_OUTPUT) && strcmp(view->name, name) == 0) return view;
    } else if (view->group >= ASSAY_INPUT && view->group <= ASSAY_BUFFER_AFTER) {
      size_t length = strlen(groups[view->group]);
      if (length == (size_t)(slash - name) && strncmp(groups[view->group], name, length) == 0 &&
          strcmp(view->name, slash + 1) == 0)
        return view;
    }
  }
  return NULL;
}

/* Its elements; NULL where the call has no such tensor. */
static inline void *assay_data(const assay_call *call, const char *name) {
  const assay_view *view = assay_tensor(call, name);
  return view == NULL ? NULL : view->data;
}

/* Its extents; NULL where the call has no such tensor. */
static inline const int64_t *assay_shape(const assay_call *call, const char *name) {
  const assay_view *view = assay_tensor(call, name);
  return view == NULL ? NULL : view->shape;
}

/* NULL where the call has no such attribute. Those of a valid problem are complete: what its author left out has the
 * golden format's default. */
static inline const assay_attribute *assay_find(const assay_call *call, const char *name) {
  for (int32_t i = 0; i < call->attribute_count; i++)
    if (strcmp(call->attributes[i]->name, name) == 0) return call->attributes[i];
  return NULL;
}

/* The value at `index` of an attribute; one value stands for any number of equal ones. `otherwise` where it is absent
 * or of another kind. */
static inline int64_t assay_integer(const assay_call *call, const char *name, int32_t index, int64_t otherwise) {
  const assay_attribute *found = assay_find(call, name);
  if (found == NULL || found->count < 1) return otherwise;
  if (index >= found->count) index = found->count - 1;
  if (found->kind == ASSAY_INTEGERS) return found->integers[index];
  /* A whole number that a file stores as a real. */
  if (found->kind == ASSAY_REALS && found->reals[index] > -9e15 && found->reals[index] < 9e15)
    return (int64_t)found->reals[index];
  return otherwise;
}

static inline double assay_real(const assay_call *call, const char *name, int32_t index, double otherwise) {
  const assay_attribute *found = assay_find(call, name);
  if (found == NULL || found->count < 1) return otherwise;
  if (index >= found->count) index = found->count - 1;
  if (found->kind == ASSAY_REALS) return found->reals[index];
  return found->kind == ASSAY_INTEGERS ? (double)found->integers[index] : otherwise;
}

static inline const char *assay_string(const assay_call *call, const char *name, int32_t index, const char *otherwise) {
  const assay_attribute *found = assay_find(call, name);
  return found != NULL && found->kind == ASSAY_STRINGS && index < found->count ? found->strings[index] : otherwise;
}

/* Rows above (axis 0) or columns left (axis 1) of the input of conv2d, also where its padding is a word. The output's
 * shape says how many there are below and right. */
static inline int64_t assay_padding(const assay_call *call, int32_t axis) {
  const int64_t *weight = assay_shape(call, "weight");
  if (weight == NULL || strcmp(assay_string(call, "padding", 0, ""), "same") != 0)
    return assay_integer(call, "padding", axis, 0);
  return assay_integer(call, "dilation", axis, 1) * (weight[2 + axis] - 1) / 2;
}

/* Returns `code` with a reason: return assay_refuse(call, ASSAY_UNSUPPORTED, "dilation above 1"); */
static inline int assay_refuse(const assay_call *call, int code, const char *message) {
  call->reply->message = message;
  return code;
}

#endif
