// c++ -O3 -fPIC -shared -I Benchmarks/engines/include -o conv2d-cpp.so Benchmarks/engines/examples/conv2d.cpp
//
// A complete two-dimensional convolution in C++, forward and backward, in float32 and float64.
//
//   assay verify --library conv2d-cpp.so
#include <assay.h>

#include <algorithm>

namespace {

// What every pass needs of a call: extents, strides and where each tap lies.
struct Problem {
  const int64_t *x, *w, *y;
  int64_t perGroup, step[2], dilation[2], padding[2];

  explicit Problem(const assay_call *call, const char *output)
      : x(assay_shape(call, "x")), w(assay_shape(call, "weight")), y(assay_shape(call, output)) {
    perGroup = w[0] / assay_integer(call, "groups", 0, 1);
    for (int axis = 0; axis < 2; axis++) {
      step[axis] = assay_integer(call, "stride", axis, 1);
      dilation[axis] = assay_integer(call, "dilation", axis, 1);
      padding[axis] = assay_padding(call, axis);
    }
  }

  // Calls body(offset in x, offset in the weight) for each tap of output channel k at (p, q) that lies in the image.
  template <typename Body>
  void taps(int64_t n, int64_t k, int64_t p, int64_t q, Body body) const {
    for (int64_t c = 0; c < w[1]; c++)
      for (int64_t r = 0; r < w[2]; r++)
        for (int64_t s = 0; s < w[3]; s++) {
          const int64_t i = p * step[0] - padding[0] + r * dilation[0], j = q * step[1] - padding[1] + s * dilation[1];
          if (i < 0 || i >= x[2] || j < 0 || j >= x[3]) continue;
          body(((n * x[1] + k / perGroup * w[1] + c) * x[2] + i) * x[3] + j, ((k * w[1] + c) * w[2] + r) * w[3] + s);
        }
  }

  // Calls body(n, k, p, q, offset in y) for each output in order.
  template <typename Body>
  void outputs(Body body) const {
    int64_t offset = 0;
    for (int64_t n = 0; n < y[0]; n++)
      for (int64_t k = 0; k < y[1]; k++)
        for (int64_t p = 0; p < y[2]; p++)
          for (int64_t q = 0; q < y[3]; q++) body(n, k, p, q, offset++);
  }
};

template <typename Real>
Real *data(const assay_call *call, const char *name) {
  return static_cast<Real *>(assay_data(call, name));
}

template <typename Real>
int forward(const assay_call *call) {
  const Problem problem(call, "outputs/y");
  const Real *x = data<Real>(call, "x"), *w = data<Real>(call, "weight"), *b = data<Real>(call, "bias");
  Real *y = data<Real>(call, "y");
  problem.outputs([&](int64_t n, int64_t k, int64_t p, int64_t q, int64_t offset) {
    Real sum = b == nullptr ? 0 : b[k];
    problem.taps(n, k, p, q, [&](int64_t i, int64_t t) { sum += x[i] * w[t]; });
    y[offset] = sum;
  });
  return ASSAY_OK;
}

template <typename Real>
int backward(const assay_call *call) {
  const Problem problem(call, "upstream/y");
  const Real *x = data<Real>(call, "x"), *w = data<Real>(call, "weight"), *dy = data<Real>(call, "upstream/y");
  // Each is there if it is wanted.
  Real *dx = data<Real>(call, "gradients/x"), *dw = data<Real>(call, "gradients/weight");
  Real *db = data<Real>(call, "gradients/bias");
  const auto zero = [&](const char *name, Real *at) {
    if (at != nullptr) std::fill_n(at, assay_tensor(call, name)->count, Real(0));
  };
  zero("gradients/x", dx);
  zero("gradients/weight", dw);
  zero("gradients/bias", db);
  problem.outputs([&](int64_t n, int64_t k, int64_t p, int64_t q, int64_t offset) {
    const Real g = dy[offset];
    if (db != nullptr) db[k] += g;
    problem.taps(n, k, p, q, [&](int64_t i, int64_t t) {
      if (dx != nullptr) dx[i] += g * w[t];
      if (dw != nullptr) dw[t] += g * x[i];
    });
  });
  return ASSAY_OK;
}

}  // namespace

ASSAY_EXPORT int assay_conv2d(const assay_call *call) {
  return call->dtype == ASSAY_FLOAT64 ? forward<double>(call) : forward<float>(call);
}

ASSAY_EXPORT int assay_conv2d_backward(const assay_call *call) {
  return call->dtype == ASSAY_FLOAT64 ? backward<double>(call) : backward<float>(call);
}

// Padding is left out of the sums, where by the definition it is zeros that take part: 0 times infinity is NaN.
ASSAY_EXPORT const char *assay_library(void) {
  return R"({"name":"conv2d-cpp","version":"1","dtypes":["float32","float64"],"nonfinite":false})";
}
