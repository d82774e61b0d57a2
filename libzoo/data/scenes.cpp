// Scenes: figures filled with a sine grating between two random colours, their sides 1/6 to 1/2 of the picture's and at most a tenth of
// one hidden by another, on a ground of long waves, with pixel noise.
#include <libzoo/core/error.h>
#include <libzoo/core/random.h>
#include <libzoo/data/detection_dataset.h>
#include <libzoo/data/figures.h>
#include <libzoo/data/normal_noise.h>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace zoo::data {
namespace {

constexpr double kLeastRadius = 1.0 / 12, kMostRadius = 1.0 / 4;  // of the picture's side
constexpr double kMostHidden = 0.1;                               // of the smaller of two boxes
constexpr int kTries = 20;                                        // to find a free place

struct Object {
  LabelledBox place;
  std::vector<uint8_t> mask;
};

// A sine grating between two colours.
struct Grating {
  std::array<float, 3> one, other;
  double across, down, phase;  // radians a pixel

  Grating(RandomStream& random, double least_wave, double most_wave) {
    for (auto* color : {&one, &other})
      for (float& channel : *color) channel = random.uniform();
    const double angle = random.uniform(0, M_PI), turns = 2 * M_PI / random.uniform(least_wave, most_wave);
    across = turns * std::cos(angle), down = turns * std::sin(angle), phase = random.uniform(0, 2 * M_PI);
  }
  float value(int64_t y, int64_t x, size_t channel) const {
    const auto blend = float(0.5 + 0.5 * std::sin(across * double(x) + down * double(y) + phase));
    return one[channel] + (other[channel] - one[channel]) * blend;
  }
};

// The smallest box of whole pixels around what is inside.
io::Box extent(const std::vector<uint8_t>& mask, int64_t size) {
  int64_t left = size, top = size, right = 0, bottom = 0;
  for (int64_t y = 0; y < size; ++y)
    for (int64_t x = 0; x < size; ++x)
      if (mask[size_t(y * size + x)]) {
        left = std::min(left, x), right = std::max(right, x + 1);
        top = std::min(top, y), bottom = std::max(bottom, y + 1);
      }
  return {double(left), double(top), double(right - left), double(bottom - top)};
}

class Scenes final : public DetectionDataset {
 public:
  explicit Scenes(const ScenesOptions& options) : options_(options), seed_(derive_seed(options.seed, "scenes")) {}

  int64_t size() const override { return options_.pictures; }
  int64_t num_classes() const override { return int64_t(kFigureNames.size()); }
  std::string class_name(int64_t label) const override { return kFigureNames.at(size_t(label)); }
  ImageSize typical_size() const override { return {options_.image_size, options_.image_size}; }
  std::string describe() const override {
    return fmt::format("scenes ({}): {} pictures {}x{}, {} classes", split(), size(), options_.image_size, options_.image_size,
                       num_classes());
  }

 protected:
  std::vector<LabelledBox> get_boxes(int64_t index) const override {
    RandomStream random = stream(index);
    std::vector<LabelledBox> boxes;
    for (const Object& object : objects(random)) boxes.push_back(object.place);
    return boxes;
  }

  void get_picture(int64_t index, Picture& picture) const override {
    RandomStream random = stream(index);
    const auto all = objects(random);
    const int64_t side = options_.image_size;
    const Grating ground(random, double(side) / 2, double(side) * 2);
    std::vector<Grating> fillings;
    for (size_t i = 0; i < all.size(); ++i) fillings.emplace_back(random, 4, 12);
    io::Image image{side, side, 3, std::vector<uint8_t>(size_t(side * side * 3))};
    std::vector<float> row(size_t(side) * 3);
    for (int64_t y = 0; y < side; ++y) {
      normal_noise(random, float(options_.noise), row);
      uint8_t* to = image.row(y);
      for (int64_t x = 0; x < side; ++x) {
        const Grating* seen = &ground;
        for (size_t i = 0; i < all.size(); ++i)
          if (all[i].mask[size_t(y * side + x)]) seen = &fillings[i];
        for (size_t c = 0; c < 3; ++c) {
          const float value = row[size_t(x) * 3 + c] + seen->value(y, x, c);
          *to++ = uint8_t(int(std::clamp(value, 0.0f, 1.0f) * 255 + 0.5f));
        }
      }
    }
    picture.set_pixels(std::move(image));
  }

  std::string get_item_name(int64_t index) const override { return fmt::format("scenes {} picture {}", split(), index); }

 private:
  const char* split() const { return options_.split == Split::test ? "test" : "train"; }

  RandomStream stream(int64_t index) const {
    return RandomStream({.seed = seed_, .id = uint32_t(index), .purpose = Purpose::dataset, .copy = options_.split == Split::test});
  }

  // Those behind come first.
  std::vector<Object> objects(RandomStream& random) const {
    std::vector<Object> all;
    const auto wanted = size_t(1 + random.below(uint64_t(options_.most_objects)));
    for (int tries = 0; all.size() < wanted && tries < kTries; ++tries) {
      const auto figure = random.below(kFigureNames.size());
      const double radius = random.uniform(kLeastRadius, kMostRadius);
      const double y = random.uniform(radius, 1 - radius), x = random.uniform(radius, 1 - radius);
      Object object{.place = {.label = int64_t(figure)},
                    .mask = figure_mask(Figure(figure), options_.image_size, float(y), float(x), float(radius))};
      io::Box& box = object.place.box = extent(object.mask, options_.image_size);
      object.place.area = double(std::count(object.mask.begin(), object.mask.end(), 1));
      const auto hides = [&](const Object& other) {
        return io::common_area(box, other.place.box) > kMostHidden * std::min(box.area(), other.place.box.area());
      };
      if (std::none_of(all.begin(), all.end(), hides)) all.push_back(std::move(object));
    }
    return all;
  }

  ScenesOptions options_;
  uint64_t seed_;
};

}  // namespace

DetectionPointer open_scenes(const ScenesOptions& options) { return std::make_shared<Scenes>(options); }

}  // namespace zoo::data
