// The order of an echo: held against the definition written out naively, and the counts it promises.
#include "test/catch.h"
#include <libzoo/core/random.h>
#include <libzoo/data/echo_model.h>
#include <libzoo/data/echo_order.h>

#include <algorithm>
#include <numeric>
#include <set>

using namespace zoo::data;
using zoo::Error;

namespace {

EchoOrder::Word words(uint64_t seed) {
  return [random = zoo::RandomStream({seed, 0, 0, zoo::Purpose::echo_shuffle, 0})](uint64_t index) {
    return random.word(index % (uint64_t(1) << 34));
  };
}

struct Copy {
  int64_t id, copy;
  bool operator==(const Copy&) const = default;
};

// The definition, with the whole input at hand and no structure but a list.
std::vector<Copy> naive(const std::vector<Copy>& input, size_t slots, int64_t min_lag, const EchoOrder::Word& word) {
  if (slots <= 1) return input;
  struct Slot {
    Copy copy;
    size_t arrival;
  };
  std::vector<Slot> buffer;
  std::vector<Copy> outputs;
  size_t used = 0;
  const auto eligible = [&](const Slot& slot) {
    for (size_t t = outputs.size(); t-- > 0 && int64_t(outputs.size() - t) < min_lag;)
      if (outputs[t].id == slot.copy.id) return false;
    return true;
  };
  for (;;) {
    for (; buffer.size() < slots && used < input.size(); ++used) buffer.push_back({input[used], used});
    if (buffer.empty()) return outputs;
    const uint64_t t = outputs.size(), row = min_lag > 0 ? 9 * t : t;
    const auto at = [&](uint64_t i) { return size_t((uint64_t(word(i)) * buffer.size()) >> 32); };
    size_t slot = at(row);
    if (min_lag > 0) {
      uint64_t tries = 0;
      while (tries < 9 && !eligible(buffer[slot = at(row + tries)])) ++tries;
      if (tries == 9) {
        const auto earlier = [](const Slot& a, const Slot& b) { return a.arrival < b.arrival; };
        std::vector<Slot> allowed;
        std::copy_if(buffer.begin(), buffer.end(), std::back_inserter(allowed), eligible);
        const auto& from = allowed.empty() ? buffer : allowed;
        const size_t first = std::min_element(from.begin(), from.end(), earlier)->arrival;
        slot = size_t(std::find_if(buffer.begin(), buffer.end(), [&](const Slot& s) { return s.arrival == first; }) - buffer.begin());
      }
    }
    outputs.push_back(buffer[slot].copy);
    if (used < input.size()) {
      buffer[slot] = {input[used], used};
      ++used;
    } else {
      buffer[slot] = buffer.back();
      buffer.pop_back();
    }
  }
}

struct Source {
  std::vector<int64_t> ids, copies;
  size_t next = 0;
};

std::vector<EchoOrder::Output> drain(EchoOrder& order, Source& source, size_t most = SIZE_MAX) {
  std::vector<EchoOrder::Output> outputs;
  while (outputs.size() < most) {
    while (order.wants_item()) {
      if (source.next == source.ids.size())
        order.end();
      else
        order.add(source.ids[source.next], source.copies[source.next]), ++source.next;
    }
    const auto out = order.next();
    if (!out) break;
    outputs.push_back(*out);
  }
  return outputs;
}

Source items(int64_t n, double factor, int64_t different = INT64_MAX) {
  Source source;
  for (int64_t i = 0; i < n; ++i) {
    source.ids.push_back(i % different);
    source.copies.push_back(echo_copies(echo_copy_word(5, 0, i), factor));
  }
  return source;
}

}  // namespace

TEST_CASE("The order is that of the definition, for all buffers, lags and repeated ids", "[data][streams]") {
  for (int64_t slots : {0, 1, 2, 5, 16, 200})
    for (int64_t min_lag : {0, 1, 3, 7, 1000})
      for (auto [n, factor, different] : {std::tuple{40, 1.0, 40}, {30, 2.0, 30}, {25, 2.5, 25}, {40, 3.0, 4}, {0, 2.0, 1}, {1, 5.0, 1}}) {
        CAPTURE(slots, min_lag, n, factor, different);
        Source source = items(n, factor, different);
        std::vector<Copy> input;
        for (size_t i = 0; i < source.ids.size(); ++i)
          for (int64_t c = 0; c < source.copies[i]; ++c) input.push_back({source.ids[i], c});
        EchoOrder order(slots, min_lag, words(9));
        std::vector<Copy> got;
        std::set<int64_t> ended;
        for (const auto& out : drain(order, source)) {
          got.push_back({source.ids[size_t(out.fresh)], out.copy});
          REQUIRE(ended.count(out.fresh) == 0);  // nothing comes after the copy that said it is the last
          if (out.last) ended.insert(out.fresh);
        }
        REQUIRE(got == naive(input, size_t(slots), min_lag, words(9)));
        REQUIRE(int64_t(ended.size()) == n);
      }
}

TEST_CASE("An order restored anywhere goes on as if it had not stopped", "[data][streams]") {
  for (int64_t slots : {0, 7, 30})
    for (int64_t min_lag : {0, 5}) {
      Source whole = items(60, 2.25, 20);
      EchoOrder order(slots, min_lag, words(1));
      const auto expected = drain(order, whole);
      for (size_t stop = 0; stop <= expected.size(); stop += 3) {
        CAPTURE(slots, min_lag, stop);
        Source source = items(60, 2.25, 20);
        EchoOrder first(slots, min_lag, words(1)), second(slots, min_lag, words(1));
        drain(first, source, stop);
        Position position, again;
        first.save(position);
        PositionReader reader(position);
        second.load(reader);
        REQUIRE(reader.empty());
        second.save(again);
        REQUIRE(again == position);
        auto rest = drain(second, source);
        REQUIRE(rest.size() == expected.size() - stop);
        for (size_t i = 0; i < rest.size(); ++i) {
          REQUIRE(rest[i].fresh == expected[stop + i].fresh);
          REQUIRE(rest[i].copy == expected[stop + i].copy);
          REQUIRE(rest[i].last == expected[stop + i].last);
        }
      }
    }
}

TEST_CASE("A damaged position of an echo is refused, whichever number is wrong", "[data][streams]") {
  for (int64_t min_lag : {0, 4}) {
    Source source = items(40, 2.5);
    EchoOrder order(9, min_lag, words(1));
    drain(order, source, 17);
    Position good;
    order.save(good);
    size_t refused = 0;
    for (size_t i = 0; i < good.size(); ++i)
      for (int64_t value : {int64_t(-7), int64_t(1) << 40, INT64_MAX, INT64_MIN}) {
        Position bad = good;
        bad[i] = value;
        EchoOrder other(9, min_lag, words(1));
        PositionReader reader(bad);
        try {
          other.load(reader);
        } catch (const Error&) {
          ++refused;
          continue;
        }
        Source rest{.ids = std::vector<int64_t>(5, 3), .copies = std::vector<int64_t>(5, 2)};
        drain(other, rest, 100);  // what is not refused does no harm
      }
    REQUIRE(refused > 2 * good.size());
    for (size_t length = 0; length < good.size(); ++length) {
      EchoOrder other(9, min_lag, words(1));
      PositionReader reader(std::span<const int64_t>(good).first(length));
      REQUIRE_THROWS_AS(other.load(reader), Error);
    }
  }
}

TEST_CASE("A whole factor gives each item exactly that often; a fractional one in the mean", "[data][streams]") {
  Source thousand = items(1000, 3);
  EchoOrder order(100, 0, words(2));
  std::vector<int64_t> ids, copies;
  for (const auto& out : drain(order, thousand)) {
    ids.push_back(out.fresh);
    copies.push_back(out.copy);
  }
  const auto counts = count_invariants(ids, copies, 3, 64, false);
  REQUIRE(counts.valid);
  REQUIRE(counts.ids.size() == 1000);
  // Each copy waits about Geometric(1/K), K = 100; three of them span 1.5 K in the mean, in two gaps.
  REQUIRE(counts.mean_lag == Approx(75).epsilon(0.1));

  // Spec: e = 2.25, 10^5 ids: mean 2.25 ± .01, only 2 and 3 occur.
  const auto draws = items(100'000, 2.25).copies;
  REQUIRE(*std::min_element(draws.begin(), draws.end()) == 2);
  REQUIRE(*std::max_element(draws.begin(), draws.end()) == 3);
  REQUIRE(std::abs(double(std::accumulate(draws.begin(), draws.end(), int64_t(0))) / 1e5 - 2.25) < 0.01);
}

TEST_CASE("The different items of a batch are as many as the closed form and the measured buffers say", "[data][streams]") {
  const auto mean_distinct = [](int64_t n, double factor, int64_t slots, int64_t batch, size_t skip) {
    double sum = 0, batches = 0;
    for (uint64_t seed = 0; seed < 20; ++seed) {
      Source source = items(n, factor);
      EchoOrder order(slots, 0, words(seed));
      const auto outputs = drain(order, source);
      for (size_t from = skip; from + size_t(batch) + skip <= outputs.size(); from += size_t(batch)) {
        std::set<int64_t> distinct;
        for (size_t i = from; i < from + size_t(batch); ++i) distinct.insert(outputs[i].fresh);
        sum += double(distinct.size());
        ++batches;
      }
    }
    return sum / batches;
  };
  // A buffer that holds everything is a full shuffle: the deviation of a batch is about 4, so that of the mean 0.6.
  REQUIRE(mean_distinct(128, 2, 256, 128, 0) == Approx(96.13).margin(2));
  REQUIRE(mean_distinct(200, 2.5, 1000, 64, 0) == Approx(expected_unique(200, 2.5, 64)).margin(1));
  // Spec, streaming buffers, b = 128: e = 2: K = 32: 79.7, 128: 104.5, 512: 120.6; e = 4: K = 32: 46.5, 128: 76.3.
  REQUIRE(mean_distinct(4000, 2, 32, 128, 1024) == Approx(79.7).margin(1));
  REQUIRE(mean_distinct(4000, 2, 128, 128, 1024) == Approx(104.5).margin(1));
  REQUIRE(mean_distinct(6000, 2, 512, 128, 2048) == Approx(120.6).margin(1));
  REQUIRE(mean_distinct(3000, 4, 32, 128, 1024) == Approx(46.5).margin(1));
  REQUIRE(mean_distinct(3000, 4, 128, 128, 1024) == Approx(76.3).margin(1));
  REQUIRE(mean_distinct(640, 2, 0, 128, 0) == 64);  // no shuffle: b / e
}

TEST_CASE("min_lag keeps the copies of an item apart while the buffer has others", "[data][streams]") {
  const auto least_lag = [](int64_t min_lag) {
    Source source = items(2000, 2);
    EchoOrder order(64, min_lag, words(4));
    const auto outputs = drain(order, source);
    std::vector<int64_t> ids, copies;
    for (size_t i = 0; i + 200 < outputs.size(); ++i) {  // the drain at the end has no choice
      ids.push_back(outputs[i].fresh);
      copies.push_back(outputs[i].copy);
    }
    return count_invariants(ids, copies, 2, 1, false).min_lag;
  };
  REQUIRE(least_lag(0) < 4);
  REQUIRE(least_lag(12) == 12);
  REQUIRE(least_lag(24) >= 24);
}

TEST_CASE("Factors and sizes out of range are errors", "[data][streams]") {
  for (double factor : {0.99, 0.0, -1.0, 1e300, std::numeric_limits<double>::infinity(), std::nan("")})
    REQUIRE_THROWS_AS(check_echo_factor(factor), Error);
  REQUIRE_THROWS_AS(EchoOrder(-1, 0, {}), Error);
  REQUIRE_THROWS_AS(EchoOrder(int64_t(1) << 40, 0, {}), Error);
  REQUIRE_THROWS_AS(EchoOrder(4, -1, {}), Error);
  REQUIRE_THROWS_WITH(echo_copy_word(1, 0, int64_t(1) << 32), Contains("id"));
}
