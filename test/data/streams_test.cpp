// Streams: the order is a property of the plan, whatever the workers; saving and restoring lose and repeat nothing.
#include "test/catch.h"
#include "test/data/streams.h"
#include <libzoo/core/log.h>
#include <libzoo/core/random.h>
#include <libzoo/data/bucket.h>
#include <libzoo/data/interleave.h>
#include <libzoo/data/map.h>
#include <libzoo/data/prefetch.h>
#include <libzoo/data/shuffle.h>
#include <libzoo/data/sources.h>
#include <libzoo/data/stages.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <functional>
#include <mutex>
#include <numeric>
#include <set>
#include <thread>

using namespace zoo::data;
using zoo::Error;

namespace {

// The items that were decoded, from any thread.
struct Decoded {
  void add(int64_t id) {
    std::lock_guard lock(mutex);
    ids.push_back(id);
  }
  std::mutex mutex;
  std::vector<int64_t> ids;
};

using Build = std::function<Stream<Items>(int workers, std::shared_ptr<Decoded> decoded)>;

constexpr int64_t kItems = 47;  // each id occurs once in every pipeline below

auto decode(int workers, std::shared_ptr<Decoded> decoded) {
  return map(
      [decoded](const Ticket& t) {
        decoded->add(t.index);
        return t.index;
      },
      {.workers = workers, .name = "decode"});
}

auto source() { return indices(kItems, {.seed = 3, .epochs = 1}); }

auto by_size(LastBatch last) {
  return bucket_batch([](int64_t id) { return id; }, {.bounds = {9, 30}, .sizes = {2, 4, 3}, .last = last});
}

// Six files whose tickets are those of source(), a seventh of them each and the rest in the last; three are read at once.
auto files(int workers) {
  return indices(6, {.seed = 1, .epochs = 1}) |
         interleave(
             [](Ticket file) {
               const int64_t first = 7 * file.index, count = file.index == 5 ? kItems - first : 7;
               return indices(count, {.shuffle = false, .epochs = 1}) |
                      map([first](Ticket t) { return Ticket{first + t.index, 0, t.position}; });
             },
             {.cycle = 3, .block = 2}) |
         prefetch(workers);
}

const std::vector<std::pair<const char*, Build>> kPipelines{
    {"map, batch", [](int w, auto d) { return source() | decode(w, d) | batch(5); }},
    {"map, batch that drops the last", [](int w, auto d) { return source() | decode(w, d) | batch(5, {.last = LastBatch::drop}); }},
    {"map, padded batch", [](int w, auto d) { return source() | decode(w, d) | batch(5, {.last = LastBatch::pad}); }},
    {"batches of buckets", [](int w, auto d) { return source() | decode(w, d) | by_size(LastBatch::keep); }},
    {"batches of buckets that drop the short ones", [](int w, auto d) { return source() | decode(w, d) | by_size(LastBatch::drop); }},
    {"batches of buckets, shuffled",
     [](int w, auto d) { return source() | decode(w, d) | shuffle(5, 1) | by_size(LastBatch::keep) | shuffle(3, 2); }},
    {"interleaved files", [](int w, auto d) { return files(w) | decode(w, d) | batch(4); }},
    {"interleaved files, shuffled after they are decoded",
     [](int w, auto d) { return files(w) | decode(w, d) | shuffle(8, 5) | batch(4); }},
    {"shuffled tickets", [](int w, auto d) { return source() | shuffle(9, 4) | decode(w, d) | batch(1); }},
    {"shuffled pictures", [](int w, auto d) { return source() | decode(w, d) | shuffle(9, 4) | batch(3); }},
    {"two shuffles around a map", [](int w, auto d) { return source() | shuffle(6, 1) | decode(w, d) | shuffle(9, 2) | batch(2); }},
    {"shuffled shuffled pictures", [](int w, auto d) { return source() | decode(w, d) | shuffle(4, 1) | shuffle(5, 2) | batch(2); }},
    {"shuffled batches", [](int w, auto d) { return source() | decode(w, d) | batch(4) | shuffle(3, 9); }},
    {"prefetched map", [](int w, auto d) { return source() | decode(w, d) | batch(4) | prefetch(w + 1); }},
    {"prefetch before a map and a shuffle",
     [](int w, auto d) { return source() | prefetch(2) | decode(w, d) | shuffle(7, 1) | batch(4) | prefetch(3); }},
    {"two maps", [](int w, auto d) { return source() | decode(w, d) | map([](int64_t i) { return 10 * i; }, {.workers = w}) | batch(3); }},
    {"map without a copy",
     [](int w, auto d) {
       return source() |
              map(
                  [d](Ticket t) {
                    d->add(t.index);
                    return Payload{std::make_unique<int64_t>(t.index)};
                  },
                  {.workers = w}) |
              shuffle(5, 1) | map([](Payload p) { return *p.id; }, {.workers = w}) | prefetch(2) | batch(4);
     }},
    {"shard, take", [](int w, auto d) { return source() | shard(1, 2) | take(17) | decode(w, d) | batch(2); }},
    {"map that leaves out every fifth",
     [](int w, auto d) {
       return source() |
              map(
                  [d](Ticket t) {
                    if (t.index % 5 == 0) throw Error("bad");
                    d->add(t.index);
                    return t.index;
                  },
                  {.workers = w, .bad_items = BadItemPolicy::skip()}) |
              shuffle(4, 2) | batch(3);
     }},
};

}  // namespace

TEST_CASE("Every pipeline gives the same items for any number of workers", "[data][streams]") {
  zoo::log::set_level(zoo::log::Level::error);
  for (const auto& [name, build] : kPipelines) {
    CAPTURE(name);
    auto reference = build(0, std::make_shared<Decoded>());
    const auto expected = drain(reference);
    REQUIRE(expected.size() > 5);
    for (int workers : {1, 4}) {
      auto stream = build(workers, std::make_shared<Decoded>());
      REQUIRE(drain(stream) == expected);
      REQUIRE_FALSE(stream.next());  // the end stays the end
    }
  }
}

TEST_CASE("A stream restored anywhere, with other workers, goes on with the next item and repeats no consumed work", "[data][streams]") {
  zoo::log::set_level(zoo::log::Level::error);
  for (const auto& [name, build] : kPipelines) {
    auto reference = build(0, std::make_shared<Decoded>());
    const auto expected = drain(reference);
    for (size_t stop = 0; stop <= expected.size(); ++stop) {
      for (auto [before, after] : {std::pair{0, 4}, {4, 0}, {2, 2}}) {
        CAPTURE(name, stop, before, after);
        auto first = build(before, std::make_shared<Decoded>());
        const auto head = drain(first, stop);
        const zoo::State state = first.state();

        auto decoded = std::make_shared<Decoded>();
        auto second = build(after, decoded);
        if (stop % 3 == 1) second.next();  // restoring also rewinds a stream that was used
        if (stop % 3 == 1) {
          second.restore(state);
          std::lock_guard lock(decoded->mutex);
          decoded->ids.clear();
        } else {
          second.restore(state);
        }
        auto rest = drain(second);
        std::set<int64_t> consumed;
        for (const Items& items : head) consumed.insert(items.begin(), items.end());
        if (std::string(name) != "two maps")
          for (int64_t id : decoded->ids) REQUIRE(consumed.count(id) == 0);
        auto all = head;
        all.insert(all.end(), rest.begin(), rest.end());
        REQUIRE(all == expected);
      }
    }
  }
}

TEST_CASE("A state taken again after a restore equals the one restored", "[data][streams]") {
  for (const auto& [name, build] : kPipelines) {
    CAPTURE(name);
    auto first = build(4, std::make_shared<Decoded>());
    drain(first, 3);
    auto second = build(1, std::make_shared<Decoded>());
    second.restore(first.state());
    REQUIRE(second.state().values == first.state().values);
  }
}

TEST_CASE("A stream refuses the state of another pipeline, naming both, and stays as it was", "[data][streams]") {
  auto five = indices(20, {.seed = 1, .shuffle = false, .epochs = 1}) | batch(5);
  auto four = indices(20, {.seed = 1, .shuffle = false, .epochs = 1}) | batch(4);
  drain(four, 1);
  const auto before = four.state();
  REQUIRE_THROWS_WITH(four.restore(five.state()), Contains("batch(5)") && Contains("batch(4)"));
  auto state = before;
  state.values["position"] = {4, 9};
  REQUIRE_THROWS_WITH(four.restore(state), Contains("more values"));
  state.values["position"] = zoo::Json::array();
  REQUIRE_THROWS_WITH(four.restore(state), Contains("too short"));
  state.values["position"] = {-1};
  REQUIRE_THROWS_WITH(four.restore(state), Contains("negative"));
  state.values["position"] = {"a"};
  REQUIRE_THROWS_WITH(four.restore(state), Contains("no integer"));
  REQUIRE_THROWS_WITH(four.restore(zoo::State{}), Contains("not that of a data stream"));
  REQUIRE(four.state().values == before.values);
  REQUIRE(four.next()->front().index == 4);
}

TEST_CASE("Each epoch is another permutation of all items, the one of the shuffle stream", "[data][streams]") {
  auto stream = indices(10, {.seed = 7});
  std::vector<Items> epochs(3);
  for (int64_t position = 0; position < 30; ++position) {
    const auto ticket = *stream.next();
    REQUIRE(ticket.position == position);
    REQUIRE(ticket.epoch == position / 10);
    epochs[size_t(ticket.epoch)].push_back(ticket.index);
  }
  for (uint32_t e = 0; e < 3; ++e)
    REQUIRE(epochs[e] == zoo::permutation(10, {.seed = 7, .epoch = e, .purpose = zoo::Purpose::shuffle_stage}));
  REQUIRE(epochs[0] != epochs[1]);
  auto ordered = indices(4, {.shuffle = false, .epochs = 2});
  Items seen;
  for (const auto& t : drain(ordered)) seen.push_back(t.index);
  REQUIRE(seen == Items{0, 1, 2, 3, 0, 1, 2, 3});
}

TEST_CASE("Drawing with replacement is uniform and can be resumed", "[data][streams]") {
  auto stream = with_replacement(10, 5);
  Items counts(10);
  for (int i = 0; i < 10'000; ++i) ++counts[size_t(stream.next()->index)];
  for (int64_t count : counts) REQUIRE(std::abs(count - 1000) < 150);  // five standard deviations of 30
  auto other = with_replacement(10, 5);
  other.restore(stream.state());
  REQUIRE(drain(other, 50) == drain(stream, 50));
}

TEST_CASE("Sources refuse sizes that make no sense", "[data][streams]") {
  REQUIRE_THROWS_WITH(indices(0), Contains("nothing to give"));
  REQUIRE_THROWS_WITH(indices(-1, {.epochs = 1}), Contains("got -1"));
  REQUIRE_THROWS_WITH(indices((int64_t(1) << 32) + 1), Contains("2^32"));
  REQUIRE_THROWS_WITH(with_replacement(0, 1), Contains("got 0"));
  auto none = indices(0, {.epochs = 5});
  REQUIRE_FALSE(none.next());
  REQUIRE_THROWS_WITH(indices(3) | batch(0), Contains("at least 1 item"));
  REQUIRE_THROWS_WITH(indices(3) | shuffle(0), Contains("at least 1 slot"));
  REQUIRE_THROWS_WITH(indices(3) | take(-1), Contains("got -1"));
  REQUIRE_THROWS_WITH(indices(3) | prefetch(-1), Contains("got -1"));
  REQUIRE_THROWS_WITH(indices(3) | shard(2, 2), Contains("rank"));
  REQUIRE_THROWS_WITH(indices(3) | map([](Ticket t) { return t.index; }, {.workers = -1}), Contains("workers"));
}

TEST_CASE("Shards are disjoint, complete and in the order of the definition", "[data][streams]") {
  // Brute force of spec io, Shards: all world sizes to 8, workers to 4, items to 50.
  for (int64_t n = 0; n <= 50; ++n)
    for (int64_t world = 1; world <= 8; ++world)
      for (int64_t workers = 1; workers <= 4; ++workers)
        for (ShardMode mode : {ShardMode::none, ShardMode::drop, ShardMode::pad})
          for (bool shuffled : {false, true}) {
            Items order(static_cast<size_t>(n));
            std::iota(order.begin(), order.end(), 0);
            if (shuffled) order = zoo::permutation(n, {.seed = 2, .epoch = 3, .purpose = zoo::Purpose::shard_permutation});
            const int64_t total = mode == ShardMode::none   ? n
                                  : mode == ShardMode::drop ? n / world * world
                                                            : (n + world - 1) / world * world;
            Items all;
            for (int64_t i = 0; i < total; ++i) all.push_back(order[size_t(i % n)]);
            std::multiset<int64_t> seen;
            bool equal = true;
            for (int64_t rank = 0; rank < world; ++rank)
              for (int64_t worker = 0; worker < workers; ++worker) {
                Items expected;
                int64_t in_rank = 0;
                for (int64_t i = rank; i < total; i += world, ++in_rank)
                  if (in_rank % workers == worker) expected.push_back(all[size_t(i)]);
                const Shard shard{rank, world, worker, workers, mode};
                const Items mine = shard_assign(n, shard, 2, 3, shuffled);
                equal = equal && mine == expected && shard_length(n, shard) == int64_t(mine.size());
                seen.insert(mine.begin(), mine.end());
              }
            if (!equal || int64_t(seen.size()) != total || seen != std::multiset<int64_t>(all.begin(), all.end()))
              FAIL("n " << n << " world " << world << " workers " << workers << " mode " << int(mode) << " shuffled " << shuffled);
          }
  REQUIRE_THROWS_WITH(shard_assign(5, {.world_size = 0}, 0, 0, false), Contains("world_size"));
  REQUIRE_THROWS_WITH(shard_assign(5, {.num_workers = 0}, 0, 0, false), Contains("num_workers"));
  REQUIRE_THROWS_WITH(shard_assign(5, {.rank = 2, .world_size = 2}, 0, 0, false), Contains("rank"));
}

TEST_CASE("The ranks of a sharded source share every epoch, and the stage splits any stream", "[data][streams]") {
  std::multiset<int64_t> epoch1;
  for (int64_t rank = 0; rank < 3; ++rank) {
    auto mine = indices(9, {.seed = 1, .epochs = 2, .shard = Shard{.rank = rank, .world_size = 3}});
    for (const auto& t : drain(mine))
      if (t.epoch == 1) epoch1.insert(t.index);
  }
  REQUIRE(epoch1 == std::multiset<int64_t>{0, 1, 2, 3, 4, 5, 6, 7, 8});
  Items mine;  // rank 1 of 2, worker 2 of 3: every sixth from 1 + 2 · 2
  auto stream = indices(20, {.shuffle = false, .epochs = 1}) | shard(1, 2, 2, 3);
  for (const auto& t : drain(stream)) mine.push_back(t.index);
  REQUIRE(mine == Items{5, 11, 17});
}

TEST_CASE("An error of a worker comes out in the place of its item, and the stream goes on behind it", "[data][streams]") {
  for (int workers : {0, 1, 4})
    for (int64_t ahead : {0, 3}) {
      auto stream = indices(10, {.shuffle = false, .epochs = 1}) |
                    map(
                        [](Ticket t) {
                          if (t.index == 3) throw zoo::UserError("picture 3 is torn");
                          return t.index;
                        },
                        {.workers = workers}) |
                    prefetch(ahead);
      for (int64_t i = 0; i < 3; ++i) REQUIRE(*stream.next() == i);
      REQUIRE_THROWS_WITH(stream.next(), Contains("picture 3 is torn"));
      for (int64_t i = 4; i < 10; ++i) REQUIRE(*stream.next() == i);
      REQUIRE_FALSE(stream.next());
    }
}

TEST_CASE("Errors of a stage in front pass through maps and prefetching in order", "[data][streams]") {
  auto torn = [](Ticket t) {
    if (t.index % 4 == 2) throw Error("torn " + std::to_string(t.index));
    return t.index;
  };
  auto stream = indices(8, {.shuffle = false, .epochs = 1}) | map(torn, {.workers = 2}) | prefetch(2) |
                map([](int64_t i) { return -i; }, {.workers = 2}) | prefetch(1);
  REQUIRE(story_of(stream) == "0 -1 torn 2 -3 -4 -5 torn 6 -7 ");
}

TEST_CASE("Bad items are left out up to the cap, which counts on over a restore; other exceptions always stop", "[data][streams]") {
  zoo::log::set_level(zoo::log::Level::error);
  const auto build = [](int workers, int64_t cap) {
    return indices(30, {.shuffle = false, .epochs = 1}) | map(
                                                              [](Ticket t) {
                                                                if (t.index % 10 == 4)
                                                                  throw Error("file " + std::to_string(t.index) + " is torn");
                                                                return t.index;
                                                              },
                                                              {.workers = workers, .bad_items = BadItemPolicy::skip(cap)});
  };
  for (int workers : {0, 3}) {
    auto all = build(workers, 3);
    REQUIRE(drain(all).size() == 27);
    auto first = build(workers, 2);
    drain(first, 12);  // past the first bad one
    auto second = build(workers, 2);
    second.restore(first.state());
    REQUIRE_THROWS_WITH(drain(second), Contains("3 items could not be used, 2 are allowed") && Contains("file 24 is torn"));
  }
  auto defect =
      indices(3, {.epochs = 1}) | map([](Ticket) -> int { throw std::logic_error("defect"); }, {.bad_items = BadItemPolicy::skip()});
  REQUIRE_THROWS_WITH(defect.next(), Contains("defect"));
}

TEST_CASE("Abandoned streams leave no thread", "[data][streams]") {
  const size_t before = thread_count();
  for (int round = 0; round < 20; ++round) {
    auto stream = indices(1000) | map([](Ticket t) { return t.index; }, {.workers = 3}) | prefetch(4) | batch(3) | prefetch(2);
    drain(stream, size_t(round % 4));
    if (round == 7) stream.restore(stream.state());
  }
  REQUIRE(thread_count() == before);
}

TEST_CASE("A stream says what it is made of", "[data][streams]") {
  auto stream = indices(10, {.seed = 2}) | map([](Ticket t) { return t.index; }, {.workers = 2, .name = "decode"}) | batch(4) | prefetch(3);
  REQUIRE(stream.describe() == "indices(10, seed=2, shuffled, endless) | decode(workers=2, window=4) | batch(4) | prefetch(3)");
  REQUIRE(stream.state().values["stages"] == "indices(10, seed=2, shuffled, endless) | decode | batch(4)");
}
