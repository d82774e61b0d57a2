#include <libzoo/data/picture.h>

#include <libzoo/core/error.h>
#include <libzoo/data/image_dataset.h>
#include <libzoo/data/image_ops.h>
#include <libzoo/io/image_file.h>

#include <fmt/format.h>

#include <algorithm>

namespace zoo::data {

void Picture::set_pixels(io::Image image) {
  image_ = to_rgb(std::move(image));
  set_pixels(View<uint8_t>(image_));
}

void Picture::set_pixels(const View<uint8_t>& rgb, std::shared_ptr<const void> owner) {
  if (rgb.channels != 3) throw Error(fmt::format("a picture of {} channels, 3 are needed", rgb.channels));
  view_ = rgb;
  bytes_ = {{}, std::move(owner)};
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

View<uint8_t> Picture::region(const PixelBox& box) {
  if (decoded()) return crop(view_, box);
  const PixelBox place = io::decode_image(bytes_.view, {.region = box}, where_, image_);
  return crop(View<uint8_t>(image_), place);
}

int Picture::denominator(const PixelBox& box, const ImageSize& least) {
  if (decoded() || !io::is_jpeg(bytes_.view)) return 1;
  int result = 1;
  while (result < 8 && box.height >= 2 * result * least.height && box.width >= 2 * result * least.width) result *= 2;
  return result;
}

Picture::Scaled Picture::scaled_region(const PixelBox& box, int denominator) {
  const auto [height, width] = size();
  check_box(box, height, width, where_);
  const int64_t d = denominator;
  PixelBox part{box.top / d, box.left / d, 0, 0};
  part.height = (box.top + box.height + d - 1) / d - part.top;
  part.width = (box.left + box.width + d - 1) / d - part.left;
  const PixelBox place = io::decode_image(bytes_.view, {.region = part, .denominator = denominator}, where_, image_);
  const double left = double(box.left) / double(d) - double(part.left), top = double(box.top) / double(d) - double(part.top);
  return {crop(View<uint8_t>(image_), place),
          {left, top, std::min(left + double(box.width) / double(d), double(part.width)),
           std::min(top + double(box.height) / double(d), double(part.height))}};
}

io::Image Picture::image() && {
  const View<uint8_t> all = pixels();
  return all.pixels == image_.pixels.data() ? std::move(image_) : copy(all);
}

}  // namespace zoo::data
