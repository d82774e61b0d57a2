#include <libzoo/io/crc32c.h>

#include <array>
#include <cstddef>
#include <cstring>

#if defined(__x86_64__)
#include <nmmintrin.h>
#endif

namespace zoo::io {
namespace {

constexpr uint32_t kPolynomial = 0x82F63B78;

// table[k][b]: the state after byte b and k zero bytes, from state 0.
constexpr auto make_tables() {
  std::array<std::array<uint32_t, 256>, 8> tables{};
  for (uint32_t b = 0; b < 256; ++b) {
    uint32_t crc = b;
    for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ (crc & 1 ? kPolynomial : 0);
    tables[0][b] = crc;
  }
  for (size_t k = 1; k < 8; ++k) {
    for (size_t b = 0; b < 256; ++b) tables[k][b] = tables[k - 1][b] >> 8 ^ tables[0][tables[k - 1][b] & 0xFF];
  }
  return tables;
}
constexpr auto kTables = make_tables();

// The functions below work on the state without the initial and final complement.
uint32_t sliced(const uint8_t* p, size_t n, uint32_t crc) {
  for (; n >= 8; p += 8, n -= 8) {
    uint64_t word;
    std::memcpy(&word, p, 8);
    word ^= crc;
    crc = 0;
    for (size_t k = 0; k < 8; ++k) crc ^= kTables[7 - k][word >> 8 * k & 0xFF];
  }
  for (; n > 0; ++p, --n) crc = crc >> 8 ^ kTables[0][(crc ^ *p) & 0xFF];
  return crc;
}

#if defined(__x86_64__)

// The instruction has a latency of three cycles, so three blocks run side by side. Their states are joined by
// advancing a state over a block of zeros, which is linear: four tables of 256 entries (as in M. Adler's crc32c.c).
constexpr size_t kLong = 4096, kShort = 256;

struct ZeroBlock {
  std::array<std::array<uint32_t, 256>, 4> table;

  explicit ZeroBlock(size_t bytes) {
    std::array<uint32_t, 32> image;
    for (size_t bit = 0; bit < 32; ++bit) {
      uint32_t crc = 1u << bit;
      for (size_t i = 0; i < bytes; ++i) crc = crc >> 8 ^ kTables[0][crc & 0xFF];
      image[bit] = crc;
    }
    for (size_t k = 0; k < 4; ++k) {
      for (uint32_t b = 0; b < 256; ++b) {
        uint32_t crc = 0;
        for (size_t bit = 0; bit < 8; ++bit) crc ^= b >> bit & 1 ? image[8 * k + bit] : 0;
        table[k][b] = crc;
      }
    }
  }

  uint32_t advance(uint32_t crc) const {
    return table[0][crc & 0xFF] ^ table[1][crc >> 8 & 0xFF] ^ table[2][crc >> 16 & 0xFF] ^ table[3][crc >> 24];
  }
};

inline uint64_t load(const uint8_t* p) {
  uint64_t word;
  std::memcpy(&word, p, 8);
  return word;
}

template <size_t block>
__attribute__((target("sse4.2"))) void three_blocks(const uint8_t*& p, size_t& n, uint64_t& crc) {
  static const ZeroBlock zeros(block);
  for (; n >= 3 * block; p += 3 * block, n -= 3 * block) {
    uint64_t second = 0, third = 0;
    for (size_t i = 0; i < block; i += 8) {
      crc = _mm_crc32_u64(crc, load(p + i));
      second = _mm_crc32_u64(second, load(p + block + i));
      third = _mm_crc32_u64(third, load(p + 2 * block + i));
    }
    crc = zeros.advance(uint32_t(crc)) ^ uint32_t(second);
    crc = zeros.advance(uint32_t(crc)) ^ uint32_t(third);
  }
}

__attribute__((target("sse4.2"))) uint32_t hardware(const uint8_t* p, size_t n, uint32_t state) {
  uint64_t crc = state;
  three_blocks<kLong>(p, n, crc);
  three_blocks<kShort>(p, n, crc);
  for (; n >= 8; p += 8, n -= 8) crc = _mm_crc32_u64(crc, load(p));
  for (; n > 0; ++p, --n) crc = _mm_crc32_u8(uint32_t(crc), *p);
  return uint32_t(crc);
}

bool has_instruction() {
  static const bool found = __builtin_cpu_supports("sse4.2");
  return found;
}

#endif

}  // namespace

uint32_t crc32c_portable(std::span<const uint8_t> bytes, uint32_t crc) { return ~sliced(bytes.data(), bytes.size(), ~crc); }

uint32_t crc32c(std::span<const uint8_t> bytes, uint32_t crc) {
#if defined(__x86_64__)
  if (has_instruction()) return ~hardware(bytes.data(), bytes.size(), ~crc);
#endif
  return crc32c_portable(bytes, crc);
}

}  // namespace zoo::io
