#include <libzoo/core/kernel_clones.h>
#include <libzoo/rl/replay_rows.h>

#include <array>
#include <cstring>

namespace zoo::rl {
namespace {

ZOO_CLONES void interleave4(const uint8_t* __restrict a, const uint8_t* __restrict b, const uint8_t* __restrict c,
                            const uint8_t* __restrict d, int64_t items, uint8_t* __restrict to) {
  for (int64_t i = 0; i < items; ++i) {
    to[4 * i] = a[i];
    to[4 * i + 1] = b[i];
    to[4 * i + 2] = c[i];
    to[4 * i + 3] = d[i];
  }
}

template <class T>
void interleave_any(const T* const* from, int64_t frames, int64_t items, T* to) {
  for (int64_t k = 0; k < frames; ++k)
    for (int64_t i = 0; i < items; ++i) to[i * frames + k] = from[k][i];
}

// The eight bytes of every packed byte.
constexpr auto kUnpacked = [] {
  std::array<std::array<uint8_t, 8>, 256> table{};
  for (size_t byte = 0; byte < 256; ++byte)
    for (size_t bit = 0; bit < 8; ++bit) table[byte][bit] = byte >> bit & 1;
  return table;
}();

}  // namespace

void interleave(const uint8_t* const* from, int64_t frames, int64_t items, uint8_t* to) {
  if (frames == 1)
    std::memcpy(to, from[0], size_t(items));
  else if (frames == 4)
    interleave4(from[0], from[1], from[2], from[3], items, to);
  else
    interleave_any(from, frames, items, to);
}

void interleave(const float* const* from, int64_t frames, int64_t items, float* to) { interleave_any(from, frames, items, to); }

void pack_bits(const uint8_t* from, int64_t items, uint8_t* to) {
  std::memset(to, 0, size_t(packed_bytes(items)));
  for (int64_t i = 0; i < items; ++i) to[i / 8] |= uint8_t((from[i] != 0) << i % 8);
}

void unpack_bits(const uint8_t* from, int64_t items, uint8_t* to) {
  const int64_t whole = items / 8;
  for (int64_t i = 0; i < whole; ++i) std::memcpy(to + 8 * i, kUnpacked[from[i]].data(), 8);
  if (items % 8) std::memcpy(to + 8 * whole, kUnpacked[from[whole]].data(), size_t(items % 8));
}

}  // namespace zoo::rl
