// A State as one safetensors file: the arrays under their names, the JSON values as one text in the metadata. Python's
// safetensors package opens it.
#pragma once

#include <libzoo/core/state.h>

#include <filesystem>

namespace zoo::io {

// Replaces `path` as a whole. Throws Error with the file's name and the reason, also for numbers JSON cannot hold (NaN,
// infinity: put them into an array).
void write_state(const std::filesystem::path& path, const State& state);

// Arrays are views of the file. Throws UserError if the file is damaged or was not written by write_state.
State read_state(const std::filesystem::path& path);

}  // namespace zoo::io
