// A JPEG file in memory to rows of red, green and blue. libjpeg leaves an error by longjmp, which Swift cannot catch: hence C.
#pragma once

#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <jpeglib.h>

typedef struct {
  struct jpeg_error_mgr manager;
  jmp_buf failed;
  /// What libjpeg said first; ends in 0.
  char message[JMSG_LENGTH_MAX];
} assay_jpeg_errors;

static inline void assay_jpeg_fail(j_common_ptr jpeg) {
  assay_jpeg_errors *errors = (assay_jpeg_errors *)jpeg->err;
  if (errors->message[0] == 0) jpeg->err->format_message(jpeg, errors->message);
  longjmp(errors->failed, 1);
}

/// A warning is of damaged data: whoever wants the pixels is told so.
static inline void assay_jpeg_warn(j_common_ptr jpeg, int level) {
  if (level < 0) assay_jpeg_fail(jpeg);
}

static inline void assay_jpeg_quiet(j_common_ptr jpeg) { (void)jpeg; }

/// A progressive image of many scans takes as long as it likes to look at nothing new.
static inline void assay_jpeg_progress(j_common_ptr jpeg) {
  if (((j_decompress_ptr)jpeg)->input_scan_number <= 500) return;
  strcpy(((assay_jpeg_errors *)jpeg->err)->message, "more than 500 scans");
  assay_jpeg_fail(jpeg);
}

/// Reads the size of an image and, where `pixels` is given, the image.
/// - pixels: `*width`·`*height`·3 bytes, or NULL to be told both.
/// - Returns 0, or -1 with the reason in `message` (160 bytes).
static inline int assay_jpeg_decode(
    const uint8_t *bytes, size_t count, uint32_t *width, uint32_t *height, uint8_t *pixels, char *message) {
  struct jpeg_decompress_struct jpeg;
  struct jpeg_progress_mgr progress = {.progress_monitor = assay_jpeg_progress};
  assay_jpeg_errors errors;
  volatile int result = -1;
  memset(&jpeg, 0, sizeof jpeg);
  memset(&errors, 0, sizeof errors);
  jpeg.err = jpeg_std_error(&errors.manager);
  errors.manager.error_exit = assay_jpeg_fail;
  errors.manager.emit_message = assay_jpeg_warn;
  errors.manager.output_message = assay_jpeg_quiet;
  if (setjmp(errors.failed) == 0) {
    jpeg_create_decompress(&jpeg);
    jpeg.mem->max_memory_to_use = 1L << 29;
    jpeg_mem_src(&jpeg, (unsigned char *)bytes, count);
    jpeg_read_header(&jpeg, TRUE);
    if (pixels != NULL) {
      jpeg.progress = &progress;
      jpeg.out_color_space = JCS_RGB;
      jpeg_start_decompress(&jpeg);
      if (jpeg.output_width != *width || jpeg.output_height != *height || jpeg.output_components != 3) {
        strcpy(errors.message, "the size changed");
        longjmp(errors.failed, 1);
      }
      while (jpeg.output_scanline < jpeg.output_height) {
        JSAMPROW row = pixels + (size_t)jpeg.output_scanline * jpeg.output_width * 3;
        jpeg_read_scanlines(&jpeg, &row, 1);
      }
      jpeg_finish_decompress(&jpeg);
    }
    *width = jpeg.image_width;
    *height = jpeg.image_height;
    result = 0;
  } else {
    strncpy(message, errors.message, 159);
    message[159] = 0;
  }
  jpeg_destroy_decompress(&jpeg);
  return result;
}
