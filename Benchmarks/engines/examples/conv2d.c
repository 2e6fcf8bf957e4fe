/* cc -O3 -fPIC -shared -I Benchmarks/engines/include -o conv2d.so Benchmarks/engines/examples/conv2d.c
 *
 * A complete two-dimensional convolution in float32 (stride, padding, dilation, groups, bias), and how it is checked and timed:
 *
 *   assay verify --library conv2d.so --filter '/conv2d/*'
 *   assay bench --quick --library conv2d.so
 */
#include <assay.h>

ASSAY_EXPORT int assay_conv2d(const assay_call *call) {
  const float *x = assay_data(call, "x"), *w = assay_data(call, "weight"), *b = assay_data(call, "bias");
  const int64_t *X = assay_shape(call, "x"), *W = assay_shape(call, "weight"), *Y = assay_shape(call, "y");
  if (Y == NULL) return assay_refuse(call, ASSAY_UNSUPPORTED, "the problem has no result");
  const int64_t K = W[0] / assay_integer(call, "groups", 0, 1), same = assay_string(call, "padding", 0, "")[0] == 's';
  int64_t step[2], dil[2], pad[2];
  for (int a = 0; a < 2; a++) {
    step[a] = assay_integer(call, "stride", a, 1), dil[a] = assay_integer(call, "dilation", a, 1);
    pad[a] = same ? dil[a] * (W[2 + a] - 1) / 2 : assay_integer(call, "padding", a, 0);
  }
  float *y = assay_data(call, "y");
  for (int64_t n = 0; n < Y[0]; n++)
    for (int64_t k = 0; k < Y[1]; k++)
      for (int64_t p = 0; p < Y[2]; p++)
        for (int64_t q = 0; q < Y[3]; q++) {
          float sum = b == NULL ? 0 : b[k];
          for (int64_t c = 0; c < W[1]; c++)
            for (int64_t r = 0; r < W[2]; r++)
              for (int64_t s = 0; s < W[3]; s++) {
                const int64_t i = p * step[0] - pad[0] + r * dil[0], j = q * step[1] - pad[1] + s * dil[1];
                const float in = i < 0 || i >= X[2] || j < 0 || j >= X[3]
                  ? 0 : x[((n * X[1] + k / K * W[1] + c) * X[2] + i) * X[3] + j];
                sum += in * w[((k * W[1] + c) * W[2] + r) * W[3] + s];
              }
          *y++ = sum;
        }
  return ASSAY_OK;
}
