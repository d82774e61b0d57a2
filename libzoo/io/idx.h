// IDX, the format of MNIST: big-endian type, dimensions and data; plain or gzip-compressed (told by the contents).
#pragma once

#include <libzoo/core/array.h>
#include <libzoo/io/bytes.h>

#include <string>

namespace zoo::io {

// U8, I8, I16, I32, F32 or F64, in the file's shape. U8 and I8 data of a plain file is a view of it.
// Missing or extra bytes throw UserError.
Array read_idx(const Bytes& file, const std::string& where);

}  // namespace zoo::io
