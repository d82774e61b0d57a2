#include <libzoo/data/normal_noise.h>

#include <array>
#include <cmath>

namespace zoo::data {
namespace {

constexpr int kBits = 12, kSize = 1 << kBits;

// The place z with Phi(z) = probability, by Newton's steps; probability in (0, 0.5].
double lower_quantile(double probability) {
  double z = -std::sqrt(-2 * std::log(2 * probability));
  for (int step = 0; step < 60; ++step) {
    const double tail = 0.5 * std::erfc(-z / std::sqrt(2.0)), density = std::exp(-0.5 * z * z) / std::sqrt(2 * M_PI);
    const double move = (tail - probability) / density;
    z -= move / (1 + 0.5 * z * move);  // Halley
    if (std::abs(move) < 1e-14) break;
  }
  return z;
}

std::array<float, kSize> make_table() {
  std::array<double, kSize / 2> lower;
  double squares = 0;
  for (int i = 0; i < kSize / 2; ++i) {
    lower[size_t(i)] = lower_quantile((i + 0.5) / kSize);
    squares += 2 * lower[size_t(i)] * lower[size_t(i)];
  }
  const double scale = 1 / std::sqrt(squares / kSize);
  std::array<float, kSize> table;
  for (int i = 0; i < kSize / 2; ++i) {
    table[size_t(i)] = float(lower[size_t(i)] * scale);
    table[size_t(kSize - 1 - i)] = -table[size_t(i)];
  }
  return table;
}

}  // namespace

void normal_noise(RandomStream& random, float deviation, std::span<float> out) {
  static const std::array<float, kSize> table = make_table();
  size_t i = 0;
  for (; i + 1 < out.size(); i += 2) {
    const uint32_t word = random.next();
    out[i] = deviation * table[word >> (32 - kBits)];
    out[i + 1] = deviation * table[(word >> 4) & (kSize - 1)];
  }
  if (i < out.size()) out[i] = deviation * table[random.next() >> (32 - kBits)];
}

}  // namespace zoo::data
