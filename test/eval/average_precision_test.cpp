#include "test/catch.h"
#include "test/files.h"

#include <libzoo/core/error.h>
#include <libzoo/core/json.h>
#include <libzoo/eval/average_precision.h>

#include <limits>

using namespace zoo;
using eval::average_precision;
using eval::FoundBox;
using eval::TrueBox;

namespace {

io::Box box_at(const Json& row, size_t at) { return {row.at(at), row.at(at + 1), row.at(at + 2), row.at(at + 3)}; }

std::vector<double> stats_of(const eval::AveragePrecision& r) {
  return {r.ap,       r.ap50,      r.ap75,       r.ap_small,     r.ap_medium,     r.ap_large,
          r.recall_1, r.recall_10, r.recall_100, r.recall_small, r.recall_medium, r.recall_large};
}

}  // namespace

TEST_CASE("Average precision is pycocotools' to 1e-9: crowds, equal scores, areas, empty categories, 100 detections", "[eval]") {
  // Random detections and their expected values: average_precision_cases.py.
  const Json cases = parse_json(test::read_text(ZOO_SOURCE_DIR "/test/eval/files/average_precision.json"), "average_precision.json");
  REQUIRE(cases.size() == 8);
  for (const Json& c : cases) {
    std::vector<TrueBox> truth;
    for (const Json& t : c.at("truth"))
      truth.push_back({.picture = t.at(0), .category = t.at(1), .box = box_at(t, 2), .area = t.at(6), .crowd = t.at(7) == 1});
    std::vector<FoundBox> found;
    for (const Json& f : c.at("found")) found.push_back({.picture = f.at(0), .category = f.at(1), .box = box_at(f, 2), .score = f.at(6)});
    const auto result = average_precision(truth, found, c.at("categories"));
    INFO(c.at("name").get<std::string>());
    const auto ours = stats_of(result);
    for (size_t i = 0; i < ours.size(); ++i) {
      INFO("value " << i);
      CHECK(ours[i] == Approx(c.at("stats").at(i).get<double>()).epsilon(0).margin(1e-9));
    }
    REQUIRE(result.of_category.size() == c.at("of_category").size());
    for (size_t i = 0; i < result.of_category.size(); ++i)
      CHECK(result.of_category[i] == Approx(c.at("of_category").at(i).get<double>()).epsilon(0).margin(1e-9));
  }
}

TEST_CASE("Every object found in its place is an average precision of 1, none found one of 0, none there of -1", "[eval]") {
  const std::vector<TrueBox> truth{{.box = {0, 0, 40, 40}, .area = 1600}, {.picture = 1, .box = {5, 5, 20, 20}, .area = 400}};
  std::vector<FoundBox> found;
  for (const auto& t : truth) found.push_back({.picture = t.picture, .box = t.box, .score = 0.5});
  const auto all = average_precision(truth, found, 2);
  CHECK(all.ap == Approx(1));
  CHECK(all.recall_1 == 1);
  CHECK(all.ap_large == -1);
  CHECK(all.of_category == std::vector<double>{all.ap, -1});
  CHECK(average_precision(truth, {}, 1).ap == 0);
  CHECK(average_precision({}, found, 1).ap == -1);
}

TEST_CASE("A false alarm above the only object halves the precision, below it does not matter", "[eval]") {
  const std::vector<TrueBox> truth{{.box = {0, 0, 10, 10}, .area = 100}};
  const auto ap = [&](double false_score) {
    const std::vector<FoundBox> found{{.box = {0, 0, 10, 10}, .score = 0.5}, {.box = {50, 50, 10, 10}, .score = false_score}};
    return average_precision(truth, found, 1).ap;
  };
  CHECK(ap(0.9) == Approx(0.5));
  CHECK(ap(0.1) == Approx(1));
}

TEST_CASE("Overlap is intersection over union, and over the found box alone in a crowd", "[eval]") {
  CHECK(eval::overlap({0, 0, 4, 2}, {2, 0, 4, 2}) == Approx(4.0 / 12));
  CHECK(eval::overlap({0, 0, 4, 2}, {2, 0, 4, 2}, /*crowd=*/true) == Approx(0.5));
  CHECK(eval::overlap({0, 0, 4, 2}, {4, 0, 4, 2}) == 0);
  CHECK(eval::overlap({1, 1, 0, 0}, {0, 0, 4, 4}) == 0);
}

TEST_CASE("Average precision refuses categories that are not there and values that are not finite", "[eval]") {
  REQUIRE_THROWS_WITH(average_precision(std::vector<TrueBox>{{.category = 2}}, {}, 2),
                      Contains("a true box is of category 2, there are 2"));
  const double nan = std::numeric_limits<double>::quiet_NaN();
  REQUIRE_THROWS_WITH(average_precision({}, std::vector<FoundBox>{{.score = nan}}, 2),
                      Contains("a detection has a value that is not finite"));
}
