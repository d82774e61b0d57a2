// Picture files of either format, told apart by their first bytes and not by their names.
//
//   Image image = read_image("photos/cat.jpg");
#pragma once

#include <libzoo/io/png.h>

#include <filesystem>

namespace zoo::io {

// True if the bytes open as a JPEG or a PNG does.
bool is_image(std::span<const uint8_t> bytes);
bool is_jpeg(std::span<const uint8_t> bytes);

// Throws UserError as decode_jpeg and decode_png do, and for any other kind of file, naming it where it is known.
Image decode_image(std::span<const uint8_t> bytes, const DecodeOptions& options, const std::string& where);

// The same into a picture that keeps its memory and may hold more than the region: returns where that lies in it.
PixelBox decode_image(std::span<const uint8_t> bytes, const DecodeOptions& options, const std::string& where, Image& into);

// Of the picture that decode_image would give, from the header alone. Throws as decode_image() does for what it reads.
ImageSize image_size(std::span<const uint8_t> bytes, const DecodeOptions& options, const std::string& where);

// Throws UserError naming the file if it can't be read or decoded.
Image read_image(const std::filesystem::path& path, const DecodeOptions& options = {});

}  // namespace zoo::io
