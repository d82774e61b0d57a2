// PNG pictures: every colour type and bit depth, interlaced or not. Exact; gamma and colour profiles are not applied.
//
//   Image image = decode_png(bytes, {.mode = ColorMode::rgb}, "mask.png");
#pragma once

#include <libzoo/core/array.h>
#include <libzoo/io/jpeg.h>

namespace zoo::io {

// Modes: see ColorMode. `unchanged` gives 1 grey, 2 grey and alpha, 3 RGB or 4 RGBA channels; greys of 1, 2 and 4 bits are
// scaled to 0..255, palettes become RGB, or RGBA if the file has transparency for them; a transparent grey or colour
// is ignored. 16 bits give their high byte in every mode. Bytes after the end are ignored.
// Throws UserError, its message opening with `where`, if the data is empty, no PNG, truncated or damaged, and before
// anything is allocated if the header claims more than max_pixels, a width above a million, or more than 20 MiB and 1032
// times the file, which is what the compression can reach at best. Memory: rows are allocated as they are decoded once the
// picture exceeds 20 MiB; interlaced ones at once, so for them the bound of 1032 holds for the expanded pixels.
Image decode_png(std::span<const uint8_t> bytes, const DecodeOptions& options, const std::string& where);

// Height and width of the above from the header. Throws as decode_png() does for what it reads.
ImageSize png_size(std::span<const uint8_t> bytes, const DecodeOptions& options, const std::string& where);

// The same as an array [height, width, channels]: I32 with values 0..65535 for a 16-bit file in mode unchanged, else U8.
Array decode_png_array(std::span<const uint8_t> bytes, const DecodeOptions& options, const std::string& where);

// 1 to 4 channels, 8 bits. Throws UserError if the picture is empty or its size and pixels disagree.
std::vector<uint8_t> encode_png(const Image& image);

}  // namespace zoo::io
