// An RGB picture as a data set hands it out: pixels, or a file's bytes that are decoded when asked for, so that a transform
// that keeps a part need not decode the rest. One object serves many pictures and keeps its memory.
//
//   Picture picture;
//   dataset.read(17, picture);
//   View<uint8_t> part = picture.region({.top = 8, .left = 8, .height = 64, .width = 64});
#pragma once

#include <libzoo/data/image_view.h>
#include <libzoo/data/resize.h>
#include <libzoo/io/bytes.h>

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace zoo::data {

// Used by one thread at a time. Views that it returns end with the next call of a set_ function, read(), or region().
class Picture {
 public:
  Picture() = default;
  explicit Picture(io::Image image) { set_pixels(std::move(image)); }
  Picture(const Picture&) = delete;
  Picture(Picture&&) = default;
  Picture& operator=(Picture&&) = default;

  void set_pixels(io::Image image);           // grey, with or without alpha, and RGBA become RGB; throws Error for others
  // Borrowed: they must outlive this, or `owner` keeps them. Throws Error unless there are 3 channels.
  void set_pixels(const View<uint8_t>& rgb, std::shared_ptr<const void> owner = {});
  // A JPEG or PNG; errors in it open with `where`. Nothing is decoded yet.
  void set_encoded(io::Bytes bytes, std::string_view where);
  // The same from a file. Throws UserError naming it if it can't be read.
  void read(const std::filesystem::path& file);

  // These throw UserError if the bytes are no whole picture. Only the header is read:
  int64_t height() { return size().height; }
  int64_t width() { return size().width; }
  io::ImageSize size();
  View<uint8_t> pixels();  // all, decoded once
  // A part, equal to crop(pixels(), box), decoding little more than it. Throws UserError too if the box is empty or leaves
  // the picture.
  View<uint8_t> region(const PixelBox& box);

  // By how much the sides of a JPEG that isn't decoded yet can be divided in decoding so that the box keeps at least `least`
  // pixels: 1, 2, 4 or 8.
  int denominator(const PixelBox& box, const ImageSize& least);
  // About the box, decoded at 1/denominator of the size: faster, and not the pixels that resizing would give.
  struct Scaled {
    View<uint8_t> pixels;
    ResizeBox box;  // where in them the box lies
  };
  Scaled scaled_region(const PixelBox& box, int denominator);

  // The bytes as they were given or read; none for pixels.
  std::span<const uint8_t> encoded() const { return bytes_.view; }

  io::Image image() &&;  // pixels() as a picture of its own

 private:
  bool decoded() const { return view_.pixels != nullptr; }

  std::vector<uint8_t> file_;  // what read() read
  io::Bytes bytes_;           // of a file; or only the owner of borrowed pixels
  std::string where_;
  std::optional<io::ImageSize> size_;
  io::Image image_;       // decoded or given pixels
  View<uint8_t> view_;    // of image_, or borrowed; none: not decoded yet
};

}  // namespace zoo::data
