#include "test/catch.h"

#include <libzoo/core/error.h>
#include <libzoo/rl/word_source.h>

#include <random>

using namespace zoo;
using rl::WordSource;

TEST_CASE("words are those of std::mt19937 for every seed", "[rl]") {
  for (const uint64_t seed : {uint64_t(0), uint64_t(1), uint64_t(20240229), uint64_t(0xFFFFFFFF), uint64_t(1) << 32 | 7}) {
    WordSource source(seed);
    std::mt19937 standard{uint32_t(seed)};
    bool same = true;
    for (int i = 0; i < 2000; ++i) same = same && source.next() == standard();
    CHECK(same);
    CHECK(source.used() == 2000);
  }
}

TEST_CASE("integers use as few bits as there are and reject what is too large; a single value costs no word", "[rl]") {
  auto words = WordSource::of({0xFFFFFFF7, 0xF6, 5, 2});
  CHECK(words.integer(4, 5) == 4);
  CHECK(words.used() == 0);
  CHECK(words.integer(10, 17) == 16);  // mask 7: 7 > 6 is rejected, then 6
  CHECK(words.used() == 2);
  CHECK(words.integer(0, 2) == 1);
  CHECK(words.integer(-3, 0) == -1);
  CHECK_THROWS_AS(words.integer(3, 3), Error);
}

TEST_CASE("fed words end with an error", "[rl]") {
  auto words = WordSource::of({1u << 31, 1u << 31});
  CHECK(words.uniform() == Approx(0.5).epsilon(1e-7));
  CHECK_THROWS_WITH(words.next(), Contains("2 words that were given are used up"));
}

TEST_CASE("a restored source continues with the same words and count", "[rl]") {
  WordSource source(11), other(12);
  for (int i = 0; i < 1000; ++i) source.next();
  other.restore(source.state());
  CHECK(other.used() == 1000);
  for (int i = 0; i < 1000; ++i) REQUIRE(other.next() == source.next());

  State cut = source.state();
  cut.arrays["words"] = Array(DType::u32, {623});
  CHECK_THROWS_AS(other.restore(cut), Error);
  State outside = source.state();
  outside.values["position"] = uint64_t(625);
  CHECK_THROWS_AS(other.restore(outside), Error);
  CHECK_THROWS_AS(other.restore(State{}), Error);
  CHECK(other.next() == source.next());
}
