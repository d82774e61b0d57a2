#include <libzoo/io/crc32c.h>

#include <array>
#include <cstddef>
#include <cstring>

#if defined(__x86_64__)
#include <immintrin.h>
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

// The instruction has a latency of three cycles, so three blocks run side by side. Blocks are short and memory is asked for
// well ahead: what is not in a cache then comes as fast as one core can have it.
constexpr size_t kBlock = 256, kAhead = 2048;

// The state 1 after n bits of zeros.
constexpr uint32_t after_zeros(size_t bits) {
  uint32_t crc = 0x80000000;
  for (; bits > 0; --bits) crc = crc >> 1 ^ (crc & 1 ? kPolynomial : 0);
  return crc;
}

inline uint64_t load(const uint8_t* p) {
  uint64_t word;
  std::memcpy(&word, p, 8);
  return word;
}

// Advancing a state over zeros is multiplying by a power of x: the product without carries of state and factor has up to 64
// bits, which the instruction reduces (V. Gopal et al. 2011, "Fast CRC computation for iSCSI polynomial using CRC32
// instruction"). It multiplies by x^32 itself, and the product of reflected numbers lacks one x: hence 33 bits less.
__attribute__((target("sse4.2,pclmul"))) uint32_t hardware(const uint8_t* p, size_t n, uint32_t state) {
  constexpr uint64_t kOver2 = after_zeros(2 * 8 * kBlock - 33), kOver1 = after_zeros(8 * kBlock - 33);
  const __m128i factors = _mm_set_epi64x(int64_t(kOver1), int64_t(kOver2));
  uint64_t crc = state;
  for (; n >= 3 * kBlock; p += 3 * kBlock, n -= 3 * kBlock) {
    uint64_t second = 0, third = 0;
    for (size_t line = 0; line < kBlock; line += 64) {
      for (size_t block = 0; block < 3; ++block)
        _mm_prefetch(reinterpret_cast<const char*>(p) + kAhead + block * kBlock + line, _MM_HINT_T0);
      for (size_t i = line; i < line + 64; i += 8) {
        crc = _mm_crc32_u64(crc, load(p + i));
        second = _mm_crc32_u64(second, load(p + kBlock + i));
        third = _mm_crc32_u64(third, load(p + 2 * kBlock + i));
      }
    }
    const __m128i product = _mm_xor_si128(_mm_clmulepi64_si128(_mm_cvtsi64_si128(int64_t(crc)), factors, 0x00),
                                          _mm_clmulepi64_si128(_mm_cvtsi64_si128(int64_t(second)), factors, 0x10));
    crc = third ^ _mm_crc32_u64(0, uint64_t(_mm_cvtsi128_si64(product)));
  }
  for (; n >= 8; p += 8, n -= 8) crc = _mm_crc32_u64(crc, load(p));
  for (; n > 0; ++p, --n) crc = _mm_crc32_u8(uint32_t(crc), *p);
  return uint32_t(crc);
}

bool has_instructions() {
  static const bool found = __builtin_cpu_supports("sse4.2") && __builtin_cpu_supports("pclmul");
  return found;
}

#endif

}  // namespace

uint32_t crc32c_portable(std::span<const uint8_t> bytes, uint32_t crc) { return ~sliced(bytes.data(), bytes.size(), ~crc); }

uint32_t crc32c(std::span<const uint8_t> bytes, uint32_t crc) {
#if defined(__x86_64__)
  if (has_instructions()) return ~hardware(bytes.data(), bytes.size(), ~crc);
#endif
  return crc32c_portable(bytes, crc);
}

}  // namespace zoo::io
