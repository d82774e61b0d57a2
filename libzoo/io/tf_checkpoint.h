// Checkpoints of TensorFlow ("tensor bundle", V2): X.index, a sorted table of what there is, and X.data-00000-of-00001, the values.
//
//   Arrays tensors = zoo::io::read_tf_checkpoint("model.ckpt-250228.index");   // by variable name, in TensorFlow's layout
#pragma once

#include <libzoo/core/array.h>
#include <libzoo/io/bytes.h>

#include <filesystem>
#include <string>

namespace zoo::io {

// `path` is the index file, or the prefix X that both files share. Arrays are views of the mapped data file. Every block of the index
// and every tensor must have the checksum that was noted for it. Throws UserError naming the file and the tensor if a file is missing,
// cut or damaged, if there is more than one data file, or for slices and types other than numbers.
Arrays read_tf_checkpoint(const std::filesystem::path& path);
Arrays read_tf_checkpoint(const Bytes& index, const std::string& index_name, const Bytes& data, const std::string& data_name);

}  // namespace zoo::io
