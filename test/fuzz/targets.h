// The tables of targets, one for each source file, and what they share.
#pragma once

#include "test/fuzz/target.h"

#include <libzoo/core/array.h>
#include <libzoo/io/inflate.h>

#include <filesystem>

namespace zoo::fuzz {

std::vector<Target> io_targets();
std::vector<Target> record_targets();
std::vector<Target> text_targets();
std::vector<Target> image_targets();
std::vector<Target> replay_targets();

// Reads every byte, so that a view of memory that is gone is noticed.
void consume(std::span<const uint8_t> bytes);
void consume(std::string_view text);
void consume(const Array& array);

// What `write` writes to the path it is given.
Input written(const std::function<void(const std::filesystem::path&)>& write);
Input to_input(std::string_view text);
// The input as a file, with an owner, as a mapped one has: arrays are views where they can be. The input outlives them.
io::Bytes file_of(std::span<const uint8_t> input);
Input compressed(const Input& input, io::Framing framing);

}  // namespace zoo::fuzz
