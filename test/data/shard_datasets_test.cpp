// Data sets in tar shards, TFRecords and numpy arrays: the same pictures as in files of their own.
#include "test/catch.h"
#include "test/files.h"
#include <libzoo/core/array.h>
#include <libzoo/core/error.h>
#include <libzoo/data/image_dataset.h>
#include <libzoo/io/npy.h>
#include <libzoo/io/png.h>
#include <libzoo/io/tf_example.h>
#include <libzoo/io/tfrecord.h>
#include <libzoo/io/webdataset.h>

using namespace zoo::data;
using namespace zoo::test;
namespace io = zoo::io;

namespace {

constexpr int64_t kPictures = 7;

io::Image picture(int64_t i) {
  io::Image image{3, 4, 3, std::vector<uint8_t>(36)};
  for (size_t k = 0; k < image.pixels.size(); ++k) image.pixels[k] = uint8_t(10 * i + int64_t(k));
  return image;
}

using Fields = std::vector<io::WebDatasetWriter::Field>;

// One shard of pictures from..to-1, with labels i % 3.
void write_tar(const std::filesystem::path& path, int64_t from, int64_t to) {
  io::WebDatasetWriter writer(path);
  for (int64_t i = from; i < to; ++i) {
    const auto png = io::encode_png(picture(i));
    const std::string label = std::to_string(i % 3) + "\n";
    writer.add("set/" + std::to_string(i), Fields{{"png", png}, {"cls", io::view_bytes(label)}});
  }
  writer.commit();
}

void write_sample(const std::filesystem::path& path, const Fields& fields) {
  io::WebDatasetWriter writer(path);
  writer.add("a", fields);
  writer.commit();
}

void write_records(const std::filesystem::path& path, int64_t from, int64_t to, int64_t first_label = 0,
                   io::Compression compression = io::Compression::none) {
  io::TfRecordWriter writer(path, compression);
  for (int64_t i = from; i < to; ++i) {
    const auto png = io::encode_png(picture(i));
    writer.write(io::encode_example(
        {{"image/encoded", std::vector<std::span<const uint8_t>>{png}}, {"image/class/label", std::vector<int64_t>{i % 3 + first_label}}}));
  }
  writer.commit();
}

void require_pictures(const ImageDataset& set) {
  REQUIRE(set.size() == kPictures);
  REQUIRE(set.num_classes() == 3);
  REQUIRE(set.typical_size().height == 3);
  REQUIRE(set.typical_size().width == 4);
  for (int64_t i = kPictures - 1; i >= 0; --i) {
    REQUIRE(set.label(i) == i % 3);
    REQUIRE(set.image(i).pixels == picture(i).pixels);
  }
}

}  // namespace

TEST_CASE("Pictures in tar shards are reached by number, with their labels and class names", "[data]") {
  TemporaryFolder folder;
  write_tar(folder / "set-00.tar", 0, 4);
  write_tar(folder / "set-01.tar", 4, kPictures);
  write_text(folder / "names.txt", "ant\nbee\r\ncat\n");
  const auto set = open_dataset(TarOptions{.shards = {(folder / "set-{00..01}.tar").string()}, .class_names = folder / "names.txt"});
  require_pictures(*set);
  REQUIRE(set->class_names() == std::vector<std::string>{"ant", "bee", "cat"});
  REQUIRE_THAT(set->item_name(5), Contains("set-01.tar: set/5"));
  REQUIRE_THAT(set->describe(), Contains("set-00.tar and 1 more: 7 pictures, 3 classes"));
}

TEST_CASE("A sample of a shard without picture or label is named, with what it has", "[data]") {
  TemporaryFolder folder;
  const auto path = folder / "a.tar";
  const auto opened = [&](TarOptions options) {
    options.shards = {path.string()};
    return open_dataset(options);
  };
  const auto png = io::encode_png(picture(1));
  write_sample(path, {{"png", png}, {"txt", io::view_bytes("3")}});
  REQUIRE_THROWS_WITH(opened({}), Contains("a.tar: a: has no cls, only png, txt"));
  REQUIRE(opened({.label = "txt", .num_classes = 4})->label(0) == 3);
  REQUIRE_THROWS_WITH(opened({.label = "txt", .num_classes = 3}), Contains("its label is 3, the classes are 0 to 2"));
  REQUIRE_THROWS_WITH(opened({.label = "txt", .first_label = 4}), Contains("its label is -1"));
  write_text(folder / "names.txt", "ant\nbee\n");
  REQUIRE_THROWS_WITH(opened({.label = "txt", .class_names = folder / "names.txt", .num_classes = 9}), Contains("names 2 classes"));
  write_sample(path, {{"webp", png}, {"cls", io::view_bytes("3")}});
  REQUIRE_THROWS_WITH(opened({}), Contains("has no jpg, jpeg, png, only webp, cls"));
  write_sample(path, {{"png", png}, {"cls", io::view_bytes("cat")}});
  REQUIRE_THROWS_WITH(opened({}), Contains("cls is no number: 'cat'"));
  write_sample(path, {{"png", io::view_bytes("no picture")}, {"cls", io::view_bytes("1")}});
  REQUIRE_THROWS_WITH(opened({}), Contains("none of the pictures tried can be read") && Contains("a.tar: a"));
  REQUIRE_THROWS_WITH(open_dataset(TarOptions{.shards = {(folder / "b-{0..2}.tar").string()}}), Contains("b-0.tar is not there"));
}

TEST_CASE("Pictures in TFRecords are reached by number; labels may begin at one", "[data]") {
  TemporaryFolder folder;
  write_records(folder / "set-0.tfrecord", 0, 3, 1);
  write_records(folder / "set-1.tfrecord", 3, kPictures, 1);
  TfRecordSetOptions options{.files = {(folder / "set-{0..1}.tfrecord").string()}, .first_label = 1};
  const auto set = open_dataset(options);
  require_pictures(*set);
  REQUIRE_THAT(set->item_name(4), Contains("set-1.tfrecord: record 1"));

  std::string bytes = read_text(folder / "set-1.tfrecord");
  bytes[bytes.size() - 40] = char(bytes[bytes.size() - 40] ^ 1);  // in the last picture
  write_text(folder / "set-1.tfrecord", bytes);
  const auto damaged = open_dataset(options);
  REQUIRE(damaged->image(5).pixels == picture(5).pixels);
  REQUIRE_THROWS_WITH(damaged->image(6), Contains("set-1.tfrecord") && Contains("record 3") && Contains("checksum"));

  write_records(folder / "set-1.tfrecord", 3, kPictures, 1, io::Compression::gzip);
  REQUIRE_THROWS_AS(open_dataset(options), zoo::UserError);
  options.label = "label";
  options.files = {(folder / "set-0.tfrecord").string()};
  REQUIRE_THROWS_WITH(open_dataset(options), Contains("record 0") && Contains("label"));
}

TEST_CASE("Pictures in numpy arrays, grey or colour, with integers of any width", "[data]") {
  TemporaryFolder folder;
  std::vector<uint8_t> pixels;
  for (int64_t i = 0; i < kPictures; ++i) {
    const auto image = picture(i);
    pixels.insert(pixels.end(), image.pixels.begin(), image.pixels.end());
  }
  const std::vector<int16_t> labels = {0, 1, 2, 0, 1, 2, 0};
  io::write_npy(folder / "x.npy", zoo::Array::of<uint8_t>({kPictures, 3, 4, 3}, pixels));
  io::write_npy(folder / "y.npy", zoo::Array::of<int16_t>({kPictures}, labels));
  require_pictures(*open_dataset(NpyOptions{.images = folder / "x.npy", .labels = folder / "y.npy"}));

  io::write_npy(folder / "grey.npy", zoo::Array::of<uint8_t>({kPictures, 6, 6}, pixels));
  const auto grey = open_dataset(NpyOptions{.images = folder / "grey.npy", .labels = folder / "y.npy"})->image(1);
  REQUIRE(grey.channels == 3);
  REQUIRE(grey.pixels[3] == pixels[37]);
  REQUIRE(grey.pixels[5] == pixels[37]);
  REQUIRE_THROWS_WITH(open_dataset(NpyOptions{.images = folder / "y.npy", .labels = folder / "y.npy"}),
                      Contains("y.npy: holds I16 [7]") && Contains("pictures are U8"));
  const auto cut = open_dataset(NpyOptions{.images = folder / "grey.npy", .labels = folder / "y.npy"});
  std::filesystem::resize_file(folder / "grey.npy", 0);
  REQUIRE_THROWS_WITH(cut->image(2), Contains("grey.npy picture 2") && Contains("has become shorter"));
  io::write_npy(folder / "short.npy", zoo::Array::of<int16_t>({3}, std::span(labels).first(3)));
  REQUIRE_THROWS_WITH(open_dataset(NpyOptions{.images = folder / "x.npy", .labels = folder / "short.npy"}),
                      Contains("7 pictures") && Contains("[3]"));
}
