// safetensors (github.com/huggingface/safetensors): u64 header length, JSON header, one buffer. Read strictly: names are
// unique, integers are integers, the tensors' ranges tile the buffer exactly, and only spaces pad the header.
//
//   auto file = read_safetensors(map_file(path), path);       // tensors are views of the mapped file
//   write_safetensors(path, file.tensors, {{"format", "pt"}});
#pragma once

#include <libzoo/core/array.h>
#include <libzoo/io/bytes.h>

#include <map>
#include <string>

namespace zoo::io {

struct SafeTensors {
  Arrays tensors;
  std::map<std::string, std::string> metadata;
};

// Arrays share the file where their data is aligned, else they are copies. Throws UserError "<where>: byte N: …" on
// anything that breaks the format, before any allocation that the file cannot justify.
SafeTensors read_safetensors(const Bytes& file, const std::string& where);

// Replaces `path` as a whole (see AtomicFile). Tensors are ordered by item size, largest first, then by name; the header is
// padded to a multiple of 8, so every tensor is aligned. Throws Error on names or metadata that are not UTF-8, and if the
// file cannot be written.
void write_safetensors(const std::filesystem::path& path, const Arrays& tensors, const std::map<std::string, std::string>& metadata = {});

}  // namespace zoo::io
