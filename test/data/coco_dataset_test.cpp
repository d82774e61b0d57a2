// COCO's annotation files, whole and with every kind of mistake.
#include "test/catch.h"
#include "test/files.h"
#include <libzoo/core/error.h>
#include <libzoo/core/json.h>
#include <libzoo/data/detection_dataset.h>
#include <libzoo/io/png.h>

using namespace zoo::data;
using namespace zoo::test;
using zoo::Json;

namespace {

void write_picture(const std::filesystem::path& path, int64_t height, int64_t width, uint8_t value) {
  const auto png = zoo::io::encode_png({height, width, 3, std::vector<uint8_t>(size_t(height * width * 3), value)});
  write_text(path, std::string(png.begin(), png.end()));
}

// Ids that neither begin at 0 nor stand in order.
Json good() {
  return Json::parse(R"({
    "info": {"year": 2017},
    "images": [{"id": 9, "file_name": "b.png", "height": 20, "width": 30}, {"id": 4, "file_name": "a.png", "height": 10, "width": 12}],
    "categories": [{"id": 50, "name": "dog"}, {"id": 3, "name": "cat"}],
    "annotations": [
      {"id": 1, "image_id": 9, "category_id": 50, "bbox": [1.5, 2, 10, 8], "area": 60.5, "iscrowd": 0, "segmentation": [[1, 2, 3, 4, 5, 6]]},
      {"id": 2, "image_id": 9, "category_id": 3, "bbox": [0, 0, 30, 20.9], "iscrowd": 1},
      {"id": 3, "image_id": 4, "category_id": 3, "bbox": [2, 2, 0, 5]}]
  })");
}

struct Folder {
  TemporaryFolder folder;
  CocoOptions options{.images = folder.path(), .annotations = folder / "boxes.json"};

  Folder() {
    write_picture(folder / "a.png", 10, 12, 7);
    write_picture(folder / "b.png", 20, 30, 90);
  }
  DetectionPointer open(const std::string& text) {
    write_text(options.annotations, text);
    return open_detection(options);
  }
  // Opens the good file with one change; what is said must contain all of the words.
  template <class Change>
  void refuses(const std::string& words, Change change) {
    Json json = good();
    change(json);
    INFO(words);
    try {
      open(json.dump());
    } catch (const zoo::UserError& error) {
      REQUIRE_THAT(error.what(), Contains("boxes.json: ") && Contains(words));
      return;
    }
    FAIL("it was taken");
  }
};

}  // namespace

TEST_CASE("A COCO file gives pictures and classes in the order of their ids, and the boxes of each picture", "[data]") {
  Folder files;
  const auto set = files.open(good().dump());
  CHECK(set->describe() == "coco boxes.json: 2 pictures, 2 classes");
  CHECK(set->class_names() == std::vector<std::string>{"cat", "dog"});
  REQUIRE(set->size() == 2);
  CHECK(set->image(0).width == 12);
  CHECK(set->image(1).pixels[0] == 90);
  const auto boxes = set->boxes(1);
  REQUIRE(boxes.size() == 2);
  CHECK(boxes[0].label == 1);
  CHECK(boxes[0].box.left == 1.5);
  CHECK(boxes[0].box.bottom() == 10);
  CHECK(boxes[0].area == 60.5);
  CHECK(!boxes[0].crowd);
  CHECK(boxes[1].crowd);
  CHECK(boxes[1].area == Approx(30 * 20.9));  // without `area`: that of the box
  CHECK(set->boxes(0).at(0).box.width == 0);
  REQUIRE_THROWS_WITH(set->boxes(2), Contains("item 2 is not in [0, 2)"));
}

TEST_CASE("What a COCO file lacks or has wrong is named with its entry, key and value", "[data]") {
  Folder files;
  files.refuses("annotations[0]: bbox is [1,2,-3,4]: the width is negative", [](Json& j) { j["annotations"][0]["bbox"] = {1, 2, -3, 4}; });
  files.refuses("annotations[0]: bbox is [1,2,3,-4]: the height is negative", [](Json& j) { j["annotations"][0]["bbox"] = {1, 2, 3, -4}; });
  files.refuses("annotations[0]: bbox is [1,2,3]: not a list of left, top, width and height",
                [](Json& j) { j["annotations"][0]["bbox"] = {1, 2, 3}; });
  files.refuses("annotations[1]: bbox is [1,2,\"x\",4]: not a number", [](Json& j) { j["annotations"][1]["bbox"] = {1, 2, "x", 4}; });
  files.refuses("annotations[1]: bbox is [null,2,3,4]: not a number", [](Json& j) { j["annotations"][1]["bbox"] = {nullptr, 2, 3, 4}; });
  files.refuses("leaves its image of 20x30 pixels", [](Json& j) { j["annotations"][0]["bbox"] = {25, 0, 10, 5}; });
  files.refuses("leaves its image of 20x30 pixels", [](Json& j) { j["annotations"][0]["bbox"] = {-5, 0, 10, 5}; });
  files.refuses("leaves its image of 20x30 pixels", [](Json& j) { j["annotations"][0]["bbox"] = {1e300, 0, 1e300, 5}; });
  files.refuses("annotations[2]: image_id is 5: no image has this id", [](Json& j) { j["annotations"][2]["image_id"] = 5; });
  files.refuses("annotations[2]: category_id is 5: no category has this id", [](Json& j) { j["annotations"][2]["category_id"] = 5; });
  files.refuses("annotations[2]: id is 1: another one has it already", [](Json& j) { j["annotations"][2]["id"] = 1; });
  files.refuses("images[1]: id is 9: another one has it already", [](Json& j) { j["images"][1]["id"] = 9; });
  files.refuses("categories[1]: id is 50: another one has it already", [](Json& j) { j["categories"][1]["id"] = 50; });
  files.refuses("images[0]: id is -1: not in", [](Json& j) { j["images"][0]["id"] = -1; });
  files.refuses("images[0]: id is 18446744073709551615: not in", [](Json& j) { j["images"][0]["id"] = UINT64_MAX; });
  files.refuses("images[0]: height is 0: not in", [](Json& j) { j["images"][0]["height"] = 0; });
  files.refuses("images[0]: width is 12.5: not a whole number", [](Json& j) { j["images"][0]["width"] = 12.5; });
  files.refuses("images[0]: file_name is \"\": empty", [](Json& j) { j["images"][0]["file_name"] = ""; });
  files.refuses("annotations[0]: iscrowd is 2: not in [0, 1]", [](Json& j) { j["annotations"][0]["iscrowd"] = 2; });
  files.refuses("annotations[0]: area is -1.0: negative", [](Json& j) { j["annotations"][0]["area"] = -1.0; });
  for (const char* key : {"id", "image_id", "category_id", "bbox"})
    files.refuses(std::string("annotations[1] has no ") + key, [&](Json& j) { j["annotations"][1].erase(key); });
  for (const char* key : {"id", "file_name", "height", "width"})
    files.refuses(std::string("images[0] has no ") + key, [&](Json& j) { j["images"][0].erase(key); });
  for (const char* key : {"images", "annotations", "categories"}) {
    files.refuses(std::string("has no ") + key, [&](Json& j) { j.erase(key); });
    files.refuses(std::string(key) + " is no list", [&](Json& j) { j[key] = 1; });
    files.refuses(std::string(key) + "[0] is no object", [&](Json& j) { j[key][0] = 1; });
  }
  files.refuses("has no images", [](Json& j) { j["images"] = Json::array(), j["annotations"] = Json::array(); });
  files.refuses("has no categories", [](Json& j) { j["categories"] = Json::array(), j["annotations"] = Json::array(); });
  REQUIRE_THROWS_WITH(files.open("[1, 2]"), Contains("boxes.json: not an object"));
  REQUIRE_THROWS_WITH(files.open("{\"images\": [NaN]}"), Contains("boxes.json:1:") && Contains("not JSON"));
  REQUIRE_THROWS_WITH(files.open(""), Contains("boxes.json:1:1: empty, not JSON"));
}

TEST_CASE("Pictures of another size than their annotations say, and missing ones, are named when they are read", "[data]") {
  Folder files;
  write_picture(files.folder / "a.png", 11, 12, 7);
  std::filesystem::remove(files.folder / "b.png");
  const auto set = files.open(good().dump());
  REQUIRE_THROWS_WITH(set->image(0), Contains("a.png: has 11x12 pixels") && Contains("boxes.json says 10x12"));
  REQUIRE_THROWS_WITH(set->image(1), Contains("b.png"));
}
