// MNIST-like sets: an IDX file of grey pictures and one of labels.
#include <libzoo/core/error.h>
#include <libzoo/data/catalogue.h>
#include <libzoo/data/labelled_pictures.h>
#include <libzoo/io/bytes.h>
#include <libzoo/io/idx.h>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace zoo::data {
namespace {

// The source places and weights of a side: bilinear with pixel centres at half places (align_corners false), clamped at
// the border, without antialiasing; torch.nn.functional.interpolate.
struct Taps {
  std::vector<int64_t> low, high;
  std::vector<float> weight;  // of high

  Taps(int64_t from, int64_t to) {
    const float scale = float(from) / float(to);
    for (int64_t i = 0; i < to; ++i) {
      const float place = std::max(scale * (float(i) + 0.5f) - 0.5f, 0.0f);
      low.push_back(std::min(int64_t(place), from - 1));
      high.push_back(std::min(low.back() + 1, from - 1));
      weight.push_back(place - float(low.back()));
    }
  }
};

class Idx final : public ImageDataset {
 public:
  explicit Idx(const IdxOptions& options)
      : options_(options),
        images_(io::read_idx(io::map_file(options.images), options.images.string())),
        labels_(io::read_idx(io::map_file(options.labels), options.labels.string())) {
    const std::string images_file = options.images.string(), labels_file = options.labels.string();
    if (images_.dtype() != DType::u8 || images_.shape().size() != 3)
      throw UserError(fmt::format("{}: holds {} of rank {}, pictures are U8 of rank 3 (number, height, width)", images_file,
                                  name(images_.dtype()), images_.shape().size()),
                      "are the two files in the right places?");
    if (labels_.dtype() != DType::u8 || labels_.shape().size() != 1)
      throw UserError(
          fmt::format("{}: holds {} of rank {}, labels are U8 of rank 1", labels_file, name(labels_.dtype()), labels_.shape().size()),
          "are the two files in the right places?");
    if (images_.shape()[0] != labels_.shape()[0])
      throw UserError(
          fmt::format("{} holds {} pictures, {} holds {} labels", images_file, images_.shape()[0], labels_file, labels_.shape()[0]),
          "take both files from the same split");
    if (size() == 0) throw UserError(fmt::format("{}: holds no pictures", images_file));
    if (images_.shape()[1] == 0 || images_.shape()[2] == 0) throw UserError(fmt::format("{}: its pictures have no pixels", images_file));
    if (options.pad < 0 || options.pad > 2048) throw UserError(fmt::format("pad: must be 0 to 2048 pixels, got {}", options.pad));
    if (options.resize && (*options.resize < 1 || *options.resize > 4096))
      throw UserError(fmt::format("resize: must be 1 to 4096 pixels, got {}", *options.resize));

    const auto labels = labels_.span<uint8_t>();
    const int64_t largest = *std::max_element(labels.begin(), labels.end());
    num_classes_ = options.num_classes.value_or(largest + 1);
    if (largest >= num_classes_) throw UserError(fmt::format("{}: holds label {}, num_classes is {}", labels_file, largest, num_classes_));
    if (num_classes_ < 2) throw UserError(fmt::format("{}: holds one class only, label 0", labels_file), "classification needs two");
  }

  int64_t size() const override { return images_.shape()[0]; }
  int64_t num_classes() const override { return num_classes_; }
  std::string class_name(int64_t label) const override { return std::to_string(label); }
  ImageSize typical_size() const override {
    return {options_.resize.value_or(images_.shape()[1]) + 2 * options_.pad,
            options_.resize.value_or(images_.shape()[2]) + 2 * options_.pad};
  }
  std::string describe() const override {
    return fmt::format("idx {}: {} pictures {}x{}, {} classes", options_.images.filename().string(), size(), typical_size().height,
                       typical_size().width, num_classes_);
  }

 protected:
  int64_t get_label(int64_t index) const override { return labels_.span<uint8_t>()[size_t(index)]; }

  void get_picture(int64_t index, Picture& picture) const override { picture.set_pixels(grey(index)); }
  std::string get_item_name(int64_t index) const override { return fmt::format("{} picture {}", options_.images.string(), index); }

 private:
  io::Image grey(int64_t index) const {
    const int64_t height = images_.shape()[1], width = images_.shape()[2], pad = options_.pad;
    const uint8_t* from = images_.span<uint8_t>().data() + index * height * width;
    require_pixels({from, size_t(height * width)});
    const ImageSize size = typical_size();
    io::Image image{size.height, size.width, 1, std::vector<uint8_t>(size_t(size.height * size.width))};
    const int64_t inner_height = size.height - 2 * pad, inner_width = size.width - 2 * pad;
    if (!options_.resize) {
      for (int64_t y = 0; y < height; ++y) std::copy_n(from + y * width, width, image.row(y + pad) + pad);
      return image;
    }
    const Taps rows(height, inner_height), columns(width, inner_width);
    for (int64_t y = 0; y < inner_height; ++y) {
      const uint8_t *top = from + rows.low[size_t(y)] * width, *bottom = from + rows.high[size_t(y)] * width;
      const float down = rows.weight[size_t(y)];
      uint8_t* to = image.row(y + pad) + pad;
      for (int64_t x = 0; x < inner_width; ++x) {
        const int64_t left = columns.low[size_t(x)], right = columns.high[size_t(x)];
        const float across = columns.weight[size_t(x)];
        const float upper = (1 - across) * top[left] + across * top[right], lower = (1 - across) * bottom[left] + across * bottom[right];
        to[x] = uint8_t(std::nearbyint((1 - down) * upper + down * lower));
      }
    }
    return image;
  }

  IdxOptions options_;
  Array images_, labels_;
  int64_t num_classes_ = 0;
};

}  // namespace

DatasetPointer open_idx(const IdxOptions& options) { return std::make_shared<Idx>(options); }

}  // namespace zoo::data
