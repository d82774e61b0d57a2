// numpy's files: .npy (versions 1 to 3) and .npz, a zip of them.
//
//   Arrays weights = read_npz(map_file("BiT-M-R50x1.npz"), "BiT-M-R50x1.npz");
#pragma once

#include <libzoo/core/array.h>
#include <libzoo/io/bytes.h>

#include <string>

namespace zoo::io {

// Types b1, i1 to i8, u1 to u8, f2, f4, f8 in either byte order; Fortran-ordered data comes out row-major. A view of `file`
// where the data can be used as it lies. Bytes after the array are allowed, as numpy appends arrays to one file.
// Structured, object, string and time types, and anything damaged, throw UserError.
Array read_npy(const Bytes& file, const std::string& where);

// The members of the archive under their names without ".npy". Checksums are verified; bytes after a member's array are an
// error here.
Arrays read_npz(const Bytes& file, const std::string& where);

// Version 1.0, little-endian, row-major, header padded to a multiple of 64. Throws Error for BF16 and F8, which numpy lacks.
void write_npy(const std::filesystem::path& path, const Array& array);

// Stored members whose data is aligned to 64 bytes, in ascending order of names.
void write_npz(const std::filesystem::path& path, const Arrays& arrays);

}  // namespace zoo::io
