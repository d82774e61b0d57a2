#include "test/catch.h"

#include <libzoo/core/error.h>
#include <libzoo/data/contact_sheet.h>
#include <libzoo/data/eval_transform.h>
#include <libzoo/data/train_transform.h>

#include <algorithm>

using namespace zoo::data;
using zoo::RandomStream;
using zoo::io::Image;

namespace {

Image noise(int64_t height, int64_t width, int64_t channels) {
  Image image{height, width, channels, {}};
  for (int64_t i = 0; i < height * width * channels; ++i) image.pixels.push_back(uint8_t(uint32_t(i) * 2654435761u >> 24));
  return image;
}

bool inside(const PixelBox& box, int64_t height, int64_t width) {
  return box.top >= 0 && box.left >= 0 && box.height >= 1 && box.width >= 1 && box.top + box.height <= height &&
         box.left + box.width <= width;
}

int64_t count_color(const Image& image, Color color) {
  int64_t count = 0;
  for (size_t i = 0; i < image.pixels.size(); i += 3)
    count += image.pixels[i] == color.red && image.pixels[i + 1] == color.green && image.pixels[i + 2] == color.blue;
  return count;
}

}  // namespace

TEST_CASE("Squash evaluation is Pillow's resize and then -1 to 1", "[data]") {
  const Image picture = noise(50, 37, 3);
  const EvalTransform eval{.mode = EvalMode::squash, .size = 24};
  const Image resized = eval.resized(picture);
  CHECK(resized.pixels == resize(picture, 24, 24, {}).pixels);
  std::vector<float> planes(3 * 24 * 24), pixels = planes;
  eval.chw(picture, planes.data());
  eval.hwc(picture, pixels.data());
  for (size_t i = 0; i < 24 * 24; ++i) {
    for (size_t c = 0; c < 3; ++c) {
      REQUIRE(planes[c * 576 + i] == Approx(resized.pixels[3 * i + c] / 127.5 - 1).margin(1e-6));
      REQUIRE(pixels[3 * i + c] == planes[c * 576 + i]);
    }
  }
}

TEST_CASE("Shortest evaluation keeps the aspect, crops the centre and pads what is too small", "[data]") {
  const Image picture = noise(40, 56, 3);
  // floor(28 / 0.875) = 32; 56 becomes int(32 * 56 / 40) = 44; offsets 2 and 8.
  const Image whole = resize(picture, 32, 44, {.mode = Interpolation::bicubic});
  const EvalTransform eval{.mode = EvalMode::shortest, .size = 28, .interpolation = Interpolation::bicubic, .crop_pct = 0.875};
  CHECK(eval.resized(picture).pixels == copy(crop(View<uint8_t>(whole), {2, 8, 28, 28})).pixels);
  // crop_pct 2: the shorter side becomes 14, seven black rows above and below.
  const Image padded = EvalTransform{.mode = EvalMode::shortest, .size = 28, .crop_pct = 2}.resized(picture);
  REQUIRE((padded.height == 28 && padded.width == 28));
  CHECK(std::all_of(padded.row(0), padded.row(7), [](uint8_t v) { return v == 0; }));
  CHECK(std::any_of(padded.row(7), padded.row(8), [](uint8_t v) { return v != 0; }));
}

TEST_CASE("Only the centre of a very long picture is computed", "[data]") {
  // 65000 pixels to 384 rows would be 24,960,000 columns wide.
  const Image ruler = noise(1, 65000, 3);
  const EvalTransform eval{.mode = EvalMode::shortest, .size = 384};
  const Image centre = eval.resized(ruler);
  // One input pixel spans 384 outputs; the middle is where inputs 32499 and 32500 meet.
  CHECK(int(centre.row(0)[0]) == int(ruler.pixels[3 * 32499]));
  CHECK(int(centre.row(0)[3 * 383]) == int(ruler.pixels[3 * 32500]));
}

TEST_CASE("TensorFlow's evaluation has no 8-bit step", "[data]") {
  const EvalTransform eval{.mode = EvalMode::tf, .size = 2};
  REQUIRE_THROWS_WITH(eval.resized(noise(4, 4, 3)), Contains("no 8-bit pictures"));
  float out[4];
  eval.chw(Image{1, 1, 1, {51}}, out);
  CHECK(out[3] == Approx(51 / 127.5 - 1));
  // 0, 1, 2, 3 to two samples: centres 0.5 and 2.5, and no rounding to whole levels.
  eval.chw(Image{1, 4, 1, {0, 1, 2, 3}}, out);
  CHECK(out[0] == Approx(0.5 / 127.5 - 1));
  CHECK(out[1] == Approx(2.5 / 127.5 - 1));
}

TEST_CASE("Evaluation options out of range are refused", "[data]") {
  const Image picture = noise(4, 4, 3);
  REQUIRE_THROWS_WITH((EvalTransform{.size = 0}.resized(picture)), Contains("size: 0"));
  REQUIRE_THROWS_WITH((EvalTransform{.mode = EvalMode::shortest, .crop_pct = 0}.resized(picture)), Contains("crop_pct: 0"));
  REQUIRE_THROWS_WITH((EvalTransform{.interpolation = Interpolation::lanczos}.resized(picture)), Contains("bilinear or bicubic"));
  REQUIRE_THROWS_WITH((EvalTransform{.mode = EvalMode::shortest}.resized(Image{0, 4, 3, {}})), Contains("empty"));
  REQUIRE_THROWS_WITH(parse_eval_mode("center"), Contains("'center' is unknown"));
}

TEST_CASE("Squash training cuts from the squashed picture and mirrors", "[data]") {
  const Image picture = noise(32, 45, 3);
  const TrainTransform train{.mode = TrainMode::squash, .precrop = 40, .crop = 32};
  const Image whole = resize(picture, 40, 40, {});
  const TrainTransform::Choice choice{{7, 3, 32, 32}, true};
  CHECK(train.cropped(picture, choice).pixels == flip(crop(View<uint8_t>(whole), choice.box), FlipAxis::horizontal).pixels);
  REQUIRE_THROWS_WITH(train.cropped(picture, {{9, 3, 32, 32}, false}), Contains("leaves the picture of 40x40"));
  REQUIRE_THROWS_WITH(train.cropped(picture, {{0, 0, 31, 32}, false}), Contains("is 32x32, not 31x32"));
  REQUIRE_THROWS_WITH((TrainTransform{.precrop = 16, .crop = 32}.cropped(picture, choice)), Contains("precrop: 16"));
}

TEST_CASE("Inception training resizes its box alone", "[data]") {
  const Image picture = noise(60, 80, 3);
  const TrainTransform train{.mode = TrainMode::inception, .crop = 32};
  const PixelBox box{5, 11, 40, 33};
  CHECK(train.cropped(picture, {box, false}).pixels == resize(copy(crop(View<uint8_t>(picture), box)), 32, 32, {}).pixels);
}

TEST_CASE("Training choices are a function of the key, reach every place and mirror half the time", "[data]") {
  const TrainTransform train{.precrop = 20, .crop = 16};
  int seen[5] = {}, flips = 0;
  for (uint32_t id = 0; id < 2000; ++id) {
    RandomStream random({.seed = 1, .id = id}), again({.seed = 1, .id = id});
    const auto choice = train.draw(100, 50, random), same = train.draw(100, 50, again);
    REQUIRE((choice.box.top == same.box.top && choice.box.left == same.box.left && choice.flip == same.flip));
    REQUIRE(inside(choice.box, 20, 20));
    REQUIRE(random.position() == 3);
    ++seen[choice.box.left];
    flips += choice.flip;
  }
  for (int count : seen) CHECK(count > 300);   // 400 expected, standard deviation 18
  CHECK(std::abs(flips - 1000) < 120);         // standard deviation 22
  RandomStream random({.seed = 1});
  CHECK_FALSE((TrainTransform{.random_flip = false}.draw(9, 9, random).flip));
}

TEST_CASE("Random boxes lie inside pictures of every shape, and TensorFlow's never touch the far border", "[data]") {
  RandomStream random({.seed = 2});
  const CropRange range{.area_min = 0.05};
  for (const auto& [height, width] : {std::pair<int64_t, int64_t>{224, 224}, {1, 1}, {2, 300}, {300, 2}, {5, 7}}) {
    for (int i = 0; i < 500; ++i) {
      const PixelBox tf = sample_crop_tf(height, width, range, random), torchvision = sample_crop_torchvision(height, width, range, random);
      REQUIRE(inside(tf, height, width));
      REQUIRE(inside(torchvision, height, width));
      if (tf.height < height) REQUIRE(tf.top + tf.height < height);
      if (tf.width < width) REQUIRE(tf.left + tf.width < width);
    }
  }
}

TEST_CASE("Where no box fits, TensorFlow takes all and torchvision the centre", "[data]") {
  RandomStream random({.seed = 2});
  const CropRange range{.area_min = 0.9, .area_max = 1, .aspect_min = 1, .aspect_max = 1};
  const PixelBox tf = sample_crop_tf(10, 100, range, random), torchvision = sample_crop_torchvision(10, 100, range, random);
  CHECK((tf.height == 10 && tf.width == 100));
  CHECK((torchvision.height == 10 && torchvision.width == 10 && torchvision.left == 45));
  REQUIRE_THROWS_WITH(sample_crop_tf(10, 10, {.area_min = 0.9, .area_max = 0.5}, random), Contains("area 0.9 to 0.5"));
  REQUIRE_THROWS_WITH(sample_crop_torchvision(0, 10, {}, random), Contains("0x10"));
}

TEST_CASE("A contact sheet shows each picture whole, with its caption in its colour", "[data]") {
  const Color odd{1, 2, 3};
  std::vector<SheetCell> cells(5, {Image{2, 2, 1, {77, 77, 77, 77}}, "ok", kRight});
  cells[3].caption = "no\n(2)";
  cells[3].color = odd;
  const Image sheet = contact_sheet(cells, 3, 40);
  CHECK(sheet.channels == 3);
  CHECK(sheet.width == 3 * 40 + 4 * 6);             // three squares, gaps of 6
  CHECK(count_color(sheet, {77, 77, 77}) == 5 * 40 * 40);  // 2x2 pixels grown twentyfold
  CHECK(count_color(sheet, odd) > 40 * 2);          // its line, and letters
  CHECK(count_color(sheet, kRight) > 4 * 40 * 2);
  CHECK(contact_sheet(cells, {.columns = 3, .cell_pixels = 40, .title = "title"}).height > sheet.height);
}

TEST_CASE("A contact sheet shrinks large pictures and cuts long captions", "[data]") {
  const std::vector<SheetCell> cells{
      {noise(90, 300, 3), std::string(500, 'x')}, {noise(3, 3, 4), "tab\tand \xc3\xa4"}, {noise(64, 8, 1), ""}};
  const Image sheet = contact_sheet(cells, {.columns = 8, .cell_pixels = 64});
  CHECK(sheet.width == 3 * 64 + 4 * 6);
  REQUIRE_THROWS_WITH(contact_sheet({}, 3, 40), Contains("at least one picture"));
  REQUIRE_THROWS_WITH(contact_sheet(cells, 0, 40), Contains("columns: 0"));
  REQUIRE_THROWS_WITH(contact_sheet(cells, 3, 5000), Contains("cell_pixels: 5000"));
  REQUIRE_THROWS_WITH(contact_sheet(std::vector<SheetCell>{{Image{0, 0, 3, {}}, ""}}, 3, 40), Contains("picture 0"));
}
