// Textures: patterns of two random colours at a random scale, place and angle, which say nothing of the class. Ten classes: stripes,
// checkerboard, dots, rings, pixels by coin flips, smooth noise, grid lines, ramp, chevrons, smooth noise in two levels.
#include <libzoo/core/random.h>
#include <libzoo/data/catalogue.h>
#include <libzoo/data/drawn_dataset.h>
#include <libzoo/data/normal_noise.h>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

namespace zoo::data {
namespace {

constexpr std::array<const char*, 10> kTextures{"stripes", "checkerboard", "dots", "rings",    "static",
                                                "clouds",  "grid",         "ramp", "chevrons", "blots"};
enum Texture { kStripes, kCheckerboard, kDots, kRings, kStatic, kClouds, kGrid, kRamp, kChevrons, kBlots };
constexpr float kNoise = 0.05f;

using Color = std::array<float, 3>;

// Two whose channels differ by 0.8 in all.
std::array<Color, 2> draw_colors(RandomStream& random) {
  for (;;) {
    std::array<Color, 2> colors;
    float distance = 0;
    for (auto& color : colors)
      for (float& channel : color) channel = random.uniform();
    for (size_t c = 0; c < 3; ++c) distance += std::abs(colors[0][c] - colors[1][c]);
    if (distance >= 0.8f) return colors;
  }
}

// A grid of random values, bilinear in between, stretched over the picture.
std::vector<double> smooth_noise(RandomStream& random, int64_t cells, int64_t size) {
  std::vector<double> grid(size_t(cells * cells));
  for (double& value : grid) value = random.uniform64();
  std::vector<double> field(size_t(size * size));
  const auto at = [&](double place) {
    const double centre = std::clamp((place + 0.5) * double(cells) / double(size) - 0.5, 0.0, double(cells - 1));
    const auto low = int64_t(centre);
    return std::tuple(low, std::min(low + 1, cells - 1), centre - double(low));
  };
  for (int64_t y = 0; y < size; ++y) {
    const auto [y0, y1, fy] = at(double(y));
    for (int64_t x = 0; x < size; ++x) {
      const auto [x0, x1, fx] = at(double(x));
      const auto mix = [&, x0 = x0, x1 = x1, fx = fx](int64_t row) {
        return grid[size_t(row * cells + x0)] * (1 - fx) + grid[size_t(row * cells + x1)] * fx;
      };
      field[size_t(y * size + x)] = mix(y0) * (1 - fy) + mix(y1) * fy;
    }
  }
  return field;
}

double fraction(double value) { return value - std::floor(value); }

// How much of the first colour a pixel has.
std::vector<double> draw_mask(RandomStream& random, int texture, int64_t size) {
  const double scale = double(size) / 32, period = random.uniform(4.5, 7.5) * scale, angle = random.uniform(0, 2 * M_PI);
  const double phase_u = random.uniform(0, period), phase_v = random.uniform(0, period);
  const double centre_x = random.uniform(4, 28) * scale, centre_y = random.uniform(4, 28) * scale;
  if (texture == kClouds || texture == kBlots) {
    auto field = smooth_noise(random, texture == kClouds ? 8 : 6, size);
    if (texture == kBlots)
      for (double& value : field) value = value > 0.5;
    return field;
  }
  const double c = std::cos(angle), s = std::sin(angle), reach = double(size) * (std::abs(c) + std::abs(s));
  std::vector<double> mask(size_t(size * size));
  for (int64_t y = 0; y < size; ++y) {
    for (int64_t x = 0; x < size; ++x) {
      const double px = double(x), py = double(y), u = c * px + s * py + phase_u, v = -s * px + c * py + phase_v;
      const double fu = fraction(u / period), fv = fraction(v / period);
      double& a = mask[size_t(y * size + x)];
      switch (texture) {
        case kStripes: a = fu < 0.5; break;
        case kCheckerboard: a = (fu < 0.5) != (fv < 0.5); break;
        case kDots: a = std::hypot(fu - 0.5, fv - 0.5) < 0.3; break;
        case kRings: a = fraction(std::hypot(px - centre_x, py - centre_y) / period) < 0.5; break;
        case kStatic: a = double(random.below(2)); break;
        case kGrid: a = fu < 0.22 || fv < 0.22; break;
        case kRamp: a = std::clamp(0.5 + (c * (px - double(size) / 2) + s * (py - double(size) / 2)) / reach, 0.0, 1.0); break;
        case kChevrons: a = fraction((u + 2 * period * std::abs(fv - 0.5)) / period) < 0.5; break;
        default: throw Error("no such texture");
      }
    }
  }
  return mask;
}

io::Image draw(RandomStream& random, int texture, int64_t size) {
  const auto colors = draw_colors(random);
  const auto mask = draw_mask(random, texture, size);
  io::Image image{size, size, 3, std::vector<uint8_t>(size_t(size * size * 3))};
  std::vector<float> noise(size_t(size) * 3);
  for (int64_t y = 0; y < size; ++y) {
    normal_noise(random, kNoise, noise);
    uint8_t* to = image.row(y);
    for (size_t i = 0; i < noise.size(); ++i) {
      const auto a = float(mask[size_t(y * size) + i / 3]);
      const float value = colors[1][i % 3] + (colors[0][i % 3] - colors[1][i % 3]) * a + noise[i];
      to[i] = uint8_t(int(std::clamp(value, 0.0f, 1.0f) * 255 + 0.5f));
    }
  }
  return image;
}

class Textures final : public DrawnDataset {
 public:
  explicit Textures(const TexturesOptions& o)
      : DrawnDataset({"textures", o.split, o.per_class, o.image_size, derive_seed(o.seed, "textures")}) {}

  int64_t num_classes() const override { return int64_t(kTextures.size()); }
  std::string class_name(int64_t label) const override { return kTextures.at(size_t(label)); }

 protected:
  io::Image draw_picture(int64_t label, RandomStream& random) const override { return draw(random, int(label), image_size()); }
};

}  // namespace

DatasetPointer open_textures(const TexturesOptions& options) { return std::make_shared<Textures>(options); }

}  // namespace zoo::data
