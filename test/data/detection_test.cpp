// Scenes, the way from a picture to a canvas, and batches of them.
#include "test/catch.h"
#include <libzoo/core/error.h>
#include <libzoo/core/random.h>
#include <libzoo/data/detection_batches.h>
#include <libzoo/data/draw_boxes.h>

#include <ATen/ATen.h>

#include <algorithm>
#include <set>

using namespace zoo::data;
using zoo::io::Box;

namespace {

// A white rectangle on black; 40 x 60 pixels unless told otherwise.
zoo::io::Image rectangle(const PixelBox& box, int64_t height = 40, int64_t width = 60) {
  zoo::io::Image image{height, width, 3, std::vector<uint8_t>(size_t(height * width * 3))};
  for (int64_t y = box.top; y < box.top + box.height; ++y) std::fill_n(image.row(y) + 3 * box.left, 3 * box.width, uint8_t(255));
  return image;
}

// Where a canvas is brighter than half, as a box of whole pixels.
Box bright(const std::vector<float>& canvas, int64_t size) {
  int64_t left = size, top = size, right = 0, bottom = 0;
  for (int64_t y = 0; y < size; ++y)
    for (int64_t x = 0; x < size; ++x)
      if (canvas[size_t((y * size + x) * 3)] > 0) {
        left = std::min(left, x), right = std::max(right, x + 1);
        top = std::min(top, y), bottom = std::max(bottom, y + 1);
      }
  return {double(left), double(top), double(right - left), double(bottom - top)};
}

void check_near(const Box& a, const Box& b, double margin) {
  CHECK(a.left == Approx(b.left).margin(margin));
  CHECK(a.top == Approx(b.top).margin(margin));
  CHECK(a.right() == Approx(b.right()).margin(margin));
  CHECK(a.bottom() == Approx(b.bottom()).margin(margin));
}

std::vector<float> on_canvas(const DetectionTransform& t, const zoo::io::Image& image, const Placement& placement) {
  std::vector<float> canvas(size_t(t.size * t.size * 3), 9);
  Picture picture(image);
  t.apply(picture, placement, Normalizer(t.mean, t.std), canvas.data());
  return canvas;
}

std::vector<std::vector<LabelledBox>> all_boxes(zoo::data::Stream<DetectionBatch>& stream, int batches) {
  std::vector<std::vector<LabelledBox>> all;
  for (int i = 0; i < batches; ++i) {
    const auto batch = stream.next();
    all.insert(all.end(), batch->boxes.begin(), batch->boxes.end());
  }
  return all;
}

bool same(const std::vector<std::vector<LabelledBox>>& a, const std::vector<std::vector<LabelledBox>>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const auto& one, const auto& other) {
    return std::equal(one.begin(), one.end(), other.begin(), other.end(), [](const LabelledBox& x, const LabelledBox& y) {
      return x.label == y.label && x.box.left == y.box.left && x.box.width == y.box.width;
    });
  });
}

}  // namespace

TEST_CASE("Scenes have one to so many figures inside of the picture, the same each time, others in the other split", "[data]") {
  const auto set = open_scenes({.pictures = 40, .image_size = 64, .most_objects = 3});
  const auto test = open_scenes({.pictures = 40, .image_size = 64, .most_objects = 3, .split = Split::test});
  std::set<int64_t> labels;
  std::set<size_t> counts;
  int64_t equal = 0;
  for (int64_t i = 0; i < set->size(); ++i) {
    const auto boxes = set->boxes(i);
    counts.insert(boxes.size());
    for (const auto& [box, label, area, crowd] : boxes) {
      labels.insert(label);
      CHECK(box.left >= 0);
      CHECK(box.top >= 0);
      CHECK(box.right() <= 64);
      CHECK(box.bottom() <= 64);
      CHECK(std::max(box.width, box.height) >= 64 / 8);
      CHECK(area > 0);
      CHECK(area <= box.area());
    }
    equal += set->image(i).pixels == test->image(i).pixels;
  }
  CHECK(labels == std::set<int64_t>{0, 1, 2, 3, 4});
  CHECK(counts == std::set<size_t>{1, 2, 3});
  CHECK(equal == 0);
  CHECK(set->image(7).pixels == open_scenes({.pictures = 8, .image_size = 64, .most_objects = 3})->image(7).pixels);
  CHECK(set->image(7).pixels != open_scenes({.pictures = 8, .image_size = 64, .most_objects = 3, .seed = 1})->image(7).pixels);
}

TEST_CASE("The box of a scene's only object is where the picture differs from its ground", "[data]") {
  // Without noise and with one object, neighbouring pixels of the ground differ by little, and the object's edge by much.
  const auto set = open_scenes({.pictures = 30, .image_size = 96, .most_objects = 1, .noise = 0});
  int64_t seen = 0;
  for (int64_t i = 0; i < set->size(); ++i) {
    const auto boxes = set->boxes(i);
    REQUIRE(boxes.size() == 1);
    const auto image = set->image(i);
    int64_t left = 96, right = 0;
    for (int64_t y = 0; y < 96; ++y)
      for (int64_t x = 1; x < 96; ++x) {
        int difference = 0;
        for (int64_t c = 0; c < 3; ++c) difference = std::max(difference, std::abs(image.row(y)[3 * x + c] - image.row(y)[3 * x - 3 + c]));
        if (difference > 40) left = std::min(left, x), right = std::max(right, x);
      }
    if (left > right) continue;  // colours of the object and the ground are alike
    ++seen;
    CHECK(left >= int64_t(boxes[0].box.left));
    CHECK(right <= int64_t(boxes[0].box.right()));
  }
  CHECK(seen > 20);
}

TEST_CASE("A picture keeps its aspect on the canvas, and the rest of that is the mean", "[data]") {
  const DetectionTransform t{.size = 90};
  const auto placement = t.place({40, 60});
  CHECK(placement.scaled.height == 60);
  CHECK(placement.scaled.width == 90);
  const auto canvas = on_canvas(t, rectangle({10, 20, 10, 20}), placement);
  check_near(bright(canvas, 90), placement.to_canvas({20, 10, 20, 10}), 1);
  check_near(placement.to_canvas({20, 10, 20, 10}), {30, 15, 30, 15}, 1e-9);
  CHECK(canvas[0] == -1);  // black
  CHECK(std::all_of(canvas.begin() + 60 * 90 * 3, canvas.end(), [](float v) { return v == 0; }));
  const auto tall = t.place({300, 100});
  CHECK(tall.scaled.height == 90);
  CHECK(tall.window.width == 30);
}

TEST_CASE("Boxes stay on their objects when pictures are mirrored, scaled and cut, and find the way back", "[data]") {
  const DetectionTransform t{.size = 64, .flip = true, .least_scale = 0.5, .most_scale = 2};
  const PixelBox place{12, 8, 16, 20};
  const Box box{8, 12, 20, 16};
  const auto image = rectangle(place);
  int flips = 0, cuts = 0, whole = 0;
  for (uint32_t i = 0; i < 60; ++i) {
    zoo::RandomStream random({.seed = 5, .id = i});
    const auto placement = t.draw({40, 60}, random);
    flips += placement.flip;
    cuts += placement.scaled.width > 64;
    check_near(placement.to_picture(placement.to_canvas(box)), box, 1e-9);
    const auto objects = placement.objects({{.box = box}});
    const Box seen = bright(on_canvas(t, image, placement), 64);
    if (objects.empty()) {
      CHECK(std::min(seen.width, seen.height) <= 2);
      continue;
    }
    ++whole;
    check_near(seen, objects[0].box, 1.2);
  }
  CHECK(flips > 15);
  CHECK(flips < 45);
  CHECK(cuts > 15);
  CHECK(whole > 30);
}

TEST_CASE("Crowds, empty boxes and what is cut to a sliver are nothing to learn from", "[data]") {
  Placement placement = DetectionTransform{.size = 30}.place({30, 60});  // half the size
  placement.window.width = 15;                                          // the left half
  const auto kept = placement.objects({{.box = {0, 0, 10, 10}, .label = 1},
                                       {.box = {0, 0, 10, 10}, .label = 2, .crowd = true},
                                       {.box = {5, 5, 0, 10}, .label = 3},
                                       {.box = {29, 0, 20, 10}, .label = 4},
                                       {.box = {20, 0, 20, 10}, .label = 5},
                                       {.box = {40, 0, 10, 10}, .label = 6}});
  REQUIRE(kept.size() == 2);
  CHECK(kept[0].label == 1);
  CHECK(kept[1].label == 5);
  check_near(kept[1].box, {10, 0, 5, 5}, 1e-9);
}

TEST_CASE("Batches of scenes are the same for every number of workers and go on where they were saved", "[data]") {
  const auto set = open_scenes({.pictures = 7, .image_size = 32});
  const DetectionTransform t{.size = 40, .flip = true, .least_scale = 0.8, .most_scale = 1.2};
  const auto stream = [&](int64_t workers) {
    return detection_batches(set, t, {.batch_size = 4, .seed = 3, .read = {.workers = workers, .prefetch = 1}});
  };
  auto alone = stream(0), shared = stream(3);
  const auto first = alone.next(), second = shared.next();
  CHECK(first->images.sizes() == at::IntArrayRef({4, 3, 40, 40}));
  CHECK(first->images.is_contiguous(at::MemoryFormat::ChannelsLast));
  CHECK(first->images.equal(second->images));
  CHECK(first->indices == second->indices);
  const auto state = alone.state();
  const auto rest = all_boxes(alone, 4);
  CHECK(same(rest, all_boxes(shared, 4)));
  auto resumed = stream(1);
  resumed.restore(state);
  CHECK(same(rest, all_boxes(resumed, 4)));
  auto other = detection_batches(set, {.size = 48}, {.batch_size = 4, .seed = 3});
  REQUIRE_THROWS_WITH(other.restore(state), Contains("40x40"));
}

TEST_CASE("Evaluation sees every picture once, in order, as it is", "[data]") {
  const auto set = open_scenes({.pictures = 5, .image_size = 32});
  auto stream = detection_batches(set, {.size = 64}, {.batch_size = 2, .training = false});
  std::vector<int64_t> seen;
  while (auto batch = stream.next()) {
    for (size_t i = 0; i < batch->indices.size(); ++i) {
      seen.push_back(batch->indices[i]);
      CHECK(batch->placements[i].scaled.width == 64);
      const auto original = set->boxes(batch->indices[i]);
      REQUIRE(batch->boxes[i].size() == original.size());
      check_near(batch->placements[i].to_picture(batch->boxes[i][0].box), original[0].box, 1e-9);
    }
  }
  CHECK(seen == std::vector<int64_t>{0, 1, 2, 3, 4});
}

TEST_CASE("Boxes are drawn as frames with a caption, cut at the borders of the picture", "[data]") {
  const auto image =
      draw_boxes(rectangle({0, 0, 1, 1}), std::vector<DrawnBox>{{{20, 20, 10, 10}, "", 0}, {{50, 30, 30, 30}, "disc 97", 1}});
  const auto pixel = [&](int64_t y, int64_t x) { return std::vector<int>(image.row(y) + 3 * x, image.row(y) + 3 * x + 3); };
  const std::vector<int> orange{230, 159, 0}, blue{86, 180, 233}, black{0, 0, 0};
  CHECK(pixel(20, 20) == orange);
  CHECK(pixel(29, 25) == orange);
  CHECK(pixel(25, 25) == black);
  CHECK(pixel(30, 19) == black);
  CHECK(pixel(35, 50) == blue);
  CHECK(pixel(21, 50) == blue);  // behind the caption
}
