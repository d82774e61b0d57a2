// CRC-32C (Castagnoli, reflected polynomial 0x82F63B78) and the masked form in which TFRecord and TensorBoard store it.
//
//   crc32c("123456789") == 0xE3069283
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace zoo::io {

// Pieces one after another give the value of the whole: crc = crc32c(piece, crc). Uses the instructions of SSE4.2
// and PCLMUL where the processor has them, else eight tables.
uint32_t crc32c(std::span<const uint8_t> bytes, uint32_t crc = 0);
inline uint32_t crc32c(std::string_view text, uint32_t crc = 0) {
  return crc32c(std::span(reinterpret_cast<const uint8_t*>(text.data()), text.size()), crc);
}

// The version with tables, on any processor.
uint32_t crc32c_portable(std::span<const uint8_t> bytes, uint32_t crc = 0);

// Rotated right by 15 bits, plus 0xA282EAD8.
inline uint32_t mask_crc(uint32_t crc) { return (crc >> 15 | crc << 17) + 0xA282EAD8u; }

}  // namespace zoo::io
