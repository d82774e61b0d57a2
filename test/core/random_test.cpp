#include "test/catch.h"

#include <libzoo/core/error.h>
#include <libzoo/core/random.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <set>

using zoo::Purpose;
using zoo::RandomStream;

TEST_CASE("Philox gives the known answers of Random123", "[core][random]") {
  // Random123 kat_vectors, philox4x32 with 10 rounds.
  using Words = std::array<uint32_t, 4>;
  REQUIRE(zoo::philox4x32({0, 0, 0, 0}, {0, 0}) == Words{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8});
  const uint32_t f = 0xffffffff;
  REQUIRE(zoo::philox4x32({f, f, f, f}, {f, f}) == Words{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd});
  REQUIRE(zoo::philox4x32({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}) ==
          Words{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1});
}

TEST_CASE("A stream's words are those of the blocks its key names", "[core][random]") {
  RandomStream random({.seed = 0x0123456789abcdef, .epoch = 7, .id = 9, .purpose = Purpose::augmentation, .copy = 3});
  for (uint32_t w = 0; w < 20; ++w) {
    const auto block = zoo::philox4x32({w / 4, 4u << 16 | 3u, 9, 7}, {0x89abcdef, 0x01234567});
    REQUIRE(random.word(w) == block[w % 4]);
  }
  REQUIRE(random.position() == 0);
  REQUIRE(random.next() == random.word(0));
  const float u = random.uniform();
  REQUIRE(u == float(random.word(1) >> 8) * 0x1p-24f);
  random.seek(5);
  const uint64_t high = random.word(5), low = random.word(6);
  REQUIRE(random.uniform64() == double((high << 32 | low) >> 11) * 0x1p-53);
  REQUIRE(random.below(1000) == uint64_t(random.word(7)) * 1000 >> 32);
  REQUIRE(random.below(uint64_t(1) << 32) == random.word(8));
  REQUIRE_THROWS_WITH(random.below(0), Contains("1 <= n <= 2^32"));
  REQUIRE_THROWS_WITH(random.below((uint64_t(1) << 32) + 1), Contains("1 <= n <= 2^32"));
  REQUIRE_NOTHROW(random.word((uint64_t(1) << 34) - 1));
  REQUIRE_THROWS_WITH(random.word(uint64_t(1) << 34), Contains("2^34"));
}

TEST_CASE("Keys from outside are held to their widths", "[core][random]") {
  REQUIRE(zoo::random_key(UINT64_MAX, 4294967295, 0, 65535, 65535).epoch == 4294967295u);
  REQUIRE_THROWS_WITH(zoo::random_key(0, -1, 0, 0, 0), "random key: epoch must be in [0, 2^32), is -1");
  REQUIRE_THROWS_WITH(zoo::random_key(0, 0, int64_t(1) << 32, 0, 0), Contains("id must be"));
  REQUIRE_THROWS_WITH(zoo::random_key(0, 0, 0, 65536, 0), Contains("purpose must be"));
  REQUIRE_THROWS_WITH(zoo::random_key(0, 0, 0, 0, 65536), Contains("copy must be"));
}

TEST_CASE("Uniforms and normals have the moments they should", "[core][random]") {
  // spec io.md (f) 4: one million draws, mean .5 ± .002; normals: mean 0 ± .005, variance 1 ± .01.
  const int n = 1'000'000;
  RandomStream random({.seed = 5});
  std::vector<double> u(n);
  double mean = 0;
  for (double& x : u) {
    x = random.uniform();
    mean += x / n;
  }
  REQUIRE(std::abs(mean - 0.5) < 0.002);
  // Kolmogorov: sqrt(n)·D exceeds 1.95 with probability .001.
  std::sort(u.begin(), u.end());
  REQUIRE(u.front() >= 0);
  REQUIRE(u.back() < 1);
  double d = 0;
  for (int i = 0; i < n; ++i) d = std::max({d, u[i] - double(i) / n, double(i + 1) / n - u[i]});
  REQUIRE(std::sqrt(double(n)) * d < 1.95);

  double sum = 0, squares = 0, cross = 0;
  for (int i = 0; i < n / 2; ++i) {
    const auto [a, b] = random.normal_pair();
    sum += a + b;
    squares += a * a + b * b;
    cross += a * b;
  }
  REQUIRE(std::abs(sum / n) < 0.005);
  REQUIRE(std::abs(squares / n - 1) < 0.01);
  REQUIRE(std::abs(cross / (n / 2)) < 0.01);
}

TEST_CASE("Gamma and beta variates have the moments of their shapes", "[core][random]") {
  // gamma(a): mean a, variance a. beta(a, b): mean a/(a+b), variance ab/((a+b)^2 (a+b+1)). Five standard errors.
  const int n = 100'000;
  RandomStream random({.seed = 6});
  for (double a : {0.1, 0.5, 1.0, 2.5, 40.0}) {
    double sum = 0, squares = 0;
    for (int i = 0; i < n; ++i) {
      const double g = random.gamma(a);
      sum += g;
      squares += g * g;
    }
    const double mean = sum / n, variance = squares / n - mean * mean;
    CAPTURE(a);
    REQUIRE(std::abs(mean - a) < 5 * std::sqrt(a / n));
    REQUIRE(std::abs(variance - a) < 5 * std::sqrt((2 * a * a + 6 * a) / n));  // fourth central moment 3a^2 + 6a
  }
  for (auto [a, b] : {std::pair{0.1, 0.1}, {1.0, 1.0}, {0.2, 3.0}, {5.0, 2.0}}) {
    double sum = 0, squares = 0;
    for (int i = 0; i < n; ++i) {
      const double x = random.beta(a, b);
      sum += x;
      squares += x * x;
    }
    const double mean = a / (a + b), variance = a * b / ((a + b) * (a + b) * (a + b + 1));
    CAPTURE(a, b);
    REQUIRE(std::abs(sum / n - mean) < 5 * std::sqrt(variance / n));
    REQUIRE(std::abs(squares / n - (sum / n) * (sum / n) - variance) < 0.03 * variance);
  }
  for (double tiny : {1e-3, 1e-10, 1e-300, 5e-324}) {
    int ones = 0;
    for (int i = 0; i < 200; ++i) {
      const double x = random.beta(tiny, tiny);
      REQUIRE((x >= 0 && x <= 1));
      ones += x > 0.5;
    }
    REQUIRE((ones > 60 && ones < 140));  // binomial(200, 1/2): 5.6 standard deviations
  }
  REQUIRE_THROWS_WITH(random.gamma(0), Contains("shape > 0"));
  REQUIRE_THROWS_WITH(random.beta(1, std::nan("")), Contains("shape > 0"));
}

TEST_CASE("A range of doubles never yields its upper end", "[core][random]") {
  RandomStream random({.seed = 7});
  const double high = std::nextafter(1.0, 2.0);
  for (int i = 0; i < 1000; ++i) REQUIRE(random.uniform(1.0, high) == 1.0);
  REQUIRE(random.uniform(-15, -15) == -15);
}

TEST_CASE("All orders of four things are equally frequent", "[core][random]") {
  // spec io.md (f) 4: 24 orders each within 5 σ over 1e5 seeds.
  const int n = 100'000;
  std::map<std::vector<int64_t>, int> count;
  for (int seed = 0; seed < n; ++seed) ++count[zoo::permutation(4, {.seed = uint64_t(seed)})];
  REQUIRE(count.size() == 24);
  const double p = 1.0 / 24, sigma = std::sqrt(n * p * (1 - p));
  for (const auto& [order, times] : count) REQUIRE(std::abs(times - n * p) < 5 * sigma);
}

TEST_CASE("A permutation holds each number once, and edges are fine", "[core][random]") {
  const auto order = zoo::permutation(1000, {.seed = 1});
  REQUIRE(std::set<int64_t>(order.begin(), order.end()).size() == 1000);
  REQUIRE(*std::max_element(order.begin(), order.end()) == 999);
  REQUIRE(zoo::permutation(0, {}).empty());
  REQUIRE(zoo::permutation(1, {}) == std::vector<int64_t>{0});
  REQUIRE_THROWS_WITH(zoo::permutation(-1, {}), Contains("size in [0, 2^32]"));
}

TEST_CASE("Derived seeds differ by name and by seed, and stay", "[core][random]") {
  std::set<uint64_t> seeds;
  for (uint64_t seed : {0, 1, 2})
    for (const char* name : {"", "a", "b", "subset", "subset "}) seeds.insert(zoo::derive_seed(seed, name));
  REQUIRE(seeds.size() == 15);
  REQUIRE(zoo::derive_seed(1, "subset") == zoo::derive_seed(1, "subset"));
}
