#include <libzoo/core/error.h>
#include <libzoo/core/random.h>

#include <fmt/format.h>

#include <cmath>
#include <limits>
#include <numbers>
#include <numeric>
#include <utility>

namespace zoo {

std::array<uint32_t, 4> philox4x32(const std::array<uint32_t, 4>& counter, const std::array<uint32_t, 2>& key) {
  std::array<uint32_t, 4> c = counter;
  uint32_t k0 = key[0], k1 = key[1];
  for (int round = 0; round < 10; ++round) {
    const uint64_t p0 = uint64_t(0xD2511F53) * c[0];
    const uint64_t p1 = uint64_t(0xCD9E8D57) * c[2];
    c = {uint32_t(p1 >> 32) ^ c[1] ^ k0, uint32_t(p1), uint32_t(p0 >> 32) ^ c[3] ^ k1, uint32_t(p0)};
    k0 += 0x9E3779B9;
    k1 += 0xBB67AE85;
  }
  return c;
}

namespace {

std::array<uint32_t, 4> block(const RandomKey& key, uint64_t index) {
  return philox4x32({uint32_t(index), uint32_t(key.purpose) << 16 | key.copy, key.id, key.epoch},
                    {uint32_t(key.seed), uint32_t(key.seed >> 32)});
}

void require_width(const char* name, int64_t value, int bits) {
  if (value < 0 || value >= int64_t(1) << bits) {
    throw Error(fmt::format("random key: {} must be in [0, 2^{}), is {}", name, bits, value));
  }
}

void require_shape(double shape) {
  if (!(shape > 0) || !std::isfinite(shape)) throw Error(fmt::format("a gamma variate needs a shape > 0, got {}", shape));
}

// Marsaglia and Tsang 2000, for shape >= 1: the logarithm of a gamma variate.
double log_gamma_variate(RandomStream& random, double shape) {
  const double d = shape - 1.0 / 3, c = 1 / std::sqrt(9 * d);
  while (true) {
    const double x = random.normal();
    const double root = 1 + c * x;
    const double u = 1 - random.uniform64();  // (0, 1]
    if (root <= 0) continue;
    const double log_v = 3 * std::log(root);
    if (std::log(u) < 0.5 * x * x + d - d * std::exp(log_v) + d * log_v) return std::log(d) + log_v;
  }
}

// Any shape: gamma(a) = gamma(a + 1) · u^(1/a). -infinity where the variate is too small for a double's logarithm.
double log_gamma_any(RandomStream& random, double shape) {
  if (shape >= 1) return log_gamma_variate(random, shape);
  const double log_g = log_gamma_variate(random, shape + 1);
  return log_g + std::log(1 - random.uniform64()) / shape;
}

}  // namespace

RandomKey random_key(uint64_t seed, int64_t epoch, int64_t id, int64_t purpose, int64_t copy) {
  require_width("epoch", epoch, 32);
  require_width("id", id, 32);
  require_width("purpose", purpose, 16);
  require_width("copy", copy, 16);
  return {seed, uint32_t(epoch), uint32_t(id), Purpose(purpose), uint16_t(copy)};
}

uint32_t RandomStream::word(uint64_t index) const {
  const uint64_t number = index / 4;
  if (number != cached_block_) {
    if (number >> 32) throw Error(fmt::format("a random stream has 2^34 words; word {} was asked for", index));
    block_ = block(key_, number);
    cached_block_ = number;
  }
  return block_[index % 4];
}

uint32_t RandomStream::next() {
  const uint32_t value = word(position_);
  ++position_;
  return value;
}

float RandomStream::uniform() { return float(next() >> 8) * 0x1p-24f; }

double RandomStream::uniform64() {
  const uint64_t high = next(), low = next();
  return double((high << 32 | low) >> 11) * 0x1p-53;
}

double RandomStream::uniform(double low, double high) {
  const double value = low + (high - low) * uniform64();
  return value < high || low >= high ? value : std::nextafter(high, low);
}

uint64_t RandomStream::below(uint64_t n) {
  if (n < 1 || n > uint64_t(1) << 32) throw Error(fmt::format("below(n) needs 1 <= n <= 2^32, got {}", n));
  return uint64_t(next()) * n >> 32;
}

std::array<double, 2> RandomStream::normal_pair() {
  const double r0 = next(), r1 = next();
  const double radius = std::sqrt(-2 * std::log((r0 + 1) * 0x1p-32));
  const double angle = 2 * std::numbers::pi * r1 * 0x1p-32;
  return {radius * std::cos(angle), radius * std::sin(angle)};
}

double RandomStream::normal() { return normal_pair()[0]; }

double RandomStream::gamma(double shape) {
  require_shape(shape);
  return std::exp(log_gamma_any(*this, shape));
}

double RandomStream::beta(double a, double b) {
  require_shape(a);
  require_shape(b);
  const double x = log_gamma_any(*this, a), y = log_gamma_any(*this, b);
  if (std::isinf(x) && std::isinf(y)) return uniform64() < a / (a + b) ? 1 : 0;  // the limit of tiny shapes
  return 1 / (1 + std::exp(y - x));
}

std::vector<int64_t> permutation(int64_t size, const RandomKey& key) {
  if (size < 0 || size > int64_t(1) << 32) throw Error(fmt::format("a permutation needs a size in [0, 2^32], got {}", size));
  std::vector<int64_t> order(static_cast<size_t>(size));
  std::iota(order.begin(), order.end(), 0);
  RandomStream random(key);
  for (int64_t i = size - 1; i > 0; --i) std::swap(order[size_t(i)], order[size_t(random.below(uint64_t(i) + 1))]);
  return order;
}

uint64_t derive_seed(uint64_t seed, std::string_view name) {
  uint64_t hash = 0xcbf29ce484222325;  // FNV-1a
  for (unsigned char c : name) hash = (hash ^ c) * 0x100000001b3;
  const auto words =
      philox4x32({uint32_t(hash), uint32_t(hash >> 32), uint32_t(name.size()), 0xFFFFFFFF}, {uint32_t(seed), uint32_t(seed >> 32)});
  return uint64_t(words[1]) << 32 | words[0];
}

}  // namespace zoo
