// libhdf5 for Swift. Its predefined types and property-list classes are macros over globals that need H5open(), and a
// few calls changed their names between 1.10 and 1.12: both are hidden behind the static inline functions below.
#ifndef ASSAY_CHDF5_SHIM_H
#define ASSAY_CHDF5_SHIM_H

#include <hdf5.h>
#include <stdint.h>

// Property-list classes.
static inline hid_t assay_h5_file_access_class(void) { return H5P_FILE_ACCESS; }
static inline hid_t assay_h5_file_create_class(void) { return H5P_FILE_CREATE; }
static inline hid_t assay_h5_group_create_class(void) { return H5P_GROUP_CREATE; }
static inline hid_t assay_h5_dataset_create_class(void) { return H5P_DATASET_CREATE; }
static inline hid_t assay_h5_dataset_transfer_class(void) { return H5P_DATASET_XFER; }
static inline hid_t assay_h5_link_create_class(void) { return H5P_LINK_CREATE; }
static inline hid_t assay_h5_default_list(void) { return H5P_DEFAULT; }
static inline hid_t assay_h5_whole_space(void) { return H5S_ALL; }
static inline hsize_t assay_h5_unlimited(void) { return H5S_UNLIMITED; }
static inline unsigned assay_h5_read_only(void) { return H5F_ACC_RDONLY; }
static inline unsigned assay_h5_exclusive(void) { return H5F_ACC_EXCL; }
static inline size_t assay_h5_variable_length(void) { return H5T_VARIABLE; }

// The memory type of a native integer or float of this many bytes; -1 when there is none. Not to be closed.
static inline hid_t assay_h5_native_integer(size_t bytes, int is_signed) {
  switch (bytes) {
    case 1: return is_signed ? H5T_NATIVE_INT8 : H5T_NATIVE_UINT8;
    case 2: return is_signed ? H5T_NATIVE_INT16 : H5T_NATIVE_UINT16;
    case 4: return is_signed ? H5T_NATIVE_INT32 : H5T_NATIVE_UINT32;
    case 8: return is_signed ? H5T_NATIVE_INT64 : H5T_NATIVE_UINT64;
    default: return -1;
  }
}

// A new copy of a standard type in the given byte order, to be closed by the caller; -1 when there is none.
static inline hid_t assay_h5_standard_integer(size_t bytes, int is_signed, int big_endian) {
  hid_t base = assay_h5_native_integer(bytes, is_signed);
  if (base < 0) return -1;
  hid_t copy = H5Tcopy(base);
  if (copy >= 0 && H5Tset_order(copy, big_endian ? H5T_ORDER_BE : H5T_ORDER_LE) < 0) { H5Tclose(copy); return -1; }
  return copy;
}
// A float of 16 bits: a sign, `exponent` bits with the usual bias, the rest a fraction.
static inline hid_t assay_h5_float16(size_t exponent, int big_endian) {
  hid_t type = H5Tcopy(big_endian ? H5T_IEEE_F32BE : H5T_IEEE_F32LE);
  if (type < 0) return -1;
  size_t fraction = 15 - exponent;
  if (H5Tset_fields(type, 15, fraction, exponent, 0, fraction) < 0 || H5Tset_size(type, 2) < 0 ||
      H5Tset_ebias(type, ((size_t)1 << (exponent - 1)) - 1) < 0) {
    H5Tclose(type);
    return -1;
  }
  return type;
}
static inline hid_t assay_h5_bfloat16(int big_endian) { return assay_h5_float16(8, big_endian); }
// Whether a float type is brain floating point, in either order of bytes.
static inline int assay_h5_is_bfloat16(hid_t type) {
  size_t sign, exponent, exponent_bits, fraction, fraction_bits;
  if (H5Tget_size(type) != 2 || H5Tget_fields(type, &sign, &exponent, &exponent_bits, &fraction, &fraction_bits) < 0) return 0;
  return exponent_bits == 8 && fraction_bits == 7;
}
static inline hid_t assay_h5_standard_float(size_t bytes, int big_endian) {
  if (bytes == 8) return H5Tcopy(big_endian ? H5T_IEEE_F64BE : H5T_IEEE_F64LE);
  if (bytes == 4) return H5Tcopy(big_endian ? H5T_IEEE_F32BE : H5T_IEEE_F32LE);
  // binary16: libhdf5 has no predefined one before 1.14.4.
  return bytes == 2 ? assay_h5_float16(5, big_endian) : -1;
}
static inline hid_t assay_h5_c_string(void) { return H5Tcopy(H5T_C_S1); }

// h5py's boolean: a one-byte enumeration {FALSE = 0, TRUE = 1}. To be closed by the caller.
static inline hid_t assay_h5_boolean(void) {
  hid_t type = H5Tenum_create(H5T_STD_I8LE);
  int8_t no = 0, yes = 1;
  if (type >= 0 && (H5Tenum_insert(type, "FALSE", &no) < 0 || H5Tenum_insert(type, "TRUE", &yes) < 0)) {
    H5Tclose(type);
    return -1;
  }
  return type;
}

// What an open object is, and what tells it from every other object of its file.
typedef struct {
  unsigned long file_number;
  uint64_t identity_low, identity_high;
  int kind;  // H5O_type_t
  unsigned link_count;
  uint64_t attribute_count;
} assay_h5_object;

static inline int assay_h5_describe_object(hid_t id, assay_h5_object *out) {
#if H5_VERSION_GE(1, 12, 0)
  H5O_info2_t info;
  if (H5Oget_info3(id, &info, H5O_INFO_BASIC | H5O_INFO_NUM_ATTRS) < 0) return -1;
  uint64_t words[2] = {0, 0};
  __builtin_memcpy(words, &info.token, sizeof info.token < sizeof words ? sizeof info.token : sizeof words);
  out->identity_low = words[0];
  out->identity_high = words[1];
#else
  H5O_info_t info;
  if (H5Oget_info2(id, &info, H5O_INFO_BASIC | H5O_INFO_NUM_ATTRS) < 0) return -1;
  out->identity_low = (uint64_t)info.addr;
  out->identity_high = 0;
#endif
  out->file_number = info.fileno;
  out->kind = (int)info.type;
  out->link_count = info.rc;
  out->attribute_count = (uint64_t)info.num_attrs;
  return 0;
}

// Links, with their kind seen before anything is opened. kind is H5L_type_t: 0 hard, 1 soft, 64 external, else user.
typedef int (*assay_h5_link_visitor)(const char *name, int kind, void *context);
typedef struct { assay_h5_link_visitor visit; void *context; } assay_h5_link_visit;

#if H5_VERSION_GE(1, 12, 0)
static inline herr_t assay_h5_link_adapter(hid_t group, const char *name, const H5L_info2_t *info, void *context) {
#else
static inline herr_t assay_h5_link_adapter(hid_t group, const char *name, const H5L_info_t *info, void *context) {
#endif
  (void)group;
  assay_h5_link_visit *call = (assay_h5_link_visit *)context;
  return call->visit(name, (int)info->type, call->context);
}
static inline int assay_h5_visit_links(hid_t group, assay_h5_link_visitor visit, void *context) {
  assay_h5_link_visit call = {visit, context};
  hsize_t start = 0;
#if H5_VERSION_GE(1, 12, 0)
  return (int)H5Literate2(group, H5_INDEX_NAME, H5_ITER_INC, &start, assay_h5_link_adapter, &call);
#else
  return (int)H5Literate(group, H5_INDEX_NAME, H5_ITER_INC, &start, assay_h5_link_adapter, &call);
#endif
}
static inline int assay_h5_link_kind(hid_t group, const char *name, int *kind) {
#if H5_VERSION_GE(1, 12, 0)
  H5L_info2_t info;
  if (H5Lget_info2(group, name, &info, H5P_DEFAULT) < 0) return -1;
#else
  H5L_info_t info;
  if (H5Lget_info(group, name, &info, H5P_DEFAULT) < 0) return -1;
#endif
  *kind = (int)info.type;
  return 0;
}

typedef int (*assay_h5_attribute_visitor)(const char *name, void *context);
typedef struct { assay_h5_attribute_visitor visit; void *context; } assay_h5_attribute_visit;
static inline herr_t assay_h5_attribute_adapter(hid_t object, const char *name, const H5A_info_t *info, void *context) {
  (void)object;
  (void)info;
  assay_h5_attribute_visit *call = (assay_h5_attribute_visit *)context;
  return call->visit(name, call->context);
}
static inline int assay_h5_visit_attributes(hid_t object, assay_h5_attribute_visitor visit, void *context) {
  assay_h5_attribute_visit call = {visit, context};
  hsize_t start = 0;
  return (int)H5Aiterate2(object, H5_INDEX_NAME, H5_ITER_INC, &start, assay_h5_attribute_adapter, &call);
}

// Conversions that would change a number abort the read or write.
static inline H5T_conv_ret_t assay_h5_refuse_changed_number(
    H5T_conv_except_t what, hid_t from, hid_t to, void *source, void *destination, void *context) {
  (void)from; (void)to; (void)source; (void)destination; (void)context;
  switch (what) {
    case H5T_CONV_EXCEPT_RANGE_HI:
    case H5T_CONV_EXCEPT_RANGE_LOW:
    case H5T_CONV_EXCEPT_PRECISION:
    case H5T_CONV_EXCEPT_TRUNCATE: return H5T_CONV_ABORT;
    default: return H5T_CONV_UNHANDLED;
  }
}
static inline int assay_h5_refuse_lossy_conversion(hid_t transfer) {
  return H5Pset_type_conv_cb(transfer, assay_h5_refuse_changed_number, NULL);
}

// The chunks of a dataset that have storage, by their number. Before 1.10.5 that cannot be asked.
static inline int assay_h5_can_list_chunks(void) {
#if H5_VERSION_GE(1, 10, 5)
  return 1;
#else
  return 0;
#endif
}
static inline int assay_h5_chunk_count(hid_t dataset, hid_t space, hsize_t *count) {
#if H5_VERSION_GE(1, 10, 5)
  return (int)H5Dget_num_chunks(dataset, space, count);
#else
  return -1;
#endif
}

// The chunk at this position by the look-up that reading makes: the bytes that it takes in the file, 0 when it is not found,
// and the filters that it was stored without.
static inline int assay_h5_chunk(hid_t dataset, const hsize_t *offset, unsigned *skipped_filters, hsize_t *bytes) {
  *skipped_filters = 0;
  *bytes = 0;
#if H5_VERSION_GE(1, 10, 5)
  // A damaged index may give a chunk a size and no place: it reads as the fill value. Address 0 is the superblock's.
  haddr_t address = HADDR_UNDEF;
  herr_t status = H5Dget_chunk_info_by_coord(dataset, offset, skipped_filters, &address, bytes);
  if (address == 0 || address == HADDR_UNDEF) *bytes = 0;
  return (int)status;
#else
  return -1;
#endif
}

// The chunk's bytes as they are in the file.
static inline int assay_h5_read_stored_chunk(hid_t dataset, const hsize_t *offset, void *bytes) {
#if H5_VERSION_GE(1, 10, 5)
  uint32_t skipped_filters = 0;
  return (int)H5Dread_chunk(dataset, H5P_DEFAULT, offset, &skipped_filters, bytes);
#else
  return -1;
#endif
}

// The file format of libhdf5 1.8 to 1.10: checksummed metadata, and the same bytes whatever the library's version.
static inline int assay_h5_set_format(hid_t access) {
  return H5Pset_libver_bounds(access, H5F_LIBVER_V18, H5F_LIBVER_V110);
}
// Reading takes no lock on the file: locks fail on read-only and on some network file systems.
static inline int assay_h5_disable_file_locking(hid_t access) {
#if (H5_VERSION_GE(1, 10, 7) && !H5_VERSION_GE(1, 12, 0)) || H5_VERSION_GE(1, 12, 1)
  return H5Pset_file_locking(access, 0, 1);
#else
  (void)access;
  return 0;
#endif
}

// The error stack as text, innermost failure first. visit gets the description and the name of libhdf5's function.
typedef void (*assay_h5_error_visitor)(const char *description, const char *function, void *context);
typedef struct { assay_h5_error_visitor visit; void *context; } assay_h5_error_visit;
static inline herr_t assay_h5_error_adapter(unsigned n, const H5E_error2_t *error, void *context) {
  (void)n;
  assay_h5_error_visit *call = (assay_h5_error_visit *)context;
  call->visit(error->desc ? error->desc : "", error->func_name ? error->func_name : "", call->context);
  return 0;
}
static inline void assay_h5_visit_errors(assay_h5_error_visitor visit, void *context) {
  assay_h5_error_visit call = {visit, context};
  H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, assay_h5_error_adapter, &call);
}
static inline void assay_h5_silence_errors(void) { H5Eset_auto2(H5E_DEFAULT, NULL, NULL); }

#endif
