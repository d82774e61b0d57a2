// Shapes: a figure filled with a sine grating between two random colours, on a plain random ground, with pixel noise
// (spec of the BiT proxy experiments: centre 0.4 … 0.6, radius 0.26 … 0.36 of the side, angle ± 5 degrees).
#include <libzoo/core/error.h>
#include <libzoo/core/random.h>
#include <libzoo/data/catalogue.h>
#include <libzoo/data/drawn_dataset.h>
#include <libzoo/data/figures.h>
#include <libzoo/data/normal_noise.h>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

namespace zoo::data {
namespace {

struct Texture {
  int shape;  // Figure
  double degrees, cycles;  // cycles across the side of the picture
};

// Angles stay at least 10 degrees apart, so that their jitter does not overlap; cycles grow by 1.2 from 3 and keep 2.5
// pixels to a wave.
std::vector<Texture> grid(int64_t num_classes, int64_t image_size) {
  constexpr int64_t kMaxAngles = 18;
  const double most_cycles = double(image_size) / 2.5;
  const auto max_levels = std::max<int64_t>(1, int64_t(std::floor(std::log(most_cycles / 3) / std::log(1.2) + 1e-9)) + 1);
  const int64_t most = int64_t(kFigureNames.size()) * kMaxAngles * max_levels;
  if (num_classes > most)
    throw UserError(fmt::format("num_classes: a grid of {0}x{0} pictures has {1} classes that can be told apart, {2} were asked for",
                                image_size, most, num_classes),
                    "use fewer classes, larger pictures, or `type: glyphs`");
  const int64_t shapes = int64_t(kFigureNames.size()), textures = (num_classes + shapes - 1) / shapes;
  const int64_t levels = std::min(max_levels, (textures + 11) / 12), angles = (textures + levels - 1) / levels;
  std::vector<Texture> classes;
  for (int64_t c = 0; c < num_classes; ++c) {
    const int64_t texture = c / shapes;
    classes.push_back({int(c % shapes), 180.0 * double(texture % angles) / double(angles), 3 * std::pow(1.2, double(texture / angles))});
  }
  return classes;
}

std::vector<Texture> preset_classes(const ShapesOptions& options) {
  std::vector<Texture> classes;
  if (options.preset == ShapesPreset::grid) {
    if (!options.num_classes) throw UserError("num_classes: needed by preset grid", "set num_classes: 100, for example");
    if (*options.num_classes < 2) throw UserError(fmt::format("num_classes: must be at least 2, got {}", *options.num_classes));
    return grid(*options.num_classes, options.image_size);
  }
  if (options.preset == ShapesPreset::upstream) {
    for (int shape = 0; shape < 4; ++shape)
      for (int degrees = 0; degrees < 180; degrees += 30) classes.push_back({shape, double(degrees), 4.0});
  } else {
    for (int shape = 0; shape < 5; ++shape)
      for (int degrees : {15, 105}) classes.push_back({shape, double(degrees), 5.5});
  }
  if (options.num_classes && *options.num_classes != int64_t(classes.size()))
    throw UserError(fmt::format("num_classes: the preset has {} classes, {} were asked for", classes.size(), *options.num_classes),
                    "leave num_classes out, or set preset: grid");
  return classes;
}

io::Image draw(RandomStream& random, const Texture& texture, int64_t size, double noise) {
  const auto cy = float(random.uniform(0.4, 0.6)), cx = float(random.uniform(0.4, 0.6)), r = float(random.uniform(0.26, 0.36));
  const double angle = (texture.degrees + random.uniform(-5, 5)) * M_PI / 180, phase = random.uniform(0, 2 * M_PI);
  std::array<float, 3> figure_color, ground, ink;
  for (auto* color : {&figure_color, &ground, &ink})
    for (float& channel : *color) channel = random.uniform();

  const std::vector<uint8_t> mask = figure_mask(Figure(texture.shape), size, cy, cx, r);
  io::Image image{size, size, 3, std::vector<uint8_t>(size_t(size * size * 3))};
  std::vector<float> row(size_t(size) * 3);
  const double turns = 2 * M_PI * texture.cycles / double(size);
  const auto step_sin = float(std::sin(turns * std::cos(angle))), step_cos = float(std::cos(turns * std::cos(angle)));
  for (int64_t y = 0; y < size; ++y) {
    normal_noise(random, float(noise), row);
    // sin and cos of the wave's argument move along the row by one rotation per pixel.
    const double start = turns * (0.5 * std::cos(angle) + (double(y) + 0.5) * std::sin(angle)) + phase;
    auto wave = float(std::sin(start)), quadrature = float(std::cos(start));
    const uint8_t* inside = mask.data() + y * size;
    for (int64_t x = 0; x < size; ++x) {
      const float blend = 0.5f + 0.5f * wave;
      for (size_t c = 0; c < 3; ++c) row[size_t(x) * 3 + c] += inside[x] ? figure_color[c] + (ink[c] - figure_color[c]) * blend : ground[c];
      const float next = wave * step_cos + quadrature * step_sin;
      quadrature = quadrature * step_cos - wave * step_sin;
      wave = next;
    }
    uint8_t* to = image.row(y);
    for (size_t i = 0; i < row.size(); ++i) to[i] = uint8_t(int(std::min(std::max(row[i], 0.0f), 1.0f) * 255 + 0.5f));
  }
  return image;
}

class Shapes final : public DrawnDataset {
 public:
  explicit Shapes(const ShapesOptions& options)
      : DrawnDataset({"shapes", options.split, options.per_class, options.image_size, seed_of(options)}),
        noise_(options.noise),
        classes_(preset_classes(options)) {
    if (!(options.noise >= 0 && options.noise <= 1)) throw UserError(fmt::format("noise: must be 0 to 1, got {}", options.noise));
  }

  int64_t num_classes() const override { return int64_t(classes_.size()); }
  std::string class_name(int64_t label) const override {
    const Texture& texture = classes_.at(size_t(label));
    return fmt::format("{}_{:.4g}deg_{:.3g}cycles", kFigureNames[size_t(texture.shape)], texture.degrees, texture.cycles);
  }
  std::string superclass(int64_t label) const override { return kFigureNames[size_t(classes_.at(size_t(label)).shape)]; }

 protected:
  io::Image draw_picture(int64_t label, RandomStream& random) const override {
    return draw(random, classes_[size_t(label)], image_size(), noise_);
  }

 private:
  static uint64_t seed_of(const ShapesOptions& options) {
    constexpr std::array<const char*, 3> names{"shapes.upstream", "shapes.downstream", "shapes.grid"};
    return derive_seed(options.seed, names[size_t(options.preset)]);
  }

  double noise_;
  std::vector<Texture> classes_;
};

}  // namespace

DatasetPointer open_shapes(const ShapesOptions& options) { return std::make_shared<Shapes>(options); }

}  // namespace zoo::data
