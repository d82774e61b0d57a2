// JPEG pictures: baseline and progressive; grey, colour and CMYK/YCCK; any subsampling. Accurate integer DCT and smooth
// chroma upsampling, so pixels are those of Pillow. Damage is an error, never grey rows.
//
//   Image image = decode_jpeg(bytes, {.mode = ColorMode::rgb}, "cat.jpg");
#pragma once

#include <libzoo/io/image.h>

#include <optional>
#include <span>
#include <string>

namespace zoo::io {

enum class ColorMode {
  rgb,        // three channels: grey is repeated, alpha dropped (not blended), 16 bits give their high byte
  gray,       // one channel: (19595 R + 38470 G + 7471 B + 32768) >> 16 of the rgb result
  unchanged,  // JPEG: 1 or 3 channels (CMYK becomes RGB). PNG: as stored
};

struct DecodeOptions {
  ColorMode mode = ColorMode::rgb;
  bool apply_exif_orientation = false;      // JPEG only; loaders of published checkpoints ignore it
  int64_t max_pixels = int64_t(1) << 28;    // height times width that a header may claim
  // Only this part of the picture (after orientation and denominator): its pixels are those of the whole. Of a JPEG little
  // more is decoded; damage below the part goes unnoticed unless it is the end that is missing.
  std::optional<PixelBox> region = {};
  // JPEG only: 2, 4 or 8 give a picture of 1/2, 1/4, 1/8 of the size, rounded up, by smaller cosine transforms. Several times
  // faster, and not the pixels that resizing the whole picture would give.
  int denominator = 1;
};

// Bytes after the end of the picture are ignored. Throws UserError, its message opening with `where`, if the data is
// empty, no JPEG, truncated or damaged, if the region is empty or leaves the picture, and before anything is allocated if the header claims more than max_pixels.
// Memory: rows are allocated as they are decoded once the picture exceeds 20 MiB, so that a header alone costs nothing.
// A file of n bytes with several scans is refused if its coefficients need more than max(20 MiB, 512 n), that is, less
// than two bits for each block of 8x8 samples; so is one with more than 100 scans.
Image decode_jpeg(std::span<const uint8_t> bytes, const DecodeOptions& options, const std::string& where);

// The same into a picture that keeps its memory and may hold more than the region: returns where that lies in it.
PixelBox decode_jpeg(std::span<const uint8_t> bytes, const DecodeOptions& options, const std::string& where, Image& into);

// Height and width of the above from the header. Throws as decode_jpeg() does for what it reads.
ImageSize jpeg_size(std::span<const uint8_t> bytes, const DecodeOptions& options, const std::string& where);

// 1 or 3 channels; quality 1 to 100 on libjpeg's scale; chroma 4:2:0. Throws UserError on anything else.
std::vector<uint8_t> encode_jpeg(const Image& image, int quality = 90);

}  // namespace zoo::io
