// A bitmap font for captions: printable ASCII, 5x7 dots per character.
#pragma once

#include <array>
#include <cstdint>

namespace zoo::data {

constexpr int kFontWidth = 5, kFontHeight = 7;

// Columns from the left, bit 0 the top dot. Characters outside space to tilde give '?'.
const std::array<uint8_t, kFontWidth>& glyph_columns(char character);

}  // namespace zoo::data
