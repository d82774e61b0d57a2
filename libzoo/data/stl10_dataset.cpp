// STL-10 from its binary files: pictures of 96x96 pixels as planes of red, green and blue, each column after column.
#include <libzoo/core/error.h>
#include <libzoo/data/catalogue.h>
#include <libzoo/io/bytes.h>

#include <fmt/format.h>

#include <array>

namespace zoo::data {
namespace {

constexpr int64_t kSide = 96, kPlane = kSide * kSide, kBytes = 3 * kPlane;
constexpr std::array<const char*, 10> kClasses{"airplane", "bird", "car", "cat", "deer", "dog", "horse", "monkey", "ship", "truck"};

class Stl10Set final : public ImageDataset {
 public:
  explicit Stl10Set(const Stl10Options& options) : options_(options), images_(io::map_file(options.images)) {
    if (images_.size() == 0 || images_.size() % size_t(kBytes) != 0)
      throw UserError(fmt::format("{}: {} bytes are no whole number of pictures of {}", options.images.string(), images_.size(), kBytes));
    if (options.labels.empty()) return;
    labels_ = io::map_file(options.labels);
    if (int64_t(labels_.size()) != size())
      throw UserError(fmt::format("{}: {} labels for {} pictures", options.labels.string(), labels_.size(), size()));
    for (size_t i = 0; i < labels_.size(); ++i)
      if (labels_.view[i] < 1 || labels_.view[i] > kClasses.size())
        throw UserError(fmt::format("{}: byte {}: label {} is none of 1 to 10", options.labels.string(), i, labels_.view[i]));
  }

  int64_t size() const override { return int64_t(images_.size()) / kBytes; }
  int64_t num_classes() const override { return labels_.size() == 0 ? 1 : int64_t(kClasses.size()); }
  std::string class_name(int64_t label) const override { return labels_.size() == 0 ? "unknown" : kClasses.at(size_t(label)); }
  ImageSize typical_size() const override { return {kSide, kSide}; }
  std::string describe() const override { return fmt::format("stl10: {} pictures 96x96, {} classes", size(), num_classes()); }

 protected:
  int64_t get_label(int64_t index) const override { return labels_.size() == 0 ? 0 : labels_.view[size_t(index)] - 1; }
  void get_picture(int64_t index, Picture& picture) const override {
    const uint8_t* planes = images_.data() + index * kBytes;
    io::Image image{kSide, kSide, 3, std::vector<uint8_t>(size_t(kBytes))};
    for (int64_t c = 0; c < 3; ++c)
      for (int64_t x = 0; x < kSide; ++x)
        for (int64_t y = 0; y < kSide; ++y) image.row(y)[3 * x + c] = planes[c * kPlane + x * kSide + y];
    picture.set_pixels(std::move(image));
  }
  std::string get_item_name(int64_t index) const override { return fmt::format("{} record {}", options_.images.string(), index); }

 private:
  Stl10Options options_;
  io::Bytes images_, labels_;
};

}  // namespace

DatasetPointer open_stl10(const Stl10Options& options) { return std::make_shared<Stl10Set>(options); }

}  // namespace zoo::data
