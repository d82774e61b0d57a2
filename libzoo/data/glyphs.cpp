// Glyphs: handwriting-like pen strokes. A class is two to four quadratic Bezier curves with control points in the middle of
// the unit square; a picture jitters the points, applies a random affine map, and draws with a soft pen of random width.
#include <libzoo/core/error.h>
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

constexpr int kPoints = 16;  // on each stroke
constexpr int kMaxStrokes = 4;

// What the `copy` of a random key says beside the two splits of pictures, 0 and 1: the glyphs, the alphabets.
enum Copy : uint16_t { kGlyph = 2, kAlphabet = 3 };

struct Point {
  double x, y;
};
using Stroke = std::array<Point, 3>;

Stroke draw_stroke(RandomStream& random) {
  Stroke stroke;
  for (Point& p : stroke) {
    p.x = random.uniform(0.18, 0.82);
    p.y = random.uniform(0.18, 0.82);
  }
  return stroke;
}

struct PenPath {
  std::array<float, size_t(kPoints) * kMaxStrokes> x, y;
  int count = 0;
};

PenPath write(RandomStream& random, const std::vector<Stroke>& strokes) {
  const double angle = random.uniform(-12, 12) * M_PI / 180, sx = random.uniform(0.85, 1.15), sy = random.uniform(0.85, 1.15);
  const double shear = random.uniform(-0.2, 0.2), c = std::cos(angle), s = std::sin(angle);
  const double xx = c * sx, xy = c * shear - s * sy, yx = s * sx, yy = s * shear + c * sy;  // rotation · [[sx, shear], [0, sy]]
  const double tx = random.uniform(-0.06, 0.06), ty = random.uniform(-0.06, 0.06);
  PenPath path;
  for (Stroke stroke : strokes) {
    for (Point& p : stroke) {
      const auto [dx, dy] = random.normal_pair();
      p = {p.x + 0.035 * dx - 0.5, p.y + 0.035 * dy - 0.5};
    }
    for (int i = 0; i < kPoints; ++i) {
      const double u = double(i) / (kPoints - 1), a = (1 - u) * (1 - u), b = 2 * u * (1 - u), d = u * u;
      const double x = a * stroke[0].x + b * stroke[1].x + d * stroke[2].x, y = a * stroke[0].y + b * stroke[1].y + d * stroke[2].y;
      path.x[size_t(path.count)] = float(xx * x + xy * y + 0.5 + tx);
      path.y[size_t(path.count++)] = float(yx * x + yy * y + 0.5 + ty);
    }
  }
  return path;
}

io::Image draw(RandomStream& random, const std::vector<Stroke>& strokes, int64_t size) {
  const PenPath path = write(random, strokes);
  const auto width = float(random.uniform(0.035, 0.07)), darkness = float(random.uniform(0.7, 1));
  constexpr float kSoftness = 0.018f, kReach = 9 * kSoftness;  // beyond it the pen leaves less than 1/8000

  io::Image image{size, size, 3, std::vector<uint8_t>(size_t(size * size * 3))};
  std::vector<float> xs(static_cast<size_t>(size)), nearest(xs.size()), noise(xs.size());
  for (int64_t x = 0; x < size; ++x) xs[size_t(x)] = (float(x) + 0.5f) / float(size);
  for (int64_t y = 0; y < size; ++y) {
    const float yc = (float(y) + 0.5f) / float(size);
    std::fill(nearest.begin(), nearest.end(), 4.0f);
    for (int i = 0; i < path.count; ++i) {
      const float px = path.x[size_t(i)], dy = yc - path.y[size_t(i)], dy2 = dy * dy;
      for (size_t x = 0; x < xs.size(); ++x) {
        const float dx = xs[x] - px, square = dx * dx + dy2;
        nearest[x] = square < nearest[x] ? square : nearest[x];
      }
    }
    normal_noise(random, 0.04f, noise);
    uint8_t* to = image.row(y);
    for (size_t x = 0; x < xs.size(); ++x, to += 3) {
      const float away = std::sqrt(nearest[x]) - width;
      const float ink = away > kReach ? 0.0f : darkness / (1 + std::exp(away / kSoftness));
      to[0] = to[1] = to[2] = uint8_t(int(std::min(std::max(ink + noise[x], 0.0f), 1.0f) * 255));
    }
  }
  return image;
}

class Glyphs final : public DrawnDataset {
 public:
  explicit Glyphs(const GlyphsOptions& options)
      : DrawnDataset({"glyphs", options.split, options.per_class, options.image_size, derive_seed(options.seed, "glyphs")}),
        options_(options) {
    if (options.num_classes < 2 || options.num_classes > 100'000'000)
      throw UserError(fmt::format("num_classes: must be 2 to 100000000, got {}", options.num_classes));
    if (options.alphabet_size < 1) throw UserError(fmt::format("alphabet_size: must be at least 1, got {}", options.alphabet_size));
    if (options.shared_strokes < 0 || options.shared_strokes > 2)
      throw UserError(fmt::format("shared_strokes: must be 0 to 2, got {}", options.shared_strokes));
  }

  int64_t num_classes() const override { return options_.num_classes; }
  std::string class_name(int64_t label) const override { return fmt::format("glyph_{}", label); }
  std::string superclass(int64_t label) const override { return fmt::format("alphabet_{}", label / options_.alphabet_size); }

 protected:
  io::Image draw_picture(int64_t label, RandomStream& random) const override { return draw(random, strokes_of(label), image_size()); }

 private:
  std::vector<Stroke> strokes_of(int64_t label) const {
    RandomStream alphabet({seed(), 0, uint32_t(label / options_.alphabet_size), Purpose::dataset, kAlphabet});
    RandomStream glyph({seed(), 0, uint32_t(label), Purpose::dataset, kGlyph});
    std::vector<Stroke> strokes(size_t(2 + alphabet.below(3)));
    for (size_t i = 0; i < strokes.size(); ++i) strokes[i] = draw_stroke(int64_t(i) < options_.shared_strokes ? alphabet : glyph);
    return strokes;
  }

  GlyphsOptions options_;
};

}  // namespace

DatasetPointer open_glyphs(const GlyphsOptions& options) { return std::make_shared<Glyphs>(options); }

}  // namespace zoo::data
