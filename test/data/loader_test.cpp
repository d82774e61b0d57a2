// The training data of a recipe: echoing at each place, with any number of workers, after any interruption.
#include "test/catch.h"
#include <libzoo/core/error.h>
#include <libzoo/core/json.h>
#include <libzoo/core/random.h>
#include <libzoo/data/loader.h>

#include <atomic>
#include <chrono>
#include <cmath>
#include <map>
#include <set>

using namespace zoo::data;

namespace {

constexpr int64_t kPictures = 30, kSide = 4;

// Pictures filled with their own number, which counts how often each is read.
class Numbers final : public ImageDataset {
 public:
  int64_t size() const override { return kPictures; }
  int64_t num_classes() const override { return 2; }
  std::string class_name(int64_t label) const override { return std::to_string(label); }
  ImageSize typical_size() const override { return {kSide, kSide}; }
  std::string describe() const override { return "numbers"; }

  mutable std::atomic<int64_t> reads[kPictures] = {};
  std::set<int64_t> bad;

 protected:
  int64_t get_label(int64_t index) const override { return index % 2; }
  void get_picture(int64_t index, Picture& picture) const override {
    ++reads[index];
    if (bad.contains(index)) throw zoo::Error("torn");
    picture.set_pixels(zoo::io::Image{kSide, kSide, 3, std::vector<uint8_t>(3 * kSide * kSide, uint8_t(index))});
  }
  std::string get_item_name(int64_t index) const override { return "number " + std::to_string(index); }
};

// The picture's number in the first value, what its key draws in the second.
ImageTransform transform() {
  return {.height = kSide, .width = kSide, .apply = [](Picture& picture, const zoo::RandomKey& key, float* out) {
            std::fill(out, out + 3 * kSide * kSide, 0.0f);
            out[0] = picture.pixels().pixels[0];
            zoo::RandomStream random(key);
            out[1] = float(random.word(0) >> 8);
          }};
}

struct Case {
  const char* name;
  EchoPlacement at;
  std::string factor;
  int64_t buffer, min_lag;
};
const Case kCases[] = {{"none", EchoPlacement::before_augment, "1", 0, 0},
                       {"before, mixed", EchoPlacement::before_augment, "2", 16, 0},
                       {"before, in order", EchoPlacement::before_augment, "3", 0, 0},
                       {"before, fractional, with a lag", EchoPlacement::before_augment, "1.5", 20, 6},
                       {"after", EchoPlacement::after_augment, "2.5", 24, 0},
                       {"batches", EchoPlacement::batch, "2", 3, 0},
                       {"batches in order", EchoPlacement::batch, "1.5", 0, 0}};

LoaderOptions options_of(const Case& c, int64_t workers) {
  LoaderOptions options;
  options.workers = workers;
  options.echo = {.factor = c.factor, .at = c.at, .shuffle_buffer = c.buffer, .min_lag = c.min_lag};
  return options;
}

Loader loader(const std::shared_ptr<Numbers>& set, const Case& c, int64_t workers) {
  return Loader(set, transform(), options_of(c, workers), {.batch_size = 4, .seed = 5});
}

struct Seen {
  std::vector<int64_t> indices;
  std::vector<float> first, second;
  bool operator==(const Seen&) const = default;
};

Seen next(Loader& loader) {
  const auto batch = *loader.next();
  Seen seen{batch.indices, {}, {}};
  for (int64_t i = 0; i < batch.images.size(0); ++i) {
    seen.first.push_back(batch.images[i][0][0][0].item<float>());
    seen.second.push_back(batch.images[i][1][0][0].item<float>());
  }
  return seen;
}

}  // namespace

TEST_CASE("Echoed batches are the same for any number of workers, and after a restore anywhere", "[data]") {
  for (const Case& c : kCases) {
    auto whole = loader(std::make_shared<Numbers>(), c, 0);
    std::vector<Seen> expected;
    for (int i = 0; i < 50; ++i) expected.push_back(next(whole));
    for (int64_t workers : {1, 2, 4}) {
      auto other = loader(std::make_shared<Numbers>(), c, workers);
      for (int i = 0; i < 50; ++i) {
        CAPTURE(c.name, workers, i);
        REQUIRE(next(other) == expected[size_t(i)]);
      }
    }
    for (int stop = 0; stop < 50; ++stop) {
      CAPTURE(c.name, stop);
      auto first = loader(std::make_shared<Numbers>(), c, stop % 3);
      for (int i = 0; i < stop; ++i) next(first);
      const auto set = std::make_shared<Numbers>();
      auto second = loader(set, c, (stop + 1) % 4);
      second.restore(first.state());
      REQUIRE(second.fresh() == first.fresh());
      for (int i = stop; i < std::min(stop + 8, 50); ++i) REQUIRE(next(second) == expected[size_t(i)]);
    }
  }
}

TEST_CASE("Each picture is read once for all its copies; after a restore only what is still to come", "[data]") {
  for (const Case& c : kCases) {
    CAPTURE(c.name);
    const double factor = std::stod(c.factor);
    const auto set = std::make_shared<Numbers>();
    auto data = loader(set, c, 0);
    std::map<std::pair<int64_t, float>, int64_t> copies;
    std::map<int64_t, int64_t> counts;
    for (int i = 0; i < 60; ++i) {
      const Seen seen = next(data);
      for (size_t k = 0; k < seen.indices.size(); ++k) {
        REQUIRE(seen.first[k] == float(seen.indices[k]));
        ++counts[seen.indices[k]];
        ++copies[{seen.indices[k], seen.second[k]}];
      }
    }
    int64_t reads = 0;
    for (const auto& count : set->reads) reads += count;
    const double outputs = 240;
    REQUIRE(double(reads) >= outputs / factor * 0.9);
    REQUIRE(double(reads) <= outputs / factor * 1.1 + double(c.at == EchoPlacement::batch ? 4 * (c.buffer + 1) : c.buffer + 4));
    // Keys differ between the copies before the augmentation and only there.
    bool repeated = false;
    for (const auto& [what, count] : copies) repeated |= count > 1;
    REQUIRE(repeated == (c.at != EchoPlacement::before_augment));
  }

  // Consumed pictures are not read again: what the restored loader reads is in its coming batches.
  for (const Case& c : kCases) {
    if (c.at == EchoPlacement::batch) continue;  // held batches are made again, each once: see below
    for (int stop : {1, 7, 20}) {
      auto first = loader(std::make_shared<Numbers>(), c, 0);
      for (int i = 0; i < stop; ++i) next(first);
      const auto set = std::make_shared<Numbers>();
      auto second = loader(set, c, 0);
      second.restore(first.state());
      std::set<int64_t> used;
      for (int i = 0; i < 3; ++i)
        for (int64_t index : next(second).indices) used.insert(index);
      CAPTURE(c.name, stop);
      for (int64_t i = 0; i < kPictures; ++i) REQUIRE(set->reads[i] <= (used.contains(i) ? 2 : 0));
    }
  }
  const Case& batches = kCases[5];
  auto first = loader(std::make_shared<Numbers>(), batches, 0);
  for (int i = 0; i < 9; ++i) next(first);
  const auto set = std::make_shared<Numbers>();
  auto second = loader(set, batches, 0);
  second.restore(first.state());
  int64_t reads = 0;
  for (const auto& count : set->reads) reads += count;
  REQUIRE(reads <= 4 * 3);  // at most the buffer's three batches of four
}

TEST_CASE("A picture that can't be read is left out with all its copies", "[data]") {
  const auto set = std::make_shared<Numbers>();
  set->bad = {3, 17};
  LoaderOptions options = options_of(kCases[1], 2);
  REQUIRE_THROWS_WITH(([&] {
                        Loader strict(set, transform(), options, {.batch_size = 4, .seed = 5});
                        for (int i = 0; i < 40; ++i) strict.next();
                      }()),
                      Contains("number 3") || Contains("number 17"));
  options.on_bad_item = OnBadItem::skip;
  Loader lenient(set, transform(), options, {.batch_size = 4, .seed = 5});
  for (int i = 0; i < 40; ++i) {
    const Seen seen = next(lenient);
    REQUIRE(seen.indices.size() == 4);
    for (int64_t index : seen.indices) REQUIRE(!set->bad.contains(index));
  }
}

TEST_CASE("A loader whose pictures are slow to come ends at once", "[data]") {
  LoaderOptions options;
  options.workers = 2;
  options.rate_limit = 0.1;
  const auto begun = std::chrono::steady_clock::now();
  {
    Loader slow(std::make_shared<Numbers>(), transform(), options, {.batch_size = 1, .seed = 5});
    auto first = slow.next();  // due at once; the next is due in ten seconds
    REQUIRE(first);
  }
  REQUIRE(std::chrono::steady_clock::now() - begun < std::chrono::seconds(5));
}

TEST_CASE("auto measures, and its factors given back as a schedule repeat the run", "[data]") {
  LoaderOptions options = options_of({"auto", EchoPlacement::before_augment, "auto", 16, 0}, 1);
  options.rate_limit = 2000;  // a batch takes 2 ms to read, and next to nothing to use
  Loader automatic(std::make_shared<Numbers>(), transform(), options, {.batch_size = 4, .seed = 5});
  std::vector<Seen> seen;
  for (int i = 0; i < 300; ++i) seen.push_back(next(automatic));
  const auto changes = automatic.echo_changes();
  REQUIRE(changes.size() >= 2);
  REQUIRE(automatic.echo_factor() > 1);
  const zoo::Json summary = automatic.echo_summary();
  REQUIRE(summary.at("schedule").size() == changes.size());

  // Its checkpoint goes on with the factor in force, and remembers those before.
  zoo::State state = automatic.state();
  Loader resumed(std::make_shared<Numbers>(), transform(), options, {.batch_size = 4, .seed = 5});
  zoo::State damaged = state;
  damaged.arrays.clear();
  const zoo::State before = resumed.state();
  REQUIRE_THROWS_WITH(resumed.restore(damaged), Contains("echo control"));
  REQUIRE(resumed.state().values.at("position") == before.values.at("position"));
  resumed.restore(state);
  const bool same_changes = resumed.echo_changes() == changes;
  REQUIRE(same_changes);
  REQUIRE(resumed.echo_factor() == automatic.echo_factor());
  for (int i = 0; i < 5; ++i) REQUIRE(next(resumed) == next(automatic));

  options.rate_limit = 0;
  options.echo.factor = "1";
  for (const auto& [fresh, factor] : changes) options.echo.schedule.push_back({fresh, factor});
  Loader again(std::make_shared<Numbers>(), transform(), options, {.batch_size = 4, .seed = 5});
  for (int i = 0; i < 300; ++i) {
    CAPTURE(i);
    REQUIRE(next(again) == seen[size_t(i)]);
  }
}

TEST_CASE("A loader tells what its stages did since it was asked last", "[data]") {
  auto data = loader(std::make_shared<Numbers>(), kCases[1], 2);
  for (int i = 0; i < 10; ++i) next(data);
  std::map<std::string, double> values;
  for (const auto& [name, value] : data.measurements()) values[name] = value;
  REQUIRE(values.at("read_per_second") > 0);
  REQUIRE(values.at("transform_per_second") >= values.at("read_per_second"));
  REQUIRE(values.at("echo_factor") == 2);
  REQUIRE(values.at("fresh") == double(data.fresh()));
  REQUIRE(values.at("wait_share") > 0);
  REQUIRE_THAT(data.note(), Contains("reads") && Contains("echo 2"));
}
