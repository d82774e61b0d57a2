// One stage at a time: what it does with the items, what it refuses, what it says of itself.
#include "test/catch.h"
#include "test/data/streams.h"
#include <libzoo/core/random.h>
#include <libzoo/data/bucket.h>
#include <libzoo/data/interleave.h>
#include <libzoo/data/map.h>
#include <libzoo/data/prefetch.h>
#include <libzoo/data/shuffle.h>
#include <libzoo/data/sources.h>

#include <atomic>
#include <chrono>
#include <thread>

using namespace zoo::data;

TEST_CASE("A short last batch is kept, dropped or filled with its own items", "[data][streams]") {
  const auto last_of = [](LastBatch last) {
    auto stream = indices(8, {.shuffle = false, .epochs = 1}) | map([](Ticket t) { return t.index; }) | batch(5, {.last = last});
    return drain(stream).back();
  };
  REQUIRE(last_of(LastBatch::keep) == Items{5, 6, 7});
  REQUIRE(last_of(LastBatch::drop) == Items{0, 1, 2, 3, 4});
  REQUIRE(last_of(LastBatch::pad) == Items{5, 6, 7, 5, 6});
  auto unique = indices(3, {.epochs = 1}) | map([](Ticket t) { return Payload{std::make_unique<int64_t>(t.index)}; }) |
                batch(2, {.last = LastBatch::pad});
  unique.next();
  REQUIRE_THROWS_WITH(unique.next(), Contains("can't be copied"));
}

TEST_CASE("Buckets gather items of like length; the bounds belong to the bucket below", "[data][streams]") {
  auto stream = indices(6, {.shuffle = false, .epochs = 1}) |
                map([](Ticket t) { return std::vector<int64_t>{1, 9, 5, 2, 8, 3}[size_t(t.index)]; }) |
                bucket_batch([](int64_t length) { return length; }, {.bounds = {3, 8}, .sizes = {2, 2, 5}});
  REQUIRE(drain(stream) == std::vector<Items>{{1, 2}, {5, 8}, {3}, {9}});
  REQUIRE_THROWS_WITH(indices(10, {.epochs = 1}) | bucket_batch([](Ticket) { return 0; }, {.bounds = {3}, .sizes = {2}}),
                      Contains("2 buckets") && Contains("got 1"));
  REQUIRE_THROWS_WITH(indices(10, {.epochs = 1}) | bucket_batch([](Ticket) { return 0; }, {.bounds = {3, 3}, .sizes = {2, 2, 2}}),
                      Contains("got 3 after 3"));
}

TEST_CASE("Interleaved files take turns, and one that ends makes room for the next", "[data][streams]") {
  auto stream =
      indices(3, {.shuffle = false, .epochs = 1}) | interleave(
                                                        [](Ticket file) {
                                                          return indices(5 - 2 * (file.index == 0), {.shuffle = false, .epochs = 1}) |
                                                                 map([file](Ticket t) { return 10 * file.index + t.index; });
                                                        },
                                                        {.cycle = 2, .block = 2});
  REQUIRE(drain(stream) == Items{0, 1, 10, 11, 2, 12, 13, 20, 21, 14, 22, 23, 24});
  REQUIRE_THROWS_WITH(indices(10, {.epochs = 1}) | interleave([](Ticket) { return indices(10, {.epochs = 1}); }, {.cycle = 0}),
                      Contains("cycle of at least 1"));
}

TEST_CASE("Prefetching stops at its bytes, and one item larger than that still passes", "[data][streams]") {
  std::atomic<int> made{0};
  auto stream = indices(20, {.epochs = 1}) | map([&](Ticket) {
                  ++made;
                  return std::vector<uint8_t>(100);
                }) |
                prefetch(10, {.max_bytes = 250});
  stream.next();
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (made < 4 && std::chrono::steady_clock::now() < deadline) std::this_thread::yield();
  std::this_thread::sleep_for(std::chrono::milliseconds(30));  // time to go too far in
  REQUIRE(made == 4);                                          // one was taken, three are ready: 300 bytes
  REQUIRE(drain(stream).size() == 19);
}

TEST_CASE("A stream says what each of its stages did", "[data][streams]") {
  auto stream = indices(40, {.epochs = 1}) | map([](Ticket t) { return t.index; }, {.workers = 2, .name = "decode"}) | shuffle(8) |
                batch(4) | prefetch(2);
  REQUIRE(drain(stream).size() == 10);
  const auto reports = stream.reports();
  REQUIRE(reports.size() == 4);
  REQUIRE(reports[0].name == "decode");
  REQUIRE(reports[0].items == 40);
  REQUIRE(reports[0].threads == 2);
  REQUIRE(reports[0].work_seconds > 0);
  REQUIRE(reports[1].name == "shuffle");
  REQUIRE(reports[1].capacity == 8);
  REQUIRE(reports[1].occupancy > 4);  // 8 until the input ends, then 7 … 1
  REQUIRE(reports[2].items == 10);
  REQUIRE(reports[3].items == 10);
}

TEST_CASE("The shuffle buffer gives the order that the definition of the echo buffer gives", "[data][streams]") {
  // spec echo, order of the output, step 2, written out with a plain list.
  constexpr int64_t n = 60;
  constexpr size_t slots = 8;
  zoo::RandomStream words({.seed = 11, .purpose = zoo::Purpose::shuffle_stage, .copy = 2});
  Items buffer, expected;
  int64_t input = 0;
  for (uint64_t t = 0; t < n; ++t) {
    while (buffer.size() < slots && input < n) buffer.push_back(input++);
    const size_t j = size_t((uint64_t(words.word(t)) * buffer.size()) >> 32);
    expected.push_back(buffer[j]);
    if (input < n) {
      buffer[j] = input++;
    } else {
      buffer[j] = buffer.back();
      buffer.pop_back();
    }
  }
  auto stream = indices(n, {.shuffle = false, .epochs = 1}) | shuffle(slots, 11);
  Items got;
  for (const auto& t : drain(stream)) got.push_back(t.index);
  REQUIRE(got == expected);
  auto unchanged = indices(5, {.shuffle = false, .epochs = 1}) | shuffle(1, 11);
  REQUIRE(drain(unchanged).back().index == 4);
}

TEST_CASE("A damaged shuffle buffer is refused", "[data][streams]") {
  auto stream = indices(20, {.epochs = 1}) | shuffle(4);
  drain(stream, 3);
  auto state = stream.state();
  state.values["position"][2] = 1'000'000'000'000;  // filled slots
  REQUIRE_THROWS_WITH(stream.restore(state), Contains("cannot be"));
  REQUIRE(drain(stream).size() == 17);
}

TEST_CASE("Work is begun ahead by the window only", "[data][streams]") {
  auto begun = std::make_shared<std::atomic<int>>(0);
  auto stream = indices(1000) | map(
                                    [begun](Ticket t) {
                                      ++*begun;
                                      return t.index;
                                    },
                                    {.workers = 2, .window = 6});
  REQUIRE(*begun == 0);
  drain(stream, 10);
  REQUIRE(*begun <= 16);
}
