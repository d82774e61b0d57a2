#include "test/catch.h"
#include "test/files.h"
#include <libzoo/core/error.h>
#include <libzoo/core/random.h>
#include <libzoo/data/image_dataset.h>
#include <libzoo/data/normal_noise.h>
#include <libzoo/io/jpeg.h>

#include <array>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <future>
#include <map>
#include <set>

using namespace zoo::data;
using namespace zoo::test;
namespace fs = std::filesystem;

namespace {

void write_file(const fs::path& path, const std::vector<uint8_t>& bytes) {
  fs::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary).write(reinterpret_cast<const char*>(bytes.data()), std::streamsize(bytes.size()));
}

void write_picture(const fs::path& path, std::array<uint8_t, 3> color, int64_t height = 10, int64_t width = 12) {
  zoo::io::Image image{height, width, 3, {}};
  for (int64_t i = 0; i < height * width; ++i) image.pixels.insert(image.pixels.end(), color.begin(), color.end());
  write_file(path, zoo::io::encode_jpeg(image));
}

std::vector<uint8_t> idx_file(std::vector<uint32_t> shape, const std::vector<uint8_t>& values) {
  std::vector<uint8_t> bytes{0, 0, 8, uint8_t(shape.size())};
  for (uint32_t d : shape)
    for (int shift : {24, 16, 8, 0}) bytes.push_back(uint8_t(d >> shift));
  bytes.insert(bytes.end(), values.begin(), values.end());
  return bytes;
}

double mean(const zoo::io::Image& image) {
  double sum = 0;
  for (uint8_t v : image.pixels) sum += v;
  return sum / double(image.pixels.size());
}

// Sum of squared differences.
double distance(const zoo::io::Image& a, const zoo::io::Image& b) {
  double sum = 0;
  for (size_t i = 0; i < a.pixels.size(); ++i) sum += std::pow(double(a.pixels[i]) - double(b.pixels[i]), 2);
  return sum;
}

struct Recipe {
  ImageDatasetOptions train;
};

template <class Field>
void fields(Field& field, Recipe& r) {
  field("train", r.train, "labelled pictures");
}

ImageDatasetOptions parse(const std::string& yaml) {
  Recipe recipe;
  zoo::load_options(recipe, {zoo::ConfigLayer::from_text("a.yaml", "train: " + yaml)});
  return recipe.train;
}

}  // namespace

TEST_CASE("Pixel noise is standard normal", "[data]") {
  zoo::RandomStream random({.seed = 4});
  std::vector<float> values(1'000'001);
  normal_noise(random, 2.0f, values);
  double sum = 0, squares = 0, fourth = 0;
  int64_t beyond = 0;
  for (float v : values) {
    const double z = double(v) / 2;
    sum += z;
    squares += z * z;
    fourth += z * z * z * z;
    beyond += z > 1.959964;
  }
  const double n = double(values.size());
  REQUIRE(std::abs(sum / n) < 0.005);        // five standard deviations, as of all below
  REQUIRE(std::abs(squares / n - 1) < 0.008);
  REQUIRE(std::abs(fourth / n - 3) < 0.08);  // 0.05, and what is missing beyond 3.7
  REQUIRE(std::abs(double(beyond) / n - 0.025) < 0.0008);
}

TEST_CASE("The presets of shapes have the classes of the experiment", "[data]") {
  // spec BiT f: 4 shapes x 6 angles at 4 cycles; 5 shapes x 2 angles at 5.5 cycles.
  auto up = open_dataset(ShapesOptions{.preset = ShapesPreset::upstream, .per_class = 25});
  REQUIRE(up->num_classes() == 24);
  REQUIRE(up->size() == 600);
  REQUIRE(up->class_name(1) == "disc_30deg_4cycles");
  REQUIRE(up->superclass(23) == "cross");
  REQUIRE(up->label(0) == 0);
  REQUIRE(up->label(599) == 23);
  auto down = open_dataset(ShapesOptions{.preset = ShapesPreset::downstream, .per_class = 10});
  REQUIRE(down->num_classes() == 10);
  REQUIRE(down->class_name(9) == "ring_105deg_5.5cycles");
  std::set<std::string> supers;
  for (int64_t c = 0; c < 10; ++c) supers.insert(down->superclass(c));
  REQUIRE(supers.size() == 5);
  REQUIRE(up->typical_size().height == 32);
}

TEST_CASE("A grid of shapes has as many distinct classes as asked for, until they would look alike", "[data]") {
  for (int64_t n : {2, 7, 100, 360, 700}) {
    auto set = open_dataset(ShapesOptions{.preset = ShapesPreset::grid, .num_classes = n, .per_class = 2});
    const auto names = set->class_names();
    REQUIRE(set->num_classes() == n);
    REQUIRE(std::set<std::string>(names.begin(), names.end()).size() == size_t(n));
  }
  REQUIRE_THROWS_WITH(open_dataset(ShapesOptions{.preset = ShapesPreset::grid, .num_classes = 100'000}), Contains("num_classes"));
  REQUIRE_THROWS_WITH(open_dataset(ShapesOptions{.preset = ShapesPreset::grid}), Contains("num_classes"));
  REQUIRE_THROWS_WITH(open_dataset(ShapesOptions{.num_classes = 5}), Contains("24 classes"));
}

TEST_CASE("Drawn pictures depend on seed, split, class and number only", "[data]") {
  const std::vector<std::pair<ImageDatasetOptions, ImageDatasetOptions>> few_and_many{
      {ShapesOptions{.per_class = 3}, ShapesOptions{.per_class = 50}},
      {GlyphsOptions{.num_classes = 9, .per_class = 3}, GlyphsOptions{.num_classes = 400, .per_class = 50}}};
  for (const auto& [few_options, many_options] : few_and_many) {
    auto few = open_dataset(few_options), many = open_dataset(many_options);
    std::set<std::vector<uint8_t>> distinct;
    for (int64_t i = 0; i < 27; ++i) {
      const auto image = few->image(i);
      REQUIRE(image.channels == 3);
      REQUIRE(image.height == 32);
      REQUIRE(image.pixels == many->image(i / 3 * 50 + i % 3).pixels);
      REQUIRE(image.pixels == few->image(i).pixels);
      distinct.insert(image.pixels);
    }
    REQUIRE(distinct.size() == 27);
  }
  auto train = open_dataset(GlyphsOptions{}), test = open_dataset(GlyphsOptions{.split = Split::test});
  auto other = open_dataset(GlyphsOptions{.seed = 1});
  REQUIRE(train->image(5).pixels != test->image(5).pixels);
  REQUIRE(train->image(5).pixels != other->image(5).pixels);
}

TEST_CASE("Pictures are the same from many threads at once", "[data]") {
  for (const auto& set : {open_dataset(ShapesOptions{}), open_dataset(GlyphsOptions{})}) {
    std::vector<std::future<std::vector<uint8_t>>> found;
    for (int thread = 0; thread < 4; ++thread)
      found.push_back(std::async(std::launch::async, [&] {
        std::vector<uint8_t> all;
        for (int64_t i = 0; i < 40; ++i) {
          const auto image = set->image(i * 17);
          all.insert(all.end(), image.pixels.begin(), image.pixels.end());
        }
        return all;
      }));
    const auto first = found[0].get();
    for (size_t thread = 1; thread < found.size(); ++thread) REQUIRE(found[thread].get() == first);
  }
}

TEST_CASE("A shape without noise shows its ground, its colours and its figure", "[data]") {
  auto set = open_dataset(ShapesOptions{.per_class = 20, .image_size = 64, .noise = 0});
  for (int64_t i = 0; i < set->size(); i += 7) {
    const auto image = set->image(i);
    // The figure lies within 0.4 - 0.36 … 0.6 + 0.36 of the side: the border is ground, one colour.
    std::set<std::array<uint8_t, 3>> border, middle;
    for (int64_t k = 0; k < 64; ++k)
      for (const uint8_t* p : {image.row(0) + 3 * k, image.row(63) + 3 * k, image.row(k), image.row(k) + 3 * 63})
        border.insert({p[0], p[1], p[2]});
    REQUIRE(border.size() == 1);
    for (int64_t y = 24; y < 40; ++y)
      for (const uint8_t* p = image.row(y) + 3 * 24; p < image.row(y) + 3 * 40; p += 3) middle.insert({p[0], p[1], p[2]});
    REQUIRE(middle.size() > 5);  // of a wave's shades
  }
}

TEST_CASE("A shape's grating has the angle and the cycles of its class", "[data]") {
  // Projections of the disc's middle on waves of all angles: the strongest must be the class's, within its jitter.
  auto set = open_dataset(ShapesOptions{.per_class = 4, .image_size = 96, .noise = 0});
  int64_t right = 0, seen = 0;
  for (int64_t i = 0; i < 24; ++i) {  // six classes of discs
    const auto image = set->image(i);
    double best = -1, best_degrees = 0;
    for (int degrees = 0; degrees < 180; degrees += 5) {
      const double a = degrees * M_PI / 180;
      double re = 0, im = 0, average = 0;
      for (int64_t y = 36; y < 60; ++y)
        for (int64_t x = 36; x < 60; ++x) average += image.row(y)[3 * x + 1] / 576.0;
      for (int64_t y = 36; y < 60; ++y)
        for (int64_t x = 36; x < 60; ++x) {
          const double phase = 2 * M_PI * 4 * ((double(x) + 0.5) / 96 * std::cos(a) + (double(y) + 0.5) / 96 * std::sin(a));
          const double v = image.row(y)[3 * x + 1] - average;
          re += v * std::cos(phase);
          im += v * std::sin(phase);
        }
      if (re * re + im * im > best) best = re * re + im * im, best_degrees = degrees;
    }
    const double wanted = 30.0 * double(set->label(i));
    const double apart = std::abs(std::remainder(best_degrees - wanted, 180.0));
    ++seen;
    right += apart <= 12;
  }
  REQUIRE(seen == 24);
  REQUIRE(right >= 22);  // two colours that hardly differ show no wave
}

TEST_CASE("Glyphs of a class look alike and those of others do not", "[data]") {
  auto set = open_dataset(GlyphsOptions{.num_classes = 40, .per_class = 6});
  int64_t right = 0;
  for (int64_t c = 0; c < 40; ++c) {
    double best = 1e18;
    int64_t nearest = -1;
    for (int64_t other = 0; other < 40; ++other)
      for (int64_t k = 1; k < 6; ++k) {
        const double d = distance(set->image(c * 6), set->image(other * 6 + k));
        if (d < best) best = d, nearest = other;
      }
    right += nearest == c;
  }
  REQUIRE(right >= 20);  // by chance 1; pixels are a poor measure for shifted strokes
  REQUIRE(set->superclass(0) == "alphabet_0");
  REQUIRE(set->superclass(39) == "alphabet_1");
  REQUIRE(mean(set->image(0)) < 100);  // light strokes on a dark ground
}

TEST_CASE("Drawing refuses options out of range", "[data]") {
  REQUIRE_THROWS_WITH(open_dataset(ShapesOptions{.per_class = 0}), Contains("per_class"));
  REQUIRE_THROWS_WITH(open_dataset(ShapesOptions{.image_size = 4}), Contains("image_size"));
  REQUIRE_THROWS_WITH(open_dataset(ShapesOptions{.noise = -1}), Contains("noise"));
  REQUIRE_THROWS_WITH(open_dataset(GlyphsOptions{.num_classes = 1}), Contains("num_classes"));
  REQUIRE_THROWS_WITH(open_dataset(GlyphsOptions{.shared_strokes = 3}), Contains("shared_strokes"));
  REQUIRE_THROWS_WITH(open_dataset(GlyphsOptions{})->image(16'000), Contains("not in [0, 16000)"));
}

TEST_CASE("Glyphs of an alphabet may share strokes", "[data]") {
  // With both strokes of two-stroke glyphs shared, the classes of such an alphabet are one drawing.
  auto own = open_dataset(GlyphsOptions{.num_classes = 60, .per_class = 2, .alphabet_size = 6});
  auto shared = open_dataset(GlyphsOptions{.num_classes = 60, .per_class = 2, .alphabet_size = 6, .shared_strokes = 2});
  double apart_own = 0, apart_shared = 0;
  for (int64_t c = 0; c + 1 < 60; ++c) {
    if (c % 6 == 5) continue;
    apart_own += distance(own->image(2 * c), own->image(2 * c + 2));
    apart_shared += distance(shared->image(2 * c), shared->image(2 * c + 2));
  }
  REQUIRE(apart_shared < 0.8 * apart_own);
}

TEST_CASE("A subset keeps classes and gives its items in the order asked for", "[data]") {
  auto set = open_dataset(ShapesOptions{.per_class = 5});
  auto part = subset(set, {7, 119, 7});
  REQUIRE(part->size() == 3);
  REQUIRE(part->num_classes() == 24);
  REQUIRE(part->label(1) == 23);
  REQUIRE(part->image(2).pixels == set->image(7).pixels);
  REQUIRE(part->item_name(1) == set->item_name(119));
  REQUIRE_THROWS_WITH(subset(set, {120}), Contains("item 120"));
  REQUIRE_THROWS_WITH(part->label(3), Contains("not in [0, 3)"));
}

TEST_CASE("A list gives pictures any number of labels, and whoever needs the one is told", "[data]") {
  TemporaryFolder scratch;
  write_picture(scratch / "a/1.jpg", {200, 0, 0});
  write_picture(scratch / "a/2.jpg", {0, 200, 0});
  const auto list = [&](const char* name, const std::string& text) {
    std::ofstream(scratch / name) << text;
    return scratch / name;
  };
  const auto set = open_dataset(ImageListOptions{.file = list("list.csv", "path,labels\na/1.jpg,red;dark\na/2.jpg,\na/2.jpg,green\n")});
  REQUIRE(set->size() == 3);
  REQUIRE(set->class_names() == std::vector<std::string>{"dark", "green", "red"});
  REQUIRE(set->has_several_labels());
  REQUIRE(set->labels(0) == std::vector<int64_t>{0, 2});
  REQUIRE(set->labels(1).empty());
  REQUIRE(subset(set, {2})->labels(0) == std::vector<int64_t>{1});
  REQUIRE(mean(set->image(0)) == Approx(mean(set->image(1))).margin(3));
  REQUIRE_THROWS_WITH(set->label(0), Contains("list.csv") && Contains("several labels"));
  REQUIRE_FALSE(open_dataset(ShapesOptions{.per_class = 1})->has_several_labels());
  REQUIRE(open_dataset(ShapesOptions{.per_class = 1})->labels(5) == std::vector<int64_t>{5});

  const auto names = list("names.txt", "red\ngreen\n");
  const auto elsewhere = list("elsewhere.jsonl", "{\"path\": \"1.jpg\", \"labels\": [\"green\"]}\n");
  const auto ordered = open_dataset(ImageListOptions{.file = elsewhere, .root = scratch / "a", .class_names = names});
  REQUIRE(ordered->class_names() == std::vector<std::string>{"red", "green"});
  REQUIRE(ordered->labels(0) == std::vector<int64_t>{1});
  const auto refused = [&](const char* text, const char* what) {
    REQUIRE_THROWS_WITH(open_dataset(ImageListOptions{.file = list("wrong.csv", text), .root = {}, .class_names = names}),
                        Contains("wrong.csv") && Contains(what));
  };
  refused("a/1.jpg,red\na/3.jpg,red\n", ":2: ");
  refused("a/1.jpg,red;blue\n", "'blue'");
  refused("", "no picture");
  REQUIRE_THROWS_WITH(open_dataset(ImageListOptions{.file = list("l.csv", "a/1.jpg,\n")}), Contains("no picture has a label"));
  REQUIRE_THROWS_WITH(open_dataset(ImageListOptions{.file = names}), Contains(".jsonl"));
}

TEST_CASE("An IDX set is resized as torch interpolates, then padded", "[data]") {
  TemporaryFolder scratch;
  write_file(scratch / "images", idx_file({2, 2, 2}, {0, 100, 200, 40, 7, 7, 7, 7}));
  write_file(scratch / "labels", idx_file({2}, {1, 0}));
  auto set = open_dataset(IdxOptions{.images = scratch / "images", .labels = scratch / "labels", .resize = 4, .pad = 1});
  REQUIRE(set->num_classes() == 2);
  REQUIRE(set->label(0) == 1);
  REQUIRE(set->typical_size().height == 6);
  const auto image = set->image(0);
  REQUIRE(image.channels == 3);
  // torch.nn.functional.interpolate([[0, 100], [200, 40]], size=(4, 4), mode="bilinear", align_corners=False).round()
  const std::vector<std::vector<int>> expected{{0, 25, 75, 100}, {50, 59, 76, 85}, {150, 126, 79, 55}, {200, 160, 80, 40}};
  for (int64_t y = 0; y < 6; ++y)
    for (int64_t x = 0; x < 6; ++x) {
      const bool inside = y > 0 && y < 5 && x > 0 && x < 5;
      for (int64_t c = 0; c < 3; ++c) {
        CAPTURE(y, x);
        REQUIRE(int(image.row(y)[3 * x + c]) == (inside ? expected[size_t(y - 1)][size_t(x - 1)] : 0));
      }
    }
  REQUIRE(open_dataset(IdxOptions{.images = scratch / "images", .labels = scratch / "labels"})->image(1).pixels ==
          std::vector<uint8_t>(12, 7));
}

TEST_CASE("IDX files that do not belong together are refused by name", "[data]") {
  TemporaryFolder scratch;
  const auto images = scratch / "images", labels = scratch / "labels";
  const auto open = [&] { return open_dataset(IdxOptions{.images = images, .labels = labels}); };
  REQUIRE_THROWS_WITH(open(), Contains("images"));
  write_file(images, idx_file({2, 1, 1}, {1, 2}));
  write_file(labels, idx_file({3}, {0, 1, 2}));
  REQUIRE_THROWS_WITH(open(), Contains("holds 2 pictures") && Contains("holds 3 labels"));
  write_file(labels, idx_file({2}, {0, 0}));
  REQUIRE_THROWS_WITH(open(), Contains("one class only"));
  write_file(labels, idx_file({2}, {0, 9}));
  REQUIRE(open()->num_classes() == 10);
  REQUIRE_THROWS_WITH(open_dataset(IdxOptions{.images = images, .labels = labels, .num_classes = 9}), Contains("label 9"));
  REQUIRE_THROWS_WITH(open_dataset(IdxOptions{.images = labels, .labels = images}), Contains("rank 1"));
  write_file(images, idx_file({0, 1, 1}, {}));
  write_file(labels, idx_file({0}, {}));
  REQUIRE_THROWS_WITH(open(), Contains("no pictures"));
}

TEST_CASE("A folder of pictures is a set with a class per folder, in the order of names", "[data]") {
  TemporaryFolder scratch;
  write_picture(scratch / "zebra" / "b.JPG", {200, 200, 200});
  write_picture(scratch / "zebra" / "deep" / "a.jpeg", {255, 0, 0}, 10, 30);
  write_picture(scratch / "ant" / "1.png", {0, 0, 0});  // a JPEG under another name
  write_file(scratch / "ant" / ".DS_Store", {1, 2, 3});
  write_file(scratch / "notes.txt", {'a'});
  auto set = open_dataset(ImageFolderOptions{.path = scratch.path()});
  REQUIRE(set->size() == 3);
  REQUIRE(set->class_names() == std::vector<std::string>{"ant", "zebra"});
  REQUIRE(set->label(0) == 0);
  REQUIRE(set->label(2) == 1);
  REQUIRE_THAT(set->item_name(1), Contains("zebra/b.JPG"));
  REQUIRE(mean(set->image(0)) == 0);
  REQUIRE(set->image(2).width == 30);
  REQUIRE(set->typical_size().width == 12);

  fs::create_directory_symlink(scratch / "ant", scratch / "wasp");  // a link to a folder beside is fine
  REQUIRE(open_dataset(ImageFolderOptions{.path = scratch.path()})->num_classes() == 3);
}

TEST_CASE("Folders that are no data set are refused with the folder's name and the way out", "[data]") {
  TemporaryFolder scratch;
  const auto open = [&] { return open_dataset(ImageFolderOptions{.path = scratch / "set"}); };
  REQUIRE_THROWS_WITH(open(), Contains("does not exist"));
  write_file(scratch / "file", {1});
  REQUIRE_THROWS_WITH(open_dataset(ImageFolderOptions{.path = scratch / "file"}), Contains("is not a folder"));
  fs::create_directories(scratch / "set");
  REQUIRE_THROWS_WITH(open(), Contains("no class folders"));
  write_picture(scratch / "set" / "ant" / "1.jpg", {0, 0, 0});
  REQUIRE_THROWS_WITH(open(), Contains("one class folder only, ant"));
  fs::create_directories(scratch / "set" / "bee");
  REQUIRE_THROWS_WITH(open(), Contains("set/bee") && Contains("no files"));
  write_picture(scratch / "set" / "bee" / "1.jpg", {0, 0, 0});
  REQUIRE(open()->size() == 2);

  const auto bad_name = scratch / "set" / "bee" / "caf\xe9.jpg";
  write_picture(bad_name, {0, 0, 0});
  REQUIRE_THROWS_WITH(open(), Contains("caf\\xe9.jpg is not UTF-8"));
  fs::remove(bad_name);

  const auto link = scratch / "set" / "bee" / "again";
  fs::create_directory_symlink(scratch / "set", link);
  REQUIRE_THROWS_WITH(open(), Contains("bee/again") && Contains("folder that contains it"));
  fs::remove(link);
  fs::create_symlink(link, link);
  REQUIRE_THROWS_WITH(open(), Contains("in a circle"));
  fs::remove(link);
  fs::create_symlink(scratch / "nothing", link);
  REQUIRE_THROWS_WITH(open(), Contains("link to nothing"));
  fs::remove(link);

  write_file(scratch / "set" / "bee" / "torn.jpg", {0xff, 0xd8, 0xff, 0xe0});
  auto set = open();
  REQUIRE_THROWS_WITH(set->image(2), Contains("torn.jpg"));
  fs::remove(scratch / "set" / "bee" / "torn.jpg");
  REQUIRE_THROWS_WITH(set->image(2), Contains("torn.jpg"));
}

TEST_CASE("CIFAR files follow one another, with their planes interleaved", "[data]") {
  TemporaryFolder scratch;
  std::vector<uint8_t> one(3073, 10), two(3073);
  one[0] = 9;
  two[0] = 3;
  for (size_t i = 0; i < 3072; ++i) two[1 + i] = uint8_t(i / 1024 * 50 + i % 50);
  write_file(scratch / "a.bin", one);
  write_file(scratch / "b.bin", two);
  auto set = open_dataset(CifarOptions{.variant = CifarKind::cifar10, .files = {scratch / "a.bin", scratch / "b.bin"}});
  REQUIRE(set->size() == 2);
  REQUIRE(set->num_classes() == 10);
  REQUIRE(set->class_name(set->label(0)) == "truck");
  REQUIRE(set->label(1) == 3);
  const auto image = set->image(1);
  for (int64_t i : {0, 31, 32, 1023})
    for (int64_t c = 0; c < 3; ++c) REQUIRE(image.pixels[size_t(3 * i + c)] == two[size_t(1 + c * 1024 + i)]);
  REQUIRE_THAT(set->item_name(1), Contains("b.bin record 0"));

  std::vector<uint8_t> fine(3074, 1);
  fine[0] = 19;
  fine[1] = 99;
  write_file(scratch / "train.bin", fine);
  auto hundred = open_dataset(CifarOptions{.variant = CifarKind::cifar100, .files = {scratch / "train.bin"}});
  REQUIRE(hundred->label(0) == 99);
  REQUIRE(hundred->superclass(99) == "coarse_19");
  REQUIRE_THROWS_WITH(open_dataset(CifarOptions{}), Contains("files"));
  REQUIRE_THROWS_WITH(open_dataset(CifarOptions{.files = {scratch / "train.bin"}}), Contains("train.bin"));
}

TEST_CASE("Data sets are chosen and checked as options", "[data]") {
  const auto glyphs = std::get<GlyphsOptions>(parse("{type: glyphs, num_classes: 12, split: test}"));
  REQUIRE(glyphs.num_classes == 12);
  REQUIRE(glyphs.split == Split::test);
  REQUIRE(glyphs.per_class == 40);
  REQUIRE_THROWS_WITH(parse("{type: shapes, noise: 2}"), Contains("a.yaml:1") && Contains("train.noise"));
  REQUIRE_THROWS_WITH(parse("{type: shapes, preset: grid}"), Contains("num_classes"));
  REQUIRE_THROWS_WITH(parse("{type: image_folder, path: /no/such}"), Contains("/no/such"));
  REQUIRE_THROWS_WITH(parse("{type: idx, images: /no/such}"), Contains("/no/such") && Contains("labels"));
}
