// The echo stage in streams: before and after the work, around batches; the same for all workers, after every restore,
// without repeating work that was consumed.
#include "test/catch.h"
#include "test/data/streams.h"
#include <libzoo/core/random.h>
#include <libzoo/data/echo.h>
#include <libzoo/data/echo_model.h>
#include <libzoo/data/lazy.h>
#include <libzoo/data/map.h>
#include <libzoo/data/prefetch.h>
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

constexpr int64_t kItems = 60, kEpochs = 2;

// What comes out of every pipeline below: fresh number, item, copy.
struct Seen {
  int64_t fresh, id, copy;
  bool operator==(const Seen&) const = default;
  auto operator<=>(const Seen&) const = default;
};
using Batch1 = std::vector<Seen>;

struct Decodes {
  std::mutex mutex;
  std::multiset<int64_t> tickets;  // by place in the stream
  int64_t operator()(const Ticket& ticket) {
    std::lock_guard lock(mutex);
    tickets.insert(ticket.position);
    return ticket.index;
  }
};
using Log = std::shared_ptr<Decodes>;
using Picture = std::shared_ptr<const int64_t>;

auto source() { return indices(kItems, {.seed = 3, .epochs = kEpochs}); }
auto decode(Log log, int workers) {
  return map([log](const Ticket& t) { return std::make_shared<const int64_t>((*log)(t)); }, {.workers = workers, .name = "decode"});
}
Seen seen(const Echoed<Picture>& e) { return {e.fresh, *e.item, e.copy}; }

using Build = std::function<Stream<Batch1>(int workers, Log log)>;

Stream<Batch1> plan(int workers, Log log, EchoOptions options) {
  return source() | lazy<int64_t>() | echo(options) |
         map([log](const Echoed<Lazy<int64_t>>& e) { return Seen{e.fresh, e.item.get(std::ref(*log)), e.copy}; }, {.workers = workers}) |
         batch(4) | prefetch(workers);
}

Stream<Batch1> payloads(int workers, Log log, EchoOptions options) {
  return source() | decode(log, workers) | echo(options) | map(seen, {.workers = workers}) | batch(4) | prefetch(workers);
}

Stream<Batch1> batches(int workers, Log log, EchoOptions options) {
  using Whole = std::shared_ptr<const std::vector<Picture>>;
  return source() | decode(log, workers) | batch(5) |
         map([](std::vector<Picture> items) { return std::make_shared<const std::vector<Picture>>(std::move(items)); }) | echo(options) |
         map(
             [](const Echoed<Whole>& e) {
               Batch1 batch;
               for (const auto& one : *e.item) batch.push_back({5 * e.fresh + int64_t(batch.size()), *one, e.copy});
               return batch;
             },
             {.workers = workers});
}

struct Pipeline {
  const char* name;
  Build build;
};

const std::vector<Pipeline> kPipelines{
    {"tickets", [](int w, Log log) { return plan(w, log, {.factor = 2.5, .shuffle_buffer = 20, .seed = 7}); }},
    {"tickets, apart", [](int w, Log log) { return plan(w, log, {.factor = 3, .shuffle_buffer = 20, .min_lag = 9, .seed = 7}); }},
    {"tickets, in order", [](int w, Log log) { return plan(w, log, {.factor = 2.5, .seed = 7}); }},
    {"payloads", [](int w, Log log) { return payloads(w, log, {.factor = 2.5, .shuffle_buffer = 20, .seed = 7}); }},
    {"payloads, apart", [](int w, Log log) { return payloads(w, log, {.factor = 2, .shuffle_buffer = 20, .min_lag = 5, .seed = 7}); }},
    {"payloads, in order", [](int w, Log log) { return payloads(w, log, {.factor = 4, .seed = 7}); }},
    {"payloads, once", [](int w, Log log) { return payloads(w, log, {}); }},
    {"batches", [](int w, Log log) { return batches(w, log, {.factor = 2.5, .shuffle_buffer = 6, .seed = 7}); }},
    {"batches, in order", [](int w, Log log) { return batches(w, log, {.factor = 2}); }},
    {"payloads, shuffled again",
     [](int w, Log log) {
       return source() | decode(log, w) | echo({.factor = 2.5, .shuffle_buffer = 12, .seed = 7}) | shuffle(9, 4) |
              map(seen, {.workers = w}) | batch(4);
     }},
};

std::vector<Seen> flat(const std::vector<Batch1>& batches) {
  std::vector<Seen> all;
  for (const auto& one : batches) all.insert(all.end(), one.begin(), one.end());
  return all;
}

}  // namespace

TEST_CASE("Echoed streams give the same items for any number of workers", "[data][streams]") {
  for (const auto& [name, build] : kPipelines) {
    CAPTURE(name);
    auto reference = build(0, std::make_shared<Decodes>());
    const auto expected = drain(reference);
    REQUIRE(flat(expected).size() >= kItems * kEpochs);
    for (int workers : {1, 2, 4}) {
      auto stream = build(workers, std::make_shared<Decodes>());
      REQUIRE(drain(stream) == expected);
      REQUIRE_FALSE(stream.next());
    }
  }
}

TEST_CASE("Each item is decoded once, however often it is echoed", "[data][streams]") {
  for (const auto& [name, build] : kPipelines) {
    CAPTURE(name);
    auto log = std::make_shared<Decodes>();
    auto stream = build(2, log);
    drain(stream);
    const std::set<int64_t> different(log->tickets.begin(), log->tickets.end());
    REQUIRE(log->tickets.size() == kItems * kEpochs);
    REQUIRE(different.size() == kItems * kEpochs);
  }
}

TEST_CASE("A stream restored at 50 random places decodes nothing that was consumed and each buffered item once", "[data][streams]") {
  zoo::RandomStream random({.seed = 8});
  for (const auto& [name, build] : kPipelines) {
    auto reference = build(0, std::make_shared<Decodes>());
    const auto expected = drain(reference);
    std::map<int64_t, int64_t> copies;  // of each fresh item
    for (const Seen& one : flat(expected)) ++copies[one.fresh];
    for (int trial = 0; trial < 50; ++trial) {
      const auto stop = size_t(random.below(expected.size() + 1));
      const int before = int(random.below(4)), after = int(random.below(4));
      CAPTURE(name, stop, before, after);
      auto first = build(before, std::make_shared<Decodes>());
      const auto head = drain(first, stop);
      const zoo::State state = first.state();

      auto log = std::make_shared<Decodes>();
      auto second = build(after, log);
      second.restore(state);
      REQUIRE(second.state().values == state.values);
      const auto rest = drain(second);
      auto all = head;
      all.insert(all.end(), rest.begin(), rest.end());
      REQUIRE(all == expected);

      std::map<int64_t, int64_t> left = copies;
      for (const Seen& one : flat(head)) --left[one.fresh];
      for (const auto& [fresh, count] : left) REQUIRE(log->tickets.count(fresh) == (count > 0 ? 1 : 0));
    }
  }
}

TEST_CASE("An echoed stream goes back to an earlier state of its own, also after an error", "[data][streams]") {
  auto stream = indices(50, {.shuffle = false, .epochs = 1}) | map([](Ticket t) {
                  if (t.index == 20) throw Error("item 20 is torn");
                  return std::make_shared<const int64_t>(t.index);
                }) |
                echo({.factor = 2, .shuffle_buffer = 8, .seed = 1}) | map(seen);
  const auto head = drain(stream, 10);
  const auto state = stream.state();
  std::vector<Seen> rest;
  REQUIRE_THROWS_WITH(
      [&] {
        while (auto item = stream.next()) rest.push_back(*item);
      }(),
      Contains("item 20 is torn"));
  REQUIRE(rest.size() >= 20);
  auto after = drain(stream);  // the others come
  REQUIRE(head.size() + rest.size() + after.size() == 98);
  stream.restore(state);
  REQUIRE(drain(stream, rest.size()) == rest);
}

TEST_CASE("Every item comes exactly as often as the factor says, once per epoch", "[data][streams]") {
  auto stream = plan(2, std::make_shared<Decodes>(), {.factor = 3, .shuffle_buffer = 50, .seed = 1});
  std::vector<int64_t> fresh, copies;
  std::map<int64_t, int64_t> of_item;
  for (const Seen& one : flat(drain(stream))) {
    fresh.push_back(one.fresh);
    copies.push_back(one.copy);
    ++of_item[one.id];
  }
  REQUIRE(count_invariants(fresh, copies, 3, 4, false).valid);
  for (const auto& [id, count] : of_item) REQUIRE(count == 3 * kEpochs);
}

TEST_CASE("Copies of a ticket draw their number from epoch and id, wherever they stand in the stream", "[data][streams]") {
  const auto counts = [](Stream<Ticket> tickets) {
    auto stream = std::move(tickets) | echo({.factor = 1.5, .seed = 5});
    std::map<std::pair<int64_t, int64_t>, int64_t> result;
    for (const auto& e : drain(stream)) ++result[{e.item.epoch, e.item.index}];
    return result;
  };
  const auto one = counts(indices(100, {.seed = 1, .epochs = 2})), other = counts(indices(100, {.shuffle = false, .epochs = 2}));
  REQUIRE(one == other);
  for (const auto& [key, count] : one) REQUIRE(count == echo_copies(echo_copy_word(5, key.first, key.second), 1.5));
  const auto half = counts(indices(100, {.seed = 1, .epochs = 2, .shard = Shard{.rank = 1, .world_size = 2}}));
  for (const auto& [key, count] : half) REQUIRE(count == one.at(key));
}

TEST_CASE("Copies differ in their augmentation before it, and not after it", "[data][streams]") {
  // Spec f3: flips with probability 1/2, two copies: they differ in 50 % ± 1 % of the pairs before, in none after.
  constexpr int64_t n = 40'000;
  const auto flip = [](const Ticket& t, int64_t copy) {
    return zoo::RandomStream({1, uint32_t(t.epoch), uint32_t(t.index), zoo::Purpose::augmentation, uint16_t(copy)}).below(2) == 1;
  };
  // The share of items whose two copies differ.
  const auto differing = [&](const std::vector<std::vector<Echoed<bool>>>& batches) {
    std::map<int64_t, int> flips;
    for (const auto& batch : batches)
      for (const auto& e : batch) flips[e.fresh] += e.item;
    REQUIRE(flips.size() == n);
    return double(std::count_if(flips.begin(), flips.end(), [](const auto& f) { return f.second == 1; })) / n;
  };
  const EchoOptions twice{.factor = 2, .shuffle_buffer = 100, .seed = 3};
  std::vector<std::vector<std::vector<Echoed<bool>>>> runs;
  for (int workers : {1, 4}) {
    auto before = indices(n, {.seed = 2, .epochs = 1}) | echo(twice) | batch(100) |
                  map(
                      [flip](const std::vector<Echoed<Ticket>>& batch) {
                        std::vector<Echoed<bool>> result;
                        for (const auto& e : batch) result.push_back({flip(e.item, e.copy), e.copy, e.fresh, e.last});
                        return result;
                      },
                      {.workers = workers});
    runs.push_back(drain(before));
  }
  REQUIRE(runs[0] == runs[1]);
  REQUIRE(differing(runs[0]) == Approx(0.5).margin(0.01));
  auto after = indices(n, {.seed = 2, .epochs = 1}) | map([flip](const Ticket& t) { return flip(t, 0); }) | echo(twice) | batch(100);
  REQUIRE(differing(drain(after)) == 0);
}

TEST_CASE("A slow reader holds back what is decoded, and leaving leaves no thread and no work behind", "[data][streams]") {
  const size_t threads = thread_count();
  auto begun = std::make_shared<std::atomic<int64_t>>(0);
  constexpr int64_t kBuffer = 32, kWindow = 16, kBatch = 4, kAhead = 2, kWorkers = 4;
  int64_t at_end = 0;
  {
    auto stream = indices(10'000) |
                  map(
                      [begun](const Ticket& t) {
                        ++*begun;
                        std::this_thread::sleep_for(std::chrono::milliseconds(1));
                        return std::make_shared<const int64_t>(t.index);
                      },
                      {.workers = kWorkers, .window = kWindow}) |
                  echo({.factor = 2, .shuffle_buffer = kBuffer}) | map(seen) | batch(kBatch) | prefetch(kAhead);
    for (int64_t taken = 1; taken <= 20; ++taken) {
      REQUIRE(stream.next());
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
      // Copies taken, in the buffer, in batches that wait or are being made; two of them are one item; and the window.
      REQUIRE(begun->load() <= (taken * kBatch + kBuffer + kBatch * (kAhead + 1)) / 2 + 1 + kWindow);
    }
    at_end = begun->load();
  }
  REQUIRE(thread_count() == threads);
  REQUIRE(begun->load() <= at_end + kBatch * (kAhead + 1) + kWorkers);
}

TEST_CASE("An error in the work of an echoed item names it, and its other copies come", "[data][streams]") {
  auto stream = indices(6, {.shuffle = false, .epochs = 1}) | lazy<int64_t>() | echo({.factor = 2}) |
                map(
                    [](const Echoed<Lazy<int64_t>>& e) {
                      return e.item.get([](const Ticket& t) {
                        if (t.index == 3) throw Error("picture 3 is torn");
                        return t.index;
                      });
                    },
                    {.workers = 2});
  REQUIRE(story_of(stream) == "0 0 1 1 2 2 picture 3 is torn picture 3 is torn 4 4 5 5 ");
}

TEST_CASE("Steps per second are min(factor / upstream, 1 / downstream), counted with a clock of the test's own", "[data][streams]") {
  // Spec f1: a fresh item takes 12 ms, a step 2 ms, K = 64: 83, 167, 250, 417, 500, 500 steps/s at e = 1, 2, 3, 5, 6, 8.
  struct Source final : Stage<Ticket> {
    explicit Source(double* clock) : clock(clock) {}
    std::optional<Ticket> next() override {
      *clock += 0.012;
      return Ticket{n++, 0, 0};
    }
    void save(Position& position) const override { position.push_back(n); }
    void load(PositionReader& position) override { n = position.take(); }
    std::string describe() const override { return "source"; }
    void locate(Position& address) const override { address.push_back(n - 1); }
    std::vector<Ticket> refetch(const std::vector<Position>&) override { return {}; }
    void report(std::vector<StageReport>&) const override {}
    double* clock;
    int64_t n = 0;
  };
  constexpr size_t kQueue = 16, kWarm = 500, kSteps = 4000;
  for (auto [factor, expected] : {std::pair{1.0, 83.3}, {2.0, 166.7}, {3.0, 250.0}, {5.0, 416.7}, {6.0, 500.0}, {8.0, 500.0}}) {
    double producer = 0;  // the thread that fills a queue in front of the training loop
    auto stream = Stream<Ticket>(std::make_unique<Source>(&producer)) | echo({.factor = factor, .shuffle_buffer = 64});
    std::vector<double> begun;
    double free = 0;
    for (size_t i = 0; i < kWarm + kSteps; ++i) {
      if (i >= kQueue) producer = std::max(producer, begun[i - kQueue]);
      REQUIRE(stream.next());
      begun.push_back(std::max(producer, free));
      free = begun.back() + 0.002;
    }
    CAPTURE(factor);
    REQUIRE(double(kSteps) / (free - begun[kWarm]) == Approx(expected).epsilon(0.05));
  }
}

TEST_CASE("The monitor tells what an echo does to the stream", "[data][streams]") {
  auto monitor = std::make_shared<EchoMonitor>(32);
  auto stream = indices(500, {.seed = 1, .epochs = 1}) | echo({.factor = 2, .shuffle_buffer = 64, .seed = 1, .monitor = monitor});
  const auto items = drain(stream);
  const auto statistics = monitor->read();
  REQUIRE(statistics.fresh == 500);
  REQUIRE(statistics.outputs == 1000);
  REQUIRE(statistics.factor == 2);
  std::vector<int64_t> ids, copies;
  for (const auto& e : items) {
    ids.push_back(e.fresh);
    copies.push_back(e.copy);
  }
  const auto unique = fresh_fraction(ids, 32, true).unique;
  REQUIRE(statistics.mean_distinct() == Approx(32 * std::accumulate(unique.begin(), unique.end(), 0.0) / double(unique.size())));
  REQUIRE(statistics.mean_lag == Approx(count_invariants(ids, copies, 2, 32, true).mean_lag));
  REQUIRE(std::accumulate(statistics.lags.begin(), statistics.lags.end(), int64_t(0)) == 500);
  const auto reports = stream.reports();
  REQUIRE(reports.back().name == "echo");
  REQUIRE(reports.back().items == 1000);
}

TEST_CASE("An echo says what it is, and a second one has to be asked for", "[data][streams]") {
  const auto tickets = [] { return indices(10, {.seed = 1, .epochs = 1}); };
  const EchoOptions options{.factor = 2.5, .shuffle_buffer = 8, .min_lag = 3, .seed = 4};
  auto stream = tickets() | echo(options) | batch(2);
  REQUIRE_THAT(stream.describe(), Contains("| echo(2.5, seed=4, buffer=8, min_lag=3) | batch(2)"));
  REQUIRE_THROWS_WITH(tickets() | echo({.factor = 2}) | echo({.factor = 2}), Contains("has an echo already"));
  auto nested = tickets() | echo({.factor = 2}) | echo({.factor = 3, .nested = true});
  REQUIRE(drain(nested).size() == 60);
  auto other = tickets() | echo({.factor = 2, .shuffle_buffer = 8}) | batch(2);
  REQUIRE_THROWS_WITH(other.restore(stream.state()), Contains("echo(2.5") && Contains("echo(2,"));
  REQUIRE_THROWS_AS(tickets() | echo({.factor = 0.5}), Error);
  REQUIRE_THROWS_AS(tickets() | echo({.shuffle_buffer = -1}), Error);
  REQUIRE_THROWS_AS(tickets() | echo({.min_lag = -1}), Error);
}
