// The header of a .npy file: a Python dict literal, read by a small grammar and never evaluated.
#pragma once

#include <libzoo/core/array.h>
#include <libzoo/io/byte_reader.h>

namespace zoo::io {

struct NpyHeader {
  DType dtype = DType::f32;
  bool big_endian = false;
  bool fortran_order = false;
  std::vector<int64_t> shape;
};

NpyHeader read_npy_header(ByteReader& file);  // moves to the first byte of the data
std::string make_npy_header(DType dtype, const std::vector<int64_t>& shape);

}  // namespace zoo::io
