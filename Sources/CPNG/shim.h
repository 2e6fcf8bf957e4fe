// A PNG file in memory to rows of red, green and blue. libpng leaves an error by longjmp, which Swift cannot catch: hence C.
#pragma once

#include <png.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
  const uint8_t *bytes;
  size_t count;
  size_t position;
  jmp_buf failed;
  /// What libpng said; ends in 0.
  char message[160];
} assay_png_source;

static inline void assay_png_fail(png_structp png, png_const_charp message) {
  assay_png_source *source = (assay_png_source *)png_get_error_ptr(png);
  strncpy(source->message, message, sizeof source->message - 1);
  longjmp(source->failed, 1);
}

/// A warning is of an ancillary chunk, which says nothing of the pixels.
static inline void assay_png_ignore(png_structp png, png_const_charp message) {
  (void)png;
  (void)message;
}

static inline void assay_png_read(png_structp png, png_bytep target, size_t count) {
  assay_png_source *source = (assay_png_source *)png_get_io_ptr(png);
  if (count > source->count - source->position) png_error(png, "the file ends too soon");
  memcpy(target, source->bytes + source->position, count);
  source->position += count;
}

/// Reads the size of an image and, where `pixels` is given, the image: 8 bits a channel, no alpha, no gamma, as Pillow's
/// convert("RGB") has them; of 16 bits the upper eight.
/// - pixels: `*width`·`*height`·3 bytes, or NULL to be told both.
/// - largest: what neither side may exceed.
/// - Returns 0, or -1 with the reason in `message` (160 bytes).
static inline int assay_png_decode(
    const uint8_t *bytes, size_t count, uint32_t largest, uint32_t *width, uint32_t *height, uint8_t *pixels,
    char *message) {
  assay_png_source source = {.bytes = bytes, .count = count};
  // What a jump leaves must not be in a register.
  png_structp volatile png = NULL;
  png_infop volatile info = NULL;
  png_bytepp volatile rows = NULL;
  volatile int result = -1;
  png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &source, assay_png_fail, assay_png_ignore);
  if (png == NULL) {
    strcpy(message, "no memory");
    return -1;
  }
  if (setjmp(source.failed) == 0) {
    info = png_create_info_struct(png);
    if (info == NULL) png_error(png, "no memory");
    png_set_user_limits(png, largest, largest);
    png_set_chunk_cache_max(png, 128);
    png_set_chunk_malloc_max(png, 8 << 20);
    png_set_read_fn(png, &source, assay_png_read);
    png_read_info(png, info);
    uint32_t w = png_get_image_width(png, info), h = png_get_image_height(png, info);
    if (pixels != NULL) {
      if (w != *width || h != *height) png_error(png, "the size changed");
      png_set_strip_16(png);
      png_set_palette_to_rgb(png);
      png_set_expand_gray_1_2_4_to_8(png);
      png_set_gray_to_rgb(png);
      png_set_strip_alpha(png);
      png_set_interlace_handling(png);
      png_read_update_info(png, info);
      if (png_get_rowbytes(png, info) != (size_t)w * 3) png_error(png, "rows of another length");
      rows = (png_bytepp)malloc(h * sizeof(png_bytep));
      if (rows == NULL) png_error(png, "no memory");
      for (uint32_t row = 0; row < h; row++) rows[row] = pixels + (size_t)row * w * 3;
      png_read_image(png, rows);
      png_read_end(png, NULL);
    }
    *width = w;
    *height = h;
    result = 0;
  } else {
    memcpy(message, source.message, sizeof source.message);
  }
  png_structp finished = png;
  png_infop described = info;
  free(rows);
  png_destroy_read_struct(&finished, &described, NULL);
  return result;
}
