#include <libzoo/data/padded_crop.h>

#include <libzoo/core/error.h>

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

namespace zoo::data {
namespace {

// Where sample `place` of a bordered axis of n comes from; -1: from the black border.
int64_t source(int64_t place, int64_t n, const Padding& padding) {
  const int64_t at = place - padding.pixels;
  if (at >= 0 && at < n) return at;
  if (padding.border == Border::black) return -1;
  return at < 0 ? -at : 2 * (n - 1) - at;
}

template <int kChannels>
void mirror_row(uint8_t* row, int64_t width, int64_t channels) {
  if (kChannels > 0) channels = kChannels;
  for (int64_t left = 0, right = width - 1; left < right; ++left, --right)
    for (int64_t c = 0; c < channels; ++c) std::swap(row[left * channels + c], row[right * channels + c]);
}

}  // namespace

void padded_crop(const View<uint8_t>& picture, const Padding& padding, const PixelBox& box, bool mirror, io::Image& into) {
  const int64_t height = picture.height, width = picture.width, channels = picture.channels;
  if (height < 1 || width < 1) throw UserError(fmt::format("a picture of {}x{} is empty", height, width));
  const int64_t most = padding.border == Border::reflect ? std::min(height, width) - 1 : 65536;
  if (padding.pixels < 0 || padding.pixels > most)
    throw UserError(fmt::format("padding: {} pixels around a picture of {}x{} are not 0 to {}", padding.pixels, height, width, most));
  check_box(box, height + 2 * padding.pixels, width + 2 * padding.pixels);

  into.height = box.height, into.width = box.width, into.channels = channels;
  into.pixels.resize(size_t(box.height * box.width * channels));
  // Columns from `begin` to `end` of the crop are columns of the picture.
  const int64_t begin = std::clamp<int64_t>(padding.pixels - box.left, 0, box.width);
  const int64_t end = std::clamp<int64_t>(padding.pixels + width - box.left, begin, box.width);
  for (int64_t y = 0; y < box.height; ++y) {
    uint8_t* to = into.row(y);
    const int64_t from = source(box.top + y, height, padding);
    if (from < 0) {
      std::memset(to, 0, size_t(box.width * channels));
      continue;
    }
    const uint8_t* row = picture.row(from);
    const auto edge = [&](int64_t x) {
      const int64_t at = source(box.left + x, width, padding);
      for (int64_t c = 0; c < channels; ++c) to[x * channels + c] = at < 0 ? 0 : row[at * channels + c];
    };
    for (int64_t x = 0; x < begin; ++x) edge(x);
    for (int64_t x = end; x < box.width; ++x) edge(x);
    if (end > begin)
      std::memcpy(to + begin * channels, row + (box.left + begin - padding.pixels) * channels, size_t((end - begin) * channels));
    if (mirror && channels == 3) mirror_row<3>(to, box.width, 3);
    if (mirror && channels != 3) mirror_row<0>(to, box.width, channels);
  }
}

}  // namespace zoo::data
