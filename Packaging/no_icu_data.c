// The data of ICU, with nothing in it: 32 MB of languages, calendars and time zones that the command never asks for. Foundation
// links them in; ICU says of each that it has none. ICU's own sources have such a file (stubdata.cpp).
#include <stdint.h>

typedef struct {
  uint16_t header_size;
  uint8_t magic[2];
  uint16_t info_size, reserved;
  uint8_t is_big_endian, charset, char_size, reserved_byte;
  uint8_t format[4], format_version[4], data_version[4];
  uint8_t padding[8];
  uint32_t count, reserved_word;
  int32_t names[4];
} IcuData;

const _Alignas(16) IcuData no_icu_data = {
  32, {0xda, 0x27}, 20, 0, 0, 0, 2, 0, {'T', 'o', 'C', 'P'}, {1, 0, 0, 0}, {0, 0, 0, 0}, {0}, 0, 0, {0},
};
