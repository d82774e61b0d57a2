// The loops of a replay memory that touch every byte of a frame.
#pragma once

#include <cstddef>
#include <cstdint>

namespace zoo::rl {

// to[i * frames + k] = from[k][i] for i < items: frames become the last axis, oldest first.
void interleave(const uint8_t* const* from, int64_t frames, int64_t items, uint8_t* to);
void interleave(const float* const* from, int64_t frames, int64_t items, float* to);

// Bytes 0 or 1 (others count as 1) into bits, the first in the lowest bit, and back.
inline int64_t packed_bytes(int64_t items) { return (items + 7) / 8; }
void pack_bits(const uint8_t* from, int64_t items, uint8_t* to);
void unpack_bits(const uint8_t* from, int64_t items, uint8_t* to);

}  // namespace zoo::rl
