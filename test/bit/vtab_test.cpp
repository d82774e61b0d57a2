#include "test/catch.h"

#include <libzoo/bit/vtab.h>
#include <libzoo/core/error.h>

using namespace zoo;
using namespace zoo::bit;

namespace {

data::ShapesOptions shapes(int64_t per_class, data::Split split = data::Split::train) {
  return {.preset = data::ShapesPreset::downstream, .per_class = per_class, .image_size = 8, .split = split};
}

void require_item(const data::ImageDataset& set, int64_t at, const data::ImageDataset& source, int64_t index) {
  INFO(at);
  REQUIRE(set.label(at) == source.label(index));
  REQUIRE(set.image(at).pixels == source.image(index).pixels);
}

}  // namespace

TEST_CASE("A VTAB task learns from the first 800 of train and the first 200 of val", "[bit]") {
  const auto train = data::open_dataset(shapes(90)), val = data::open_dataset(shapes(30, data::Split::test));
  const auto examples = vtab_examples("svhn", {.train = shapes(90), .val = shapes(30, data::Split::test), .test = shapes(1)});
  REQUIRE(examples->size() == 1000);
  for (int64_t i : {0, 17, 799}) require_item(*examples, i, *train, i);
  for (int64_t i : {0, 199}) require_item(*examples, 800 + i, *val, i);
}

TEST_CASE("Without a validation part the last tenth of train, or 200, is one", "[bit]") {
  const auto large = data::open_dataset(shapes(300)), small = data::open_dataset(shapes(100));
  require_item(*vtab_examples("svhn", {.train = shapes(300), .val = {}, .test = shapes(1)}), 800, *large, 2700);
  require_item(*vtab_examples("svhn", {.train = shapes(100), .val = {}, .test = shapes(1)}), 800, *small, 800);
  REQUIRE_THROWS_WITH(vtab_examples("svhn", {.train = shapes(99), .val = {}, .test = shapes(1)}),
                      Contains("svhn: VTAB-1k takes 800 training"));
}

TEST_CASE("Tasks are called by the benchmark's names", "[bit]") {
  VtabOptions options;
  Problems problems;
  options.tasks["cifar-100"] = {.train = shapes(1), .val = {}, .test = shapes(1)};
  check(options, problems);
  REQUIRE(problems.items().size() == 1);
  REQUIRE_THAT(problems.items()[0].message, Contains("did you mean 'cifar100'?"));
}
