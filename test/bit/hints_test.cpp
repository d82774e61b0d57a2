#include "test/catch.h"

#include <libzoo/bit/hints.h>
#include <libzoo/bit/inputs.h>

using namespace zoo;
using namespace zoo::bit;

namespace {

// Ten classes, picture i of class i / 12.
data::DatasetPointer shapes(std::vector<int64_t> chosen) {
  return data::subset(data::open_dataset(data::ShapesOptions{.preset = data::ShapesPreset::downstream, .per_class = 12}),
                      std::move(chosen));
}

std::vector<int64_t> all() {
  std::vector<int64_t> indices(120);
  for (int64_t i = 0; i < 120; ++i) indices[size_t(i)] = i;
  return indices;
}

std::string said(const data::DatasetPointer& set, const HyperRuleOptions& rule, const Checkpoint* start, int64_t batch_size = 10) {
  std::string text;
  for (const auto& hint : hints(*set, hyper_rule(size_of(*set), rule), start, batch_size)) text += hint + "\n";
  return text;
}

}  // namespace

TEST_CASE("Data that fit are passed without a word", "[bit]") { REQUIRE(said(shapes(all()), {}, nullptr) == ""); }

TEST_CASE("Classes that are unequal, empty or known already are told", "[bit]") {
  const auto even = shapes(all());
  auto few = all();
  few.erase(few.begin() + 1, few.begin() + 12);  // one of class 0
  const auto uneven = shapes(few);
  REQUIRE_THAT(said(uneven, {}, nullptr),
               Contains("'" + uneven->class_name(1) + "' has 12 pictures, '" + uneven->class_name(0) + "' has 1 picture;"));
  REQUIRE(class_counts(*uneven)[0] == 1);
  REQUIRE(class_report(*uneven).at("imbalance") == 12.0);
  few.erase(few.begin());
  REQUIRE_THAT(said(shapes(few), {}, nullptr), Contains("1 of 10 classes have no picture to learn from, such as '" + even->class_name(0)));
  REQUIRE(class_report(*shapes(few)).at("imbalance").is_null());
  REQUIRE_THAT(said(shapes({0, 12}), {}, nullptr), Contains("2 pictures for 10 classes"));
  Checkpoint start;
  start.classes_in_file = even->class_names();
  REQUIRE_THAT(said(even, {}, &start), Contains("the checkpoint knows these very classes"));
}

TEST_CASE("Sizes that are far from the data's or the checkpoint's are told", "[bit]") {
  const auto set = shapes(all());  // 32x32: the rule gives 160 and 128
  REQUIRE_THAT(said(set, {.resize = 320, .crop = 256}, nullptr), Contains("pictures of 32x32 pixels are enlarged to 320"));
  Checkpoint start;
  start.info.preprocessing.size = 32;
  REQUIRE_THAT(said(set, {}, &start), Contains("made for 32 pixels and will see 128: rule.resize=32 rule.crop=32"));
  REQUIRE(said(set, {.resize = 32, .crop = 32}, &start) == "");
  REQUIRE_THAT(said(set, {}, nullptr, 500), Contains("a batch of 500 is larger than the set of 120 pictures"));
}
