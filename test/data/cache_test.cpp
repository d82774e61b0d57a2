// Caches: the same pictures, read once while there is room.
#include "test/catch.h"
#include "test/files.h"
#include <libzoo/core/error.h>
#include <libzoo/data/cache.h>
#include <libzoo/data/cached_dataset.h>
#include <libzoo/data/map.h>
#include <libzoo/io/image_file.h>

#include <atomic>

using namespace zoo::data;
using zoo::test::TemporaryFolder;

namespace {

constexpr int64_t kPictures = 12;

zoo::io::Image drawn(int64_t index) {
  zoo::io::Image image{8 + index, 10, 3, {}};
  for (int64_t i = 0; i < image.height * image.width * 3; ++i) image.pixels.push_back(uint8_t(17 * index + 3 * i));
  return image;
}

// PNG files, or pixels; counts what is read.
class Pictures final : public ImageDataset {
 public:
  explicit Pictures(bool encoded, std::string name = "pictures") : encoded_(encoded), name_(std::move(name)) {}
  int64_t size() const override { return kPictures; }
  int64_t num_classes() const override { return 2; }
  std::string class_name(int64_t label) const override { return std::to_string(label); }
  ImageSize typical_size() const override { return {8, 10}; }
  std::string describe() const override { return name_; }

  mutable std::atomic<int64_t> reads{0};

 protected:
  int64_t get_label(int64_t index) const override { return index % 2; }
  void get_picture(int64_t index, Picture& picture) const override {
    ++reads;
    if (encoded_)
      picture.set_encoded(zoo::io::Bytes::own(zoo::io::encode_png(drawn(index))), get_item_name(index));
    else
      picture.set_pixels(drawn(index));
  }
  std::string get_item_name(int64_t index) const override { return name_ + " " + std::to_string(index); }

 private:
  bool encoded_;
  std::string name_;
};

void require_all(const DatasetPointer& set) {
  Picture picture;
  for (int64_t i = 0; i < kPictures; ++i) {
    REQUIRE(set->image(i).pixels == drawn(i).pixels);
    set->read(i, picture);
    const auto part = picture.region({.top = 2, .left = 3, .height = 4, .width = 5});
    REQUIRE(
        std::equal(part.row(1), part.row(1) + 15, crop(View<uint8_t>(drawn(i)), {.top = 3, .left = 3, .height = 1, .width = 5}).row(0)));
  }
}

}  // namespace

TEST_CASE("A set cached in memory reads each picture once, as a file or as pixels", "[data][streams]") {
  for (const bool encoded : {true, false})
    for (const bool decoded : {true, false}) {
      CAPTURE(encoded, decoded);
      const auto source = std::make_shared<Pictures>(encoded);
      const auto set = cached(source, {.max_bytes = 1 << 20, .decoded = decoded});
      for (int epoch = 0; epoch < 3; ++epoch) require_all(set);
      REQUIRE(source->reads == kPictures);
      Picture picture;
      set->read(3, picture);
      REQUIRE(picture.encoded().empty() == (decoded || !encoded));
    }
  const auto source = std::make_shared<Pictures>(true);
  REQUIRE(cached(source, {}) == source);
}

TEST_CASE("What a cache has no room for is read again, and what it holds stays", "[data][streams]") {
  const auto source = std::make_shared<Pictures>(false);
  const int64_t bytes_of_four = 3 * 10 * (8 + 9 + 10 + 11);
  const auto set = cached(source, {.max_bytes = bytes_of_four});
  require_all(set);
  source->reads = 0;
  require_all(set);
  REQUIRE(source->reads == 2 * (kPictures - 4));  // require_all reads twice
}

TEST_CASE("A set cached on disk is read by later runs too, and a damaged copy is made anew", "[data][streams]") {
  for (const bool encoded : {true, false})
    for (const bool decoded : {true, false}) {
      CAPTURE(encoded, decoded);
      const TemporaryFolder scratch;
      const DatasetCacheOptions options{.decoded = decoded, .directory = scratch / "cache"};
      require_all(cached(std::make_shared<Pictures>(encoded), options));
      const auto source = std::make_shared<Pictures>(encoded);
      require_all(cached(source, options));
      REQUIRE(source->reads == 0);

      const auto file = scratch / "cache" / "00000" / "005";
      std::string bytes = zoo::test::read_text(file);
      bytes.back() ^= 1;
      zoo::test::write_text(file, bytes);
      zoo::test::write_text(scratch / "cache" / "00000" / "006", "x");
      std::filesystem::remove(scratch / "cache" / "00000" / "007");
      require_all(cached(source, options));
      REQUIRE(source->reads == 3);
    }
}

TEST_CASE("A folder that belongs to others is refused for a cache", "[data][streams]") {
  const TemporaryFolder scratch;
  const auto set = std::make_shared<Pictures>(true);
  cached(set, {.directory = scratch / "cache"});
  REQUIRE_THROWS_WITH(cached(std::make_shared<Pictures>(true, "others"), {.directory = scratch / "cache"}),
                      Contains("holds copies of pictures, not of others"));
  zoo::test::write_text(scratch / "mine/thesis.txt", "x");
  REQUIRE_THROWS_WITH(cached(set, {.directory = scratch / "mine"}), Contains("mine: holds other files"));
  zoo::test::write_text(scratch / "cache/set.json", "{");
  REQUIRE_THROWS_WITH(cached(set, {.directory = scratch / "cache"}), Contains("holds copies of another set"));
  REQUIRE_THROWS_WITH(cached(set, {.directory = scratch / "mine/thesis.txt/cache"}), Contains("can't be made"));
}

TEST_CASE("Cached work is done once for each ticket's index while there is room", "[data][streams]") {
  std::atomic<int64_t> calls{0};
  const auto work = [&](const Ticket& ticket) {
    ++calls;
    return 10 * ticket.index;
  };
  auto run = [&](int64_t max_bytes) {
    calls = 0;
    auto stream = indices(20, {.seed = 1, .epochs = 3}) | map(cached(work, {.max_bytes = max_bytes}), {.workers = 2});
    std::vector<int64_t> items;
    while (const auto item = stream.next()) items.push_back(*item);
    return items;
  };
  const auto plain = run(0);
  REQUIRE(plain.size() == 60);
  REQUIRE(calls == 60);
  REQUIRE(run(20 * sizeof(int64_t)) == plain);
  REQUIRE(calls == 20);
  REQUIRE(run(5 * sizeof(int64_t)) == plain);
  REQUIRE(calls == 5 + 3 * 15);
  REQUIRE_THROWS_WITH(run(-1), Contains("max_bytes must be at least 0"));
}
