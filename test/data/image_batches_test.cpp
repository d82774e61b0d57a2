// Batches of pictures: same pixels and order for any number of workers, exact resume, bad pictures.
#include "test/catch.h"
#include "test/files.h"
#include <libzoo/core/error.h>
#include <libzoo/core/log.h>
#include <libzoo/data/image_batches.h>
#include <libzoo/data/prefetch.h>
#include <libzoo/data/to_device.h>
#include <libzoo/io/image_file.h>

#include <ATen/ATen.h>

#include <algorithm>
#include <map>
#include <mutex>
#include <ostream>
#include <set>

using namespace zoo::data;

namespace {

// 2x2 pictures, all pixels equal to the number; counts what is decoded; some can't be read.
class Numbers final : public ImageDataset {
 public:
  Numbers(int64_t n, std::set<int64_t> bad = {}) : n_(n), bad_(std::move(bad)) {}
  int64_t size() const override { return n_; }
  int64_t num_classes() const override { return 3; }
  std::string class_name(int64_t label) const override { return std::to_string(label); }
  ImageSize typical_size() const override { return {2, 2}; }
  std::string describe() const override { return "numbers " + std::to_string(n_); }

  mutable std::mutex mutex;
  mutable std::vector<int64_t> decoded;

 protected:
  int64_t get_label(int64_t index) const override { return index % 3; }
  void get_picture(int64_t index, Picture& picture) const override {
    if (bad_.count(index)) throw zoo::UserError("torn");
    std::lock_guard lock(mutex);
    decoded.push_back(index);
    picture.set_pixels({2, 2, 1, std::vector<uint8_t>(4, uint8_t(index))});
  }
  std::string get_item_name(int64_t index) const override { return "number_" + std::to_string(index) + ".png"; }

 private:
  int64_t n_;
  std::set<int64_t> bad_;
};

// Channels are the picture's value, a random number and the place.
ImageTransform transform() {
  return {.height = 1, .width = 2, .apply = [](Picture& picture, const zoo::RandomKey& key, float* out) {
            zoo::RandomStream random(key);
            for (int x = 0; x < 2; ++x) {
              out[3 * x] = float(*picture.pixels().row(0));
              out[3 * x + 1] = random.uniform();
              out[3 * x + 2] = float(x);
            }
          }};
}

struct Flat {
  std::vector<int64_t> indices, labels;
  std::vector<float> pixels;
  bool operator==(const Flat&) const = default;
};

std::ostream& operator<<(std::ostream& out, const Flat& f) {
  for (int64_t index : f.indices) out << index << ' ';
  return out;
}

Flat flat(const ImageBatch& batch) {
  auto images = batch.images.contiguous();
  Flat f{batch.indices, {}, {}};
  f.labels.assign(batch.labels.data_ptr<int64_t>(), batch.labels.data_ptr<int64_t>() + batch.labels.numel());
  f.pixels.assign(images.data_ptr<float>(), images.data_ptr<float>() + images.numel());
  return f;
}

std::vector<Flat> drain(Stream<ImageBatch>& stream, size_t most = 1000) {
  std::vector<Flat> all;
  while (all.size() < most) {
    auto batch = stream.next();
    if (!batch) break;
    all.push_back(flat(*batch));
  }
  return all;
}

}  // namespace

TEST_CASE("A batch holds its pictures channels last, their labels and their places", "[data]") {
  auto stream = image_batches(std::make_shared<Numbers>(10), transform(), {.batch_size = 4, .shuffle = false, .epochs = 1, .workers = 2});
  auto batch = *stream.next();
  REQUIRE(batch.images.sizes() == at::IntArrayRef({4, 3, 1, 2}));
  REQUIRE(batch.images.is_contiguous(at::MemoryFormat::ChannelsLast));
  REQUIRE(batch.labels.scalar_type() == at::kLong);
  for (int64_t i = 0; i < 4; ++i) {
    REQUIRE(batch.indices[size_t(i)] == i);
    REQUIRE(batch.labels[i].item<int64_t>() == i % 3);
    REQUIRE(batch.images[i][0][0][1].item<float>() == float(i));
    REQUIRE(batch.images[i][2][0][0].item<float>() == 0);
    REQUIRE(batch.images[i][2][0][1].item<float>() == 1);
    // the documented key: (seed, epoch, picture, augmentation)
    zoo::RandomStream random({.seed = 0, .epoch = 0, .id = uint32_t(i), .purpose = zoo::Purpose::augmentation});
    REQUIRE(batch.images[i][1][0][0].item<float>() == random.uniform());
  }
  auto copy = batch.to(at::kCPU);
  REQUIRE(at::equal(copy.images, batch.images));
}

TEST_CASE("An epoch has every picture once; its short last batch is kept or dropped", "[data]") {
  for (bool drop : {false, true}) {
    auto stream = image_batches(std::make_shared<Numbers>(10), transform(), {.batch_size = 4, .drop_last = drop, .epochs = 2, .seed = 5});
    const auto batches = drain(stream);
    std::vector<size_t> sizes;
    for (const auto& b : batches) sizes.push_back(b.indices.size());
    REQUIRE(sizes == (drop ? std::vector<size_t>{4, 4, 4, 4} : std::vector<size_t>{4, 4, 2, 4, 4, 2}));
    if (drop) continue;
    for (size_t e : {0u, 3u}) {
      std::multiset<int64_t> seen;
      for (size_t b = e; b < e + 3; ++b) seen.insert(batches[b].indices.begin(), batches[b].indices.end());
      REQUIRE(seen == std::multiset<int64_t>{0, 1, 2, 3, 4, 5, 6, 7, 8, 9});
    }
    REQUIRE(batches[0].indices != batches[3].indices);
  }
  auto endless = image_batches(std::make_shared<Numbers>(10), transform(), {.batch_size = 4});
  REQUIRE(drain(endless, 100).size() == 100);
}

TEST_CASE("With replacement every batch is full and every draw has its own augmentation", "[data]") {
  auto stream = image_batches(std::make_shared<Numbers>(5), transform(), {.batch_size = 64, .replacement = true, .workers = 2});
  const auto batches = drain(stream, 3);
  std::map<int64_t, std::set<float>> augmentations;
  for (const auto& b : batches) {
    REQUIRE(b.indices.size() == 64);
    for (size_t i = 0; i < 64; ++i) augmentations[b.indices[i]].insert(b.pixels[6 * i + 2]);
  }
  size_t distinct = 0;
  for (const auto& [index, values] : augmentations) distinct += values.size();
  REQUIRE(distinct == 192);
  auto finite =
      image_batches(std::make_shared<Numbers>(5), transform(), {.batch_size = 4, .drop_last = false, .replacement = true, .epochs = 2});
  REQUIRE(drain(finite).back().indices.size() == 2);
}

TEST_CASE("Batches are the same for any number of workers, and after a restore anywhere no consumed picture is decoded again", "[data]") {
  zoo::log::set_level(zoo::log::Level::error);
  const std::vector<ImageBatchOptions> cases{
      {.batch_size = 5, .drop_last = false, .epochs = 1, .seed = 1},
      {.batch_size = 5, .epochs = 3, .seed = 2},
      {.batch_size = 7, .drop_last = false, .replacement = true, .epochs = 2, .seed = 3},
      {.batch_size = 4, .drop_last = false, .epochs = 2, .seed = 4, .bad_items = BadItemPolicy::skip()},
      {.batch_size = 3, .epochs = 2, .seed = 4, .shard = Shard{.rank = 1, .world_size = 2}},
  };
  for (size_t which = 0; which < cases.size(); ++which) {
    const bool skips = cases[which].bad_items.on_bad_item == OnBadItem::skip;
    const std::set<int64_t> bad = skips ? std::set<int64_t>{3, 4, 11, 22} : std::set<int64_t>{};
    const auto build = [&](int workers, int64_t prefetch, std::shared_ptr<Numbers>* dataset = nullptr) {
      auto options = cases[which];
      options.workers = workers;
      options.prefetch = prefetch;
      auto numbers = std::make_shared<Numbers>(23, bad);
      if (dataset) *dataset = numbers;
      return image_batches(numbers, transform(), options);
    };
    auto reference = build(0, 0);
    const auto expected = drain(reference);
    REQUIRE(expected.size() >= 3);
    for (auto [workers, prefetch] : {std::pair{0, 3}, {1, 0}, {1, 2}, {4, 3}}) {
      CAPTURE(which, workers, prefetch);
      auto stream = build(workers, prefetch);
      REQUIRE(drain(stream) == expected);
      REQUIRE_FALSE(stream.next());
    }
    for (size_t stop = 0; stop <= expected.size(); ++stop)
      for (auto [before, after] : {std::pair{0, 4}, {4, 0}, {2, 1}}) {
        CAPTURE(which, stop, before, after);
        auto first = build(before, 2);
        auto all = drain(first, stop);
        std::shared_ptr<Numbers> numbers;
        auto second = build(after, 1, &numbers);
        second.restore(first.state());
        const auto rest = drain(second);
        if (cases[which].epochs == 1)
          for (const auto& batch : all)
            for (int64_t index : batch.indices) REQUIRE(std::count(numbers->decoded.begin(), numbers->decoded.end(), index) == 0);
        all.insert(all.end(), rest.begin(), rest.end());
        REQUIRE(all == expected);
      }
  }
}

TEST_CASE("Pictures that can't be read are left out of full batches, once each in the log, up to the cap", "[data]") {
  zoo::log::set_level(zoo::log::Level::off);
  std::vector<std::string> messages;
  zoo::log::Sink sink([&](zoo::log::Level, std::string_view message) { messages.emplace_back(message); });
  const auto numbers = std::make_shared<Numbers>(20, std::set<int64_t>{2, 3, 17});
  for (int workers : {0, 3}) {
    messages.clear();
    auto stream = image_batches(
        numbers, transform(),
        {.batch_size = 5, .shuffle = false, .drop_last = false, .epochs = 2, .workers = workers, .bad_items = BadItemPolicy::skip(3)});
    std::vector<std::vector<int64_t>> indices;
    for (const auto& b : drain(stream)) indices.push_back(b.indices);
    const std::vector<std::vector<int64_t>> epoch{{0, 1, 4, 5, 6}, {7, 8, 9, 10, 11}, {12, 13, 14, 15, 16}, {18, 19}};
    auto expected = epoch;
    expected.insert(expected.end(), epoch.begin(), epoch.end());
    REQUIRE(indices == expected);
    REQUIRE(messages.size() == 3);
    REQUIRE_THAT(messages[0], Contains("number_2.png: torn"));
  }
  auto capped =
      image_batches(numbers, transform(), {.batch_size = 5, .shuffle = false, .drop_last = false, .bad_items = BadItemPolicy::skip(2)});
  REQUIRE_THROWS_WITH(drain(capped), Contains("3 items could not be used, 2 are allowed") && Contains("number_17.png"));
  auto strict = image_batches(numbers, transform(), {.batch_size = 5, .shuffle = false, .epochs = 1, .workers = 2});
  REQUIRE_THROWS_WITH(strict.next(), Contains("number_2.png: torn"));
  REQUIRE(strict.next()->indices == std::vector<int64_t>{5, 6, 7, 8, 9});

  // Too few good pictures for a batch, or none at all: an error, not an endless search.
  auto short_of = image_batches(std::make_shared<Numbers>(4, std::set<int64_t>{1, 2}), transform(),
                                {.batch_size = 3, .bad_items = BadItemPolicy::skip()});
  REQUIRE_THROWS_WITH(short_of.next(), Contains("2 unreadable pictures leave no batch of 3"));
  auto none = image_batches(std::make_shared<Numbers>(2, std::set<int64_t>{0, 1}), transform(),
                            {.batch_size = 3, .replacement = true, .bad_items = BadItemPolicy::skip()});
  REQUIRE_THROWS_WITH(none.next(), Contains("2 unreadable pictures leave no batch"));
}

TEST_CASE("A transform's error names the picture", "[data]") {
  ImageTransform broken{.height = 1, .width = 1, .apply = [](Picture&, const zoo::RandomKey&, float*) { throw zoo::Error("too small"); }};
  auto stream = image_batches(std::make_shared<Numbers>(3), broken, {.batch_size = 2, .shuffle = false});
  REQUIRE_THROWS_WITH(stream.next(), Contains("number_0.png: too small"));
}

TEST_CASE("Batch options that don't fit are refused before anything is read", "[data]") {
  const auto numbers = std::make_shared<Numbers>(10);
  REQUIRE_THROWS_WITH(image_batches(numbers, transform(), {.batch_size = 11}), Contains("batch_size 11") && Contains("10 pictures"));
  REQUIRE_THROWS_WITH(image_batches(numbers, transform(), {.batch_size = 0}), Contains("batch_size"));
  REQUIRE_THROWS_WITH(image_batches(numbers, transform(), {.workers = -1}), Contains("workers"));
  REQUIRE_THROWS_WITH(image_batches(std::make_shared<Numbers>(0), transform(), {}), Contains("no pictures"));
  REQUIRE_THROWS_WITH(image_batches(numbers, {.height = 0, .width = 1, .apply = transform().apply}, {.batch_size = 2}), Contains("height"));
  REQUIRE(numbers->decoded.empty());
}

TEST_CASE("Batches can be prefetched and abandoned", "[data]") {
  for (int round = 0; round < 10; ++round) {
    auto stream = image_batches(std::make_shared<Numbers>(100), transform(), {.batch_size = 10, .workers = 3, .prefetch = 4}) | prefetch(2);
    drain(stream, size_t(round % 3));
  }
  auto plain = image_batches(std::make_shared<Numbers>(100), transform(), {.batch_size = 10});
  auto ahead = image_batches(std::make_shared<Numbers>(100), transform(), {.batch_size = 10, .workers = 2}) | prefetch(2);
  REQUIRE(drain(plain, 30) == drain(ahead, 30));
  auto moved = image_batches(std::make_shared<Numbers>(100), transform(), {.batch_size = 10}) | to_device(at::kCPU);
  moved.restore(plain.state());  // where batches go is no part of what they are
  REQUIRE(drain(plain, 5) == drain(moved, 5));
}

TEST_CASE("The memory of a batch is used again once nobody holds it or a part of it, and not before", "[data]") {
  auto stream = image_batches(std::make_shared<Numbers>(64), transform(), {.batch_size = 4, .seed = 1, .workers = 2, .prefetch = 1});
  const auto held = stream.next();
  const Flat before = flat(*held);
  at::Tensor part, part_before;
  std::set<const void*> seen;
  for (int i = 0; i < 40; ++i) {
    const auto batch = stream.next();
    REQUIRE(batch->images.data_ptr() != held->images.data_ptr());
    REQUIRE(batch->images.is_contiguous(at::MemoryFormat::ChannelsLast));
    seen.insert(batch->images.data_ptr());
    if (i == 0) {
      part = batch->images[1];
      part_before = part.clone();
    }
  }
  CHECK(seen.size() <= 6);  // three batches are under way at most, and two are held here
  CHECK(flat(*held) == before);
  CHECK(at::equal(part, part_before));
}

TEST_CASE("Crops of files are the same for any number of workers, and a file torn meanwhile has the policy's outcome", "[data]") {
  const zoo::test::TemporaryFolder folder;
  zoo::RandomStream random({.seed = 2});
  for (int i = 0; i < 24; ++i) {
    zoo::io::Image image{40 + i, 60, 3, {}};
    for (int64_t k = 0; k < image.height * image.width * 3; ++k) image.pixels.push_back(uint8_t(random.below(256)));
    const auto file = i % 3 ? zoo::io::encode_jpeg(image) : zoo::io::encode_png(image);
    zoo::test::write_text(folder / (i % 2 ? "odd/" : "even/") / (std::to_string(i) + ".img"), {file.begin(), file.end()});
  }
  const auto set = open_dataset(ImageFolderOptions{.path = folder.path()});
  const auto views = image_transform(TrainTransform{.mode = TrainMode::random_resized, .crop = 20});
  std::vector<Flat> want;
  for (int workers : {0, 1, 2, 4}) {
    auto stream = image_batches(set, views, {.batch_size = 7, .drop_last = false, .epochs = 3, .seed = 4, .workers = workers});
    const auto got = drain(stream);
    if (workers == 0) want = got;
    REQUIRE(got.size() == 12);
    REQUIRE(got == want);
  }
  auto stream = image_batches(
      set, views, {.batch_size = 4, .shuffle = false, .drop_last = false, .epochs = 2, .workers = 2, .bad_items = BadItemPolicy::skip(5)});
  REQUIRE(stream.next()->indices == std::vector<int64_t>{0, 1, 2, 3});
  std::filesystem::resize_file(set->item_name(20), 200);
  std::filesystem::remove(set->item_name(22));
  std::filesystem::remove(set->item_name(18));
  std::filesystem::create_directory(set->item_name(18));  // nobody can read that as a file
  zoo::test::write_text(set->item_name(16), "garbage");
  std::vector<int64_t> seen;
  while (auto batch = stream.next()) seen.insert(seen.end(), batch->indices.begin(), batch->indices.end());
  for (int64_t bad : {16, 18, 20, 22}) CHECK(std::count(seen.begin(), seen.end(), bad) == 0);
  CHECK(std::count(seen.begin(), seen.end(), 21) >= 1);
}

TEST_CASE("Memory stays flat over ten epochs", "[data]") {
  const zoo::test::TemporaryFolder folder;
  zoo::io::Image image{150, 200, 3, {}};
  for (int64_t k = 0; k < image.height * image.width * 3; ++k) image.pixels.push_back(uint8_t(k % 251));
  const auto jpeg = zoo::io::encode_jpeg(image);
  for (int i = 0; i < 96; ++i)
    zoo::test::write_text(folder / (i % 2 ? "odd/" : "even/") / (std::to_string(i) + ".jpg"), {jpeg.begin(), jpeg.end()});
  const auto resident_pages = [] {
    int64_t size = 0, resident = 0;
    std::ifstream("/proc/self/statm") >> size >> resident;
    return double(resident);
  };
  for (const double factor : {1.0, 2.5}) {
    auto stream = image_batches(open_dataset(ImageFolderOptions{.path = folder.path()}),
                                image_transform(TrainTransform{.mode = TrainMode::random_resized, .crop = 96}),
                                {.batch_size = 8, .workers = 2, .echo = {.factor = factor, .shuffle_buffer = 64}});
    double after_two = 0;
    for (int epoch = 0; epoch < 10; ++epoch) {
      for (int batch = 0; batch < int(12 * factor); ++batch) stream.next();
      if (epoch == 1) after_two = resident_pages();
    }
    CHECK(std::abs(resident_pages() / after_two - 1) < 0.05);
  }
}

TEST_CASE("Parts of a batch, one for each rank, are together the batch of one, and go on from each other's position", "[data]") {
  const auto set = std::make_shared<Numbers>(23);
  const ImageBatchOptions whole{.batch_size = 6, .seed = 3};
  auto part = whole;
  const auto stream = [&](int64_t rank, int64_t ranks) {
    part.part = {rank, ranks};
    return image_batches(set, transform(), part);
  };
  auto all = image_batches(set, transform(), whole), first = stream(0, 2), second = stream(1, 2);
  for (int i = 0; i < 5; ++i) {
    auto joined = flat(*first.next());
    const auto rest = flat(*second.next());
    joined.indices.insert(joined.indices.end(), rest.indices.begin(), rest.indices.end());
    REQUIRE(joined.indices.size() == 6);
    REQUIRE(joined.indices == flat(*all.next()).indices);
  }
  auto third = stream(2, 3);  // another number of ranks takes over
  third.restore(first.state());
  const auto indices = flat(*all.next()).indices;
  REQUIRE(flat(*third.next()).indices == std::vector<int64_t>(indices.begin() + 4, indices.end()));
  REQUIRE_THROWS_WITH(stream(0, 4), Contains("batch_size 6 can't be shared by 4 ranks"));
  part.bad_items.on_bad_item = OnBadItem::skip;
  REQUIRE_THROWS_WITH(stream(0, 2), Contains("on_bad_item"));
}
