// Contents of files as bytes.
#pragma once

#include "test/files.h"
#include <libzoo/io/bytes.h>

#include <string>

namespace zoo::test {

inline io::Bytes bytes(std::string_view text) { return io::Bytes::own({text.begin(), text.end()}); }

template <class T>
std::string raw(T value) {
  return {reinterpret_cast<const char*>(&value), sizeof value};
}

// `text` with `count` bytes from `at` replaced.
inline std::string with(std::string text, size_t at, size_t count, std::string_view replacement) {
  return text.replace(at, count, replacement);
}

}  // namespace zoo::test
