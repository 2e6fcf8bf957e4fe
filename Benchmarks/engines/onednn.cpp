// c++ -std=c++17 -O3 -fPIC -shared -I Benchmarks/engines/include -I .peers/include -o .peers/onednn.so Benchmarks/engines/onednn.cpp -L .peers/lib -ldnnl -ltbb -ldl -Wl,--disable-new-dtags,-rpath,'$ORIGIN/lib'
//
// oneDNN by its own API: one primitive an operation, from NCHW to NCHW, in float32.
//
// - fpmath and accumulation are strict: no sum or product in bfloat16 or TF32, also where the machine has them.
// - Parameters are packed when an operation is prepared, into the layout that its primitive asks for.
// - Activations start and end in NCHW. A primitive may take them as they are, or reorder them into the layout that it
//   likes best, while the clock runs: both are tried when a convolution is prepared, and the faster one is kept.
// - Scratch memory is made when an operation is prepared, not by each call.
// - The package of PyPI is built for SYCL: its CPU is an OpenCL device, whose driver lies beside oneDNN, and its
//   threads are TBB's, which sleep when there is no work.
#include <assay.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <limits>
#include <memory>
#include <dlfcn.h>
#include <oneapi/dnnl/dnnl.hpp>
#include <oneapi/dnnl/dnnl_debug.h>
#include <oneapi/tbb/global_control.h>
#include <string>
#include <unordered_map>
#include <vector>

namespace {

using dnnl::memory;
using dnnl::prop_kind;
using Arguments = std::unordered_map<int, memory>;

// Where the OpenCL driver of the CPU is, which is else looked for in the system's folders alone.
bool findDriver() {
  Dl_info place;
  if (dladdr(reinterpret_cast<void *>(dnnl_version), &place) == 0) return false;
  const std::string folder(place.dli_fname, strrchr(place.dli_fname, '/') - place.dli_fname);
  return setenv("OCL_ICD_FILENAMES", (folder + "/libintelocl.so").c_str(), 0) == 0;
}

const dnnl::engine &cpu() {
  static const bool found = findDriver();
  (void)found;
  static const dnnl::engine engine(dnnl::engine::kind::cpu, 0);
  return engine;
}

dnnl::stream &queue() {
  static dnnl::stream stream(cpu());
  return stream;
}

// What an operation cannot do; the message lives for as long as the program.
struct Unsupported {
  const char *reason;
};

memory::desc dense(const memory::dims &shape) {
  memory::dims strides(shape.size(), 1);
  for (size_t axis = shape.size(); axis-- > 1;) strides[axis - 1] = strides[axis] * std::max<int64_t>(shape[axis], 1);
  return memory::desc(shape, memory::data_type::f32, strides);
}

memory::dims shape(const assay_view *view) { return memory::dims(view->shape, view->shape + view->rank); }

memory::desc anyLayout(const memory::desc &desc) {
  return memory::desc(desc.get_dims(), memory::data_type::f32, memory::format_tag::any);
}

dnnl::primitive_attr strict() {
  dnnl::primitive_attr attributes;
  attributes.set_fpmath_mode(dnnl::fpmath_mode::strict);
  attributes.set_accumulation_mode(dnnl::accumulation_mode::strict);
  attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  return attributes;
}

// Primitives in order, on memory of the plan's own and on tensors that each call brings.
class Plan {
 public:
  explicit Plan(const assay_call *call) : call(call) {}

  // A tensor of the call, dense; of another shape where an operation asks for one of as many elements.
  memory tensor(const char *path) { return tensor(path, dense(shape(assay_tensor(call, path)))); }

  memory tensor(const char *path, const memory::desc &desc) {
    memory made(desc, cpu(), DNNL_MEMORY_NONE);
    bound.emplace_back(path, made);
    return made;
  }

  // A parameter or buffer, which is there when the plan is made and stays: in the layout that a primitive wants.
  memory packed(const char *name, const memory::desc &given, const memory::desc &wanted) {
    memory plain(given, cpu(), assay_data(call, name));
    if (given == wanted) return plain;
    memory result(wanted, cpu());
    dnnl::reorder(plain, result).execute(queue(), plain, result);
    queue().wait();
    return result;
  }

  memory packed(const char *name) {
    const memory::desc desc = dense(shape(assay_tensor(call, name)));
    return packed(name, desc, desc);
  }

  // An operand in the layout that a primitive wants, by a reorder where that is another one.
  memory reordered(const memory &given, const memory::desc &wanted) {
    if (given.get_desc() == wanted) return given;
    memory result(wanted, cpu());
    workspace += wanted.get_size();
    add(dnnl::reorder(given, result), {{DNNL_ARG_FROM, given}, {DNNL_ARG_TO, result}});
    return result;
  }

  // Where a primitive writes a result that is given back in another layout: `giveBack` does that.
  memory result(const memory &given, const memory::desc &wanted) {
    if (given.get_desc() == wanted) return given;
    workspace += wanted.get_size();
    return memory(wanted, cpu());
  }

  void giveBack(const memory &from, const memory &to) {
    if (from.get_desc() != to.get_desc())
      add(dnnl::reorder(from, to), {{DNNL_ARG_FROM, from}, {DNNL_ARG_TO, to}});
  }

  void add(const dnnl::primitive &primitive, Arguments arguments) {
    steps.emplace_back(primitive, std::move(arguments));
  }

  template <typename Primitive, typename Description>
  void add(const Description &description, Arguments arguments) {
    const memory::desc scratch = description.scratchpad_desc();
    workspace += scratch.get_size();
    arguments[DNNL_ARG_SCRATCHPAD] = memory(scratch, cpu());
    if (text.empty()) text = description.impl_info_str();
    add(Primitive(description), std::move(arguments));
  }

  void run(const assay_call *call) {
    for (auto &[path, memory] : bound) memory.set_data_handle(assay_data(call, path));
    execute();
  }

  // Seconds of one run on numbers of its own.
  double seconds(int rounds) {
    std::vector<std::vector<float>> stand_ins;
    for (auto &[path, memory] : bound) {
      std::vector<float> numbers(memory.get_desc().get_size() / sizeof(float));
      for (size_t i = 0; i < numbers.size(); i++) numbers[i] = float(int(i % 2048) - 1024) / 1024;
      memory.set_data_handle(numbers.data());
      stand_ins.push_back(std::move(numbers));
    }
    double best = std::numeric_limits<double>::infinity();
    for (int round = 0; round <= rounds; round++) {
      const auto start = std::chrono::steady_clock::now();
      execute();
      const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - start;
      if (round > 0) best = std::min(best, taken.count());
    }
    return best;
  }

  const assay_call *call;
  std::string text;
  size_t workspace = 0;

 private:
  void execute() {
    for (auto &[primitive, arguments] : steps) primitive.execute(queue(), arguments);
    queue().wait();
  }

  std::vector<std::pair<const char *, memory>> bound;
  std::vector<std::pair<dnnl::primitive, Arguments>> steps;
};

// MARK: Convolutions

// What every pass of a convolution needs of a call.
struct Window {
  memory::dims stride{1, 1}, dilation{0, 0}, before{0, 0}, after{0, 0};

  Window(const assay_call *call, const int64_t *input, const int64_t *output, const memory::dims &kernel) {
    for (int axis = 0; axis < 2; axis++) {
      stride[axis] = assay_integer(call, "stride", axis, 1);
      // oneDNN counts what lies between two taps.
      dilation[axis] = assay_integer(call, "dilation", axis, 1) - 1;
      before[axis] = assay_padding(call, axis);
      // What the last window reaches beyond the input: a stride may leave rows that none reads.
      const int64_t extent = (output[2 + axis] - 1) * stride[axis] + (dilation[axis] + 1) * (kernel[axis] - 1) + 1;
      after[axis] = std::max<int64_t>(extent - input[2 + axis] - before[axis], 0);
    }
  }
};

struct Convolution {
  memory::desc x, weight, y, bias;
  Window window;

  // `output` is the path of y's shape: the output itself, or the cotangent.
  Convolution(const assay_call *call, const char *output)
      : x(dense(shape(assay_tensor(call, "x")))),
        y(dense(shape(assay_tensor(call, output)))),
        window(call, assay_shape(call, "x"), assay_shape(call, output),
               {assay_shape(call, "weight")[2], assay_shape(call, "weight")[3]}) {
    memory::dims taps = shape(assay_tensor(call, "weight"));
    const int64_t groups = assay_integer(call, "groups", 0, 1);
    if (groups > 1) {
      taps[0] /= groups;
      taps.insert(taps.begin(), groups);
    }
    weight = dense(taps);
    if (assay_tensor(call, "bias") != nullptr) bias = dense(shape(assay_tensor(call, "bias")));
  }

  dnnl::convolution_forward::primitive_desc forward(prop_kind kind, bool asItIs) const {
    return {cpu(), kind, dnnl::algorithm::convolution_auto, asItIs ? x : anyLayout(x), anyLayout(weight), bias,
            asItIs ? y : anyLayout(y), window.stride, window.dilation, window.before, window.after, strict()};
  }
};

void convolutionForward(Plan &plan, bool asItIs) {
  const Convolution it(plan.call, "outputs/y");
  const auto description = it.forward(prop_kind::forward_inference, asItIs);
  const memory x = plan.tensor("x", it.x), y = plan.tensor("outputs/y", it.y);
  const memory inner = plan.result(y, description.dst_desc());
  Arguments arguments{{DNNL_ARG_SRC, plan.reordered(x, description.src_desc())},
                      {DNNL_ARG_WEIGHTS, plan.packed("weight", it.weight, description.weights_desc())},
                      {DNNL_ARG_DST, inner}};
  if (!it.bias.is_zero()) arguments[DNNL_ARG_BIAS] = plan.packed("bias");
  plan.add<dnnl::convolution_forward>(description, arguments);
  plan.giveBack(inner, y);
}

void convolutionBackward(Plan &plan, bool asItIs) {
  const Convolution it(plan.call, "upstream/y");
  const auto hint = it.forward(prop_kind::forward_training, asItIs);
  const auto &window = it.window;
  const auto layout = [&](const memory::desc &desc) { return asItIs ? desc : anyLayout(desc); };
  const memory dy = plan.tensor("upstream/y", it.y);
  if (assay_tensor(plan.call, "gradients/x") != nullptr) {
    const dnnl::convolution_backward_data::primitive_desc description(
        cpu(), dnnl::algorithm::convolution_auto, layout(it.x), anyLayout(it.weight), layout(it.y), window.stride,
        window.dilation, window.before, window.after, hint, strict());
    const memory dx = plan.tensor("gradients/x", it.x), inner = plan.result(dx, description.diff_src_desc());
    plan.add<dnnl::convolution_backward_data>(
        description, {{DNNL_ARG_DIFF_DST, plan.reordered(dy, description.diff_dst_desc())},
                      {DNNL_ARG_WEIGHTS, plan.packed("weight", it.weight, description.weights_desc())},
                      {DNNL_ARG_DIFF_SRC, inner}});
    plan.giveBack(inner, dx);
  }
  const bool biased = assay_tensor(plan.call, "gradients/bias") != nullptr;
  if (assay_tensor(plan.call, "gradients/weight") == nullptr && !biased) return;
  const dnnl::convolution_backward_weights::primitive_desc description(
      cpu(), dnnl::algorithm::convolution_auto, layout(it.x), anyLayout(it.weight), biased ? it.bias : memory::desc(),
      layout(it.y), window.stride, window.dilation, window.before, window.after, hint, strict());
  const memory x = plan.tensor("x", it.x);
  const bool wanted = assay_tensor(plan.call, "gradients/weight") != nullptr;
  const memory dw = wanted ? plan.tensor("gradients/weight", it.weight) : memory(it.weight, cpu());
  const memory inner = plan.result(dw, description.diff_weights_desc());
  Arguments arguments{{DNNL_ARG_SRC, plan.reordered(x, description.src_desc())},
                      {DNNL_ARG_DIFF_DST, plan.reordered(dy, description.diff_dst_desc())},
                      {DNNL_ARG_DIFF_WEIGHTS, inner}};
  if (biased) arguments[DNNL_ARG_DIFF_BIAS] = plan.tensor("gradients/bias", it.bias);
  plan.add<dnnl::convolution_backward_weights>(description, arguments);
  plan.giveBack(inner, dw);
}

// MARK: The other layers

void linear(Plan &plan) {
  const memory x = plan.tensor("x"), y = plan.tensor("outputs/y");
  const memory::desc weight = dense(shape(assay_tensor(plan.call, "weight")));
  const bool biased = assay_tensor(plan.call, "bias") != nullptr;
  const memory::desc bias = biased ? dense(shape(assay_tensor(plan.call, "bias"))) : memory::desc();
  const dnnl::inner_product_forward::primitive_desc description(
      cpu(), prop_kind::forward_inference, x.get_desc(), anyLayout(weight), bias, y.get_desc(), strict());
  Arguments arguments{{DNNL_ARG_SRC, x},
                      {DNNL_ARG_WEIGHTS, plan.packed("weight", weight, description.weights_desc())},
                      {DNNL_ARG_DST, y}};
  if (biased) arguments[DNNL_ARG_BIAS] = plan.packed("bias");
  plan.add<dnnl::inner_product_forward>(description, arguments);
}

// An activation sees no axes: one of as many elements.
void activation(Plan &plan, dnnl::algorithm algorithm, float alpha) {
  const memory::desc flat = dense({assay_tensor(plan.call, "x")->count});
  const memory x = plan.tensor("x", flat), y = plan.tensor("outputs/y", flat);
  const dnnl::eltwise_forward::primitive_desc description(
      cpu(), prop_kind::forward_inference, algorithm, flat, flat, alpha, 0.0f, strict());
  plan.add<dnnl::eltwise_forward>(description, {{DNNL_ARG_SRC, x}, {DNNL_ARG_DST, y}});
}

void relu(Plan &plan) { activation(plan, dnnl::algorithm::eltwise_relu, 0); }

void silu(Plan &plan) { activation(plan, dnnl::algorithm::eltwise_swish, 1); }

void gelu(Plan &plan) {
  const bool tanh = strcmp(assay_string(plan.call, "approximate", 0, "none"), "tanh") == 0;
  activation(plan, tanh ? dnnl::algorithm::eltwise_gelu_tanh : dnnl::algorithm::eltwise_gelu_erf, 0);
}

void add(Plan &plan) {
  const memory::desc flat = dense({assay_tensor(plan.call, "x")->count});
  const memory x = plan.tensor("x", flat), other = plan.tensor("other", flat), y = plan.tensor("outputs/y", flat);
  const dnnl::binary::primitive_desc description(cpu(), dnnl::algorithm::binary_add, flat, flat, flat, strict());
  plan.add<dnnl::binary>(description, {{DNNL_ARG_SRC_0, x}, {DNNL_ARG_SRC_1, other}, {DNNL_ARG_DST, y}});
}

void alongChannels(Plan &plan, dnnl::algorithm algorithm) {
  const memory x = plan.tensor("x"), y = plan.tensor("outputs/y");
  const dnnl::softmax_forward::primitive_desc description(
      cpu(), prop_kind::forward_inference, algorithm, x.get_desc(), y.get_desc(), 1, strict());
  plan.add<dnnl::softmax_forward>(description, {{DNNL_ARG_SRC, x}, {DNNL_ARG_DST, y}});
}

void softmax(Plan &plan) { alongChannels(plan, dnnl::algorithm::softmax_accurate); }

void logSoftmax(Plan &plan) { alongChannels(plan, dnnl::algorithm::softmax_log); }

void batchNorm(Plan &plan) {
  const assay_call *call = plan.call;
  if (assay_integer(call, "training", 0, 0) != 0 || assay_tensor(call, "running_mean") == nullptr)
    throw Unsupported{"a batch's own statistics"};
  auto flags = dnnl::normalization_flags::use_global_stats;
  if (assay_tensor(call, "weight") != nullptr) flags |= dnnl::normalization_flags::use_scale;
  if (assay_tensor(call, "bias") != nullptr) flags |= dnnl::normalization_flags::use_shift;
  const memory x = plan.tensor("x"), y = plan.tensor("outputs/y");
  const dnnl::batch_normalization_forward::primitive_desc description(
      cpu(), prop_kind::forward_inference, x.get_desc(), y.get_desc(), float(assay_real(call, "eps", 0, 1e-5)), flags,
      strict());
  Arguments arguments{{DNNL_ARG_SRC, x}, {DNNL_ARG_DST, y}, {DNNL_ARG_MEAN, plan.packed("running_mean")},
                      {DNNL_ARG_VARIANCE, plan.packed("running_var")}};
  if (assay_tensor(call, "weight") != nullptr) arguments[DNNL_ARG_SCALE] = plan.packed("weight");
  if (assay_tensor(call, "bias") != nullptr) arguments[DNNL_ARG_SHIFT] = plan.packed("bias");
  plan.add<dnnl::batch_normalization_forward>(description, arguments);
}

void pool(Plan &plan, dnnl::algorithm algorithm, const memory::dims &kernel, const memory::dims &stride,
          const memory::dims &dilation, const memory::dims &padding) {
  const memory x = plan.tensor("x"), y = plan.tensor("outputs/y");
  const memory::dims input = x.get_desc().get_dims(), output = y.get_desc().get_dims();
  memory::dims after(2);
  for (int axis = 0; axis < 2; axis++) {
    const int64_t extent = (output[2 + axis] - 1) * stride[axis] + (dilation[axis] + 1) * (kernel[axis] - 1) + 1;
    after[axis] = std::max<int64_t>(extent - input[2 + axis] - padding[axis], 0);
    // The mean over padding counts it, but not what a last window reaches beyond it.
    if (algorithm == dnnl::algorithm::pooling_avg_include_padding && after[axis] > padding[axis])
      throw Unsupported{"a mean that counts padding, with a window that reaches beyond it"};
  }
  const dnnl::pooling_forward::primitive_desc description(
      cpu(), prop_kind::forward_inference, algorithm, x.get_desc(), y.get_desc(), stride, kernel, dilation, padding,
      after, strict());
  plan.add<dnnl::pooling_forward>(description, {{DNNL_ARG_SRC, x}, {DNNL_ARG_DST, y}});
}

memory::dims pair(const assay_call *call, const char *name, int64_t otherwise) {
  return {assay_integer(call, name, 0, otherwise), assay_integer(call, name, 1, otherwise)};
}

void maxPool(Plan &plan) {
  memory::dims dilation = pair(plan.call, "dilation", 1);
  for (int64_t &step : dilation) step -= 1;
  pool(plan, dnnl::algorithm::pooling_max, pair(plan.call, "kernel_size", 1), pair(plan.call, "stride", 1), dilation,
       pair(plan.call, "padding", 0));
}

void avgPool(Plan &plan) {
  if (assay_find(plan.call, "divisor_override") != nullptr) throw Unsupported{"divisor_override"};
  const bool counted = assay_integer(plan.call, "count_include_pad", 0, 1) != 0;
  pool(plan,
       counted ? dnnl::algorithm::pooling_avg_include_padding : dnnl::algorithm::pooling_avg_exclude_padding,
       pair(plan.call, "kernel_size", 1), pair(plan.call, "stride", 1), {0, 0}, pair(plan.call, "padding", 0));
}

void adaptiveAvgPool(Plan &plan) {
  const int64_t *x = assay_shape(plan.call, "x"), *y = assay_shape(plan.call, "outputs/y");
  memory::dims kernel(2);
  for (int axis = 0; axis < 2; axis++) {
    if (y[2 + axis] == 0 || x[2 + axis] % y[2 + axis] != 0) throw Unsupported{"windows of several sizes"};
    kernel[axis] = x[2 + axis] / y[2 + axis];
  }
  pool(plan, dnnl::algorithm::pooling_avg_exclude_padding, kernel, kernel, {0, 0}, {0, 0});
}

// MARK: From calls to plans

using Build = void (*)(Plan &);
using BuildConvolution = void (*)(Plan &, bool asItIs);

// Products below which the layouts differ by the cost of a call alone.
constexpr double fewProducts = 1e6;

std::unique_ptr<Plan> convolution(const assay_call *call, BuildConvolution build, const char *output) {
  auto plain = std::make_unique<Plan>(call), reordered = std::make_unique<Plan>(call);
  const int64_t *weight = assay_shape(call, "weight");
  build(*plain, true);
  plain->text += ", NCHW";
  if (double(assay_tensor(call, output)->count) * weight[1] * weight[2] * weight[3] < fewProducts) return plain;
  build(*reordered, false);
  reordered->text += ", reordered";
  return plain->seconds(5) <= reordered->seconds(5) ? std::move(plain) : std::move(reordered);
}

struct State {
  std::unique_ptr<Plan> forward, backward;
};

// What a message or a description points to, until the next call.
std::string &said() {
  static std::string text;
  return text;
}

template <typename Body>
int answering(const assay_call *call, Body body) {
  try {
    const tbb::global_control limit(tbb::global_control::max_allowed_parallelism, size_t(call->threads));
    body();
    return ASSAY_OK;
  } catch (const Unsupported &limit) {
    return assay_refuse(call, ASSAY_UNSUPPORTED, limit.reason);
  } catch (const dnnl::error &error) {
    said() = std::string(error.what()) + ": " + dnnl_status2str(error.status);
    return assay_refuse(call, error.status == dnnl_unimplemented ? ASSAY_UNSUPPORTED : ASSAY_FAILED, said().c_str());
  } catch (const std::exception &error) {
    said() = error.what();
    return assay_refuse(call, ASSAY_FAILED, said().c_str());
  }
}

template <typename Make>
int prepare(const assay_call *call, void **state, Make make) {
  return answering(call, [&] {
    auto made = std::make_unique<State>();
    make(*made);
    const Plan &plan = made->forward != nullptr ? *made->forward : *made->backward;
    said() = plan.text;
    call->reply->description = said().c_str();
    call->reply->workspace_bytes = int64_t(plan.workspace);
    *state = made.release();
  });
}

int prepareLayer(const assay_call *call, void **state, Build build) {
  return prepare(call, state, [&](State &made) {
    made.forward = std::make_unique<Plan>(call);
    build(*made.forward);
  });
}

// Inference leaves every buffer as it was.
void keepBuffers(const assay_call *call) {
  for (int32_t i = 0; i < call->tensor_count; i++) {
    const assay_view *after = call->tensors[i];
    if (after->group != ASSAY_BUFFER_AFTER) continue;
    const size_t size = after->dtype == ASSAY_INT64 ? sizeof(int64_t) : sizeof(float);
    std::memcpy(after->data, assay_data(call, after->name), size_t(after->count) * size);
  }
}

int run(const assay_call *call, std::unique_ptr<Plan> State::*plan) {
  return answering(call, [&] {
    (static_cast<State *>(call->state)->*plan)->run(call);
    keepBuffers(call);
  });
}

}  // namespace

#define ASSAY_LAYER(name, build)                                                  \
  ASSAY_EXPORT int assay_##name##_prepare(const assay_call *call, void **state) { \
    return prepareLayer(call, state, build);                                      \
  }                                                                               \
  ASSAY_EXPORT int assay_##name(const assay_call *call) {                         \
    return run(call, &State::forward);                                            \
  }                                                                               \
  ASSAY_EXPORT void assay_##name##_release(void *state) {                         \
    delete static_cast<State *>(state);                                           \
  }

ASSAY_LAYER(linear, linear)
ASSAY_LAYER(relu, relu)
ASSAY_LAYER(silu, silu)
ASSAY_LAYER(gelu, gelu)
ASSAY_LAYER(add, add)
ASSAY_LAYER(softmax, softmax)
ASSAY_LAYER(log_softmax, logSoftmax)
ASSAY_LAYER(batch_norm2d, batchNorm)
ASSAY_LAYER(max_pool2d, maxPool)
ASSAY_LAYER(avg_pool2d, avgPool)
ASSAY_LAYER(adaptive_avg_pool2d, adaptiveAvgPool)

ASSAY_EXPORT int assay_conv2d_prepare(const assay_call *call, void **state) {
  return prepare(call, state, [&](State &made) {
    if (call->pass & ASSAY_FORWARD) made.forward = convolution(call, convolutionForward, "outputs/y");
    if (call->pass & ASSAY_BACKWARD) made.backward = convolution(call, convolutionBackward, "upstream/y");
  });
}
ASSAY_EXPORT int assay_conv2d(const assay_call *call) { return run(call, &State::forward); }
ASSAY_EXPORT int assay_conv2d_backward(const assay_call *call) { return run(call, &State::backward); }
ASSAY_EXPORT void assay_conv2d_release(void *state) { delete static_cast<State *>(state); }

ASSAY_EXPORT const char *assay_library(void) {
  // Padding is skipped, also where 0·∞ is NaN. Which layout a convolution takes is measured.
  static char text[256];
  const dnnl_version_t *version = dnnl_version();
  std::snprintf(text, sizeof text,
                "{\"name\":\"onednn\",\"version\":\"%d.%d.%d\",\"omits\":[\"outputs/indices\"],\"nonfinite\":false,"
                "\"deterministic\":false}",
                version->major, version->minor, version->patch);
  return text;
}
