/* cc -O3 -fPIC -shared -I Benchmarks/engines/include -o conv2d-c.so Benchmarks/engines/examples/conv2d.c
 *
 * A complete two-dimensional convolution in float32: stride, padding, dilation, groups, bias.
 *
 *   assay verify --library conv2d-c.so
 *   assay bench --quick --layout nchw --library conv2d-c.so --engine direct
 */
#include <assay.h>

ASSAY_EXPORT int assay_conv2d(const assay_call *call) {
  const float *x = assay_data(call, "x"), *w = assay_data(call, "weight"), *b = assay_data(call, "bias");
  const int64_t *X = assay_shape(call, "x"), *W = assay_shape(call, "weight"), *Y = assay_shape(call, "y");
  const int64_t sh = assay_integer(call, "stride", 0, 1), sw = assay_integer(call, "stride", 1, 1);
  const int64_t dh = assay_integer(call, "dilation", 0, 1), dw = assay_integer(call, "dilation", 1, 1);
  const int64_t ph = assay_padding(call, 0), pw = assay_padding(call, 1), G = assay_integer(call, "groups", 0, 1);
  float *y = assay_data(call, "y");
  for (int64_t n = 0; n < Y[0]; n++)
    for (int64_t k = 0; k < Y[1]; k++)
      for (int64_t m = 0; m < Y[2] * Y[3]; m++) {
        const float *t = w + k * W[1] * W[2] * W[3], *in = x + (n * X[1] + k * G / W[0] * W[1]) * X[2] * X[3];
        float sum = b == NULL ? 0 : b[k];
        for (int64_t c = 0; c < W[1]; c++, in += X[2] * X[3])
          for (int64_t r = 0, i = m / Y[3] * sh - ph; r < W[2]; r++, i += dh)
            for (int64_t s = 0, j = m % Y[3] * sw - pw; s < W[3]; s++, j += dw)
              sum += *t++ * (i < 0 || i >= X[2] || j < 0 || j >= X[3] ? 0 : in[i * X[3] + j]);
        *y++ = sum;
      }
  return ASSAY_OK;
}
