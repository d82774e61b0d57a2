// CIFAR-10 and CIFAR-100 from their binary files.
#include <libzoo/core/error.h>
#include <libzoo/data/catalogue.h>
#include <libzoo/io/bytes.h>
#include <libzoo/io/cifar.h>

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace zoo::data {
namespace {

constexpr int64_t kSide = 32, kPlane = kSide * kSide;
constexpr std::array<const char*, 10> kCifar10{"airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"};

// Planes of channels to pixels, picture by picture.
void interleave(std::span<uint8_t> images) {
  std::array<uint8_t, 3 * kPlane> planes;
  for (size_t at = 0; at < images.size(); at += planes.size()) {
    uint8_t* pixels = images.data() + at;
    std::copy_n(pixels, planes.size(), planes.data());
    for (int64_t i = 0; i < kPlane; ++i)
      for (int64_t c = 0; c < 3; ++c) pixels[3 * i + c] = planes[size_t(c * kPlane + i)];
  }
}

class CifarSet final : public ImageDataset {
 public:
  explicit CifarSet(const CifarOptions& options) : options_(options) {
    if (options.files.empty()) throw UserError("files: no CIFAR file is named", "files: [data_batch_1.bin, …]");
    const bool fine = options.variant == CifarKind::cifar100;
    coarse_.assign(fine ? 100 : 0, -1);
    for (const auto& path : options.files) {
      parts_.push_back(io::read_cifar(io::map_file(path), fine ? io::CifarVariant::cifar100 : io::CifarVariant::cifar10, path.string()));
      io::Cifar& part = parts_.back();
      interleave(part.images.mutable_span<uint8_t>());
      starts_.push_back(size_);
      size_ += part.labels.size();
      if (!fine) continue;
      const auto labels = part.labels.span<int64_t>(), coarse = part.coarse_labels.span<int64_t>();
      for (size_t i = 0; i < labels.size(); ++i) coarse_[size_t(labels[i])] = coarse[i];
    }
    if (size_ == 0) throw UserError(fmt::format("{}: holds no pictures", options.files.front().string()));
  }

  int64_t size() const override { return size_; }
  int64_t num_classes() const override { return options_.variant == CifarKind::cifar10 ? 10 : 100; }
  std::string class_name(int64_t label) const override {
    return options_.variant == CifarKind::cifar10 ? kCifar10.at(size_t(label)) : std::to_string(label);
  }
  std::string superclass(int64_t label) const override {
    if (coarse_.empty() || coarse_.at(size_t(label)) < 0) return {};
    return fmt::format("coarse_{}", coarse_[size_t(label)]);
  }
  ImageSize typical_size() const override { return {kSide, kSide}; }
  std::string describe() const override {
    return fmt::format("{}: {} pictures 32x32, {} classes", options_.variant == CifarKind::cifar10 ? "cifar10" : "cifar100", size_,
                       num_classes());
  }

 protected:
  int64_t get_label(int64_t index) const override {
    const auto [part, place] = find(index);
    return parts_[part].labels.span<int64_t>()[size_t(place)];
  }

  void get_picture(int64_t index, Picture& picture) const override {
    const auto [part, place] = find(index);
    const uint8_t* pixels = parts_[part].images.span<uint8_t>().data() + place * 3 * kPlane;
    picture.set_pixels(View<uint8_t>(pixels, kSide, kSide, 3, 3 * kSide));
  }

  std::string get_item_name(int64_t index) const override {
    const auto [part, place] = find(index);
    return fmt::format("{} record {}", options_.files[part].string(), place);
  }

 private:
  std::pair<size_t, int64_t> find(int64_t index) const {
    const size_t part = size_t(std::upper_bound(starts_.begin(), starts_.end(), index) - starts_.begin()) - 1;
    return {part, index - starts_[part]};
  }

  CifarOptions options_;
  std::vector<io::Cifar> parts_;
  std::vector<int64_t> starts_;  // the number of each part's first picture
  std::vector<int64_t> coarse_;  // by fine label; -1: not seen
  int64_t size_ = 0;
};

}  // namespace

DatasetPointer open_cifar(const CifarOptions& options) { return std::make_shared<CifarSet>(options); }

}  // namespace zoo::data
