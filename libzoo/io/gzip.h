// gzip files (RFC 1952): members are decompressed one after another and concatenated.
#pragma once

#include <libzoo/io/bytes.h>

#include <string>

namespace zoo::io {

bool is_gzip(std::span<const uint8_t> bytes);  // by the first two bytes

// The decompressed contents. Bytes after the last member, damaged or cut data, and wrong checksums throw UserError.
Bytes gunzip(const Bytes& file, const std::string& where);

}  // namespace zoo::io
