#include <libzoo/data/picture.h>

#include <libzoo/core/error.h>
#include <libzoo/data/image_dataset.h>
#include <libzoo/data/image_ops.h>
#include <libzoo/io/image_file.h>

#include <fmt/format.h>

namespace zoo::data {

void Picture::set_pixels(io::Image image) {
  image_ = to_rgb(std::move(image));
  set_pixels(View<uint8_t>(image_));
}

void Picture::set_pixels(const View<uint8_t>& rgb) {
  if (rgb.channels != 3) throw Error(fmt::format("a picture of {} channels, 3 are needed", rgb.channels));
  view_ = rgb;
  size_ = {rgb.height, rgb.width};
}

void Picture::set_encoded(io::Bytes bytes, std::string_view where) {
  bytes_ = std::move(bytes);
  where_ = where;
  size_.reset();
  view_ = {};
}

void Picture::read(const std::filesystem::path& file) {
  io::read_file(file, file_);
  set_encoded(io::Bytes::borrow(file_), file.native());
}

io::ImageSize Picture::size() {
  if (!size_) size_ = io::image_size(bytes_.view, {}, where_);
  return *size_;
}

View<uint8_t> Picture::pixels() {
  if (!decoded()) {
    io::decode_image(bytes_.view, {}, where_, image_);
    view_ = image_;
    size_ = {image_.height, image_.width};
  }
  return view_;
}

View<uint8_t> Picture::region(const PixelBox& box) { return crop(pixels(), box); }

io::Image Picture::image() && {
  const View<uint8_t> all = pixels();
  return all.pixels == image_.pixels.data() ? std::move(image_) : copy(all);
}

}  // namespace zoo::data
