#include "test/catch.h"
#include "test/reference/case.h"
#include "test/reference/compare.h"

#include <libzoo/core/error.h>
#include <libzoo/io/safetensors.h>

#include <cmath>
#include <limits>
#include <unistd.h>

using namespace zoo;
using namespace zoo::reference;

namespace {

Array doubles(std::vector<int64_t> shape, std::vector<double> values) { return Array::of<double>(std::move(shape), values); }
Array integers(std::vector<int64_t> values) { return Array::of<int64_t>({int64_t(values.size())}, values); }

class CaseFile {
 public:
  CaseFile(const Arrays& tensors, const std::map<std::string, std::string>& metadata) { io::write_safetensors(path_, tensors, metadata); }
  ~CaseFile() { std::filesystem::remove(path_); }
  Case read() const { return Case::read(path_).value(); }
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_ = std::filesystem::temp_directory_path() / ("zoo-case-" + std::to_string(getpid()) + ".safetensors");
};

}  // namespace

TEST_CASE("answers within atol + rtol * |expected| are right, and one step outside are not", "[reference]") {
  const Tolerance tolerance{.rtol = 0.1, .atol = 0.01};
  CHECK(difference(doubles({2}, {1.1, 0.009}), doubles({2}, {1.0, 0.0}), tolerance).empty());
  CHECK_THAT(difference(doubles({1, 2}, {1.0, 2.25}), doubles({1, 2}, {1.0, 2.0}), tolerance),
             Contains("max abs diff 0.25 at [0, 1]: got 2.25, expected 2; 1 of 2 outside"));
}

TEST_CASE("NaN equals NaN and infinities are equal by sign, and equal nothing else", "[reference]") {
  const double nan = std::numeric_limits<double>::quiet_NaN(), inf = std::numeric_limits<double>::infinity();
  const Tolerance loose{.rtol = 1e9, .atol = 1e9};
  CHECK(difference(doubles({3}, {nan, inf, -inf}), doubles({3}, {nan, inf, -inf}), {}).empty());
  for (auto [got, want] : {std::pair{1.0, nan}, {nan, 1.0}, {inf, -inf}, {1.0, inf}, {inf, 1.0}, {nan, inf}})
    CHECK_FALSE(difference(doubles({1}, {got}), doubles({1}, {want}), loose).empty());
}

TEST_CASE("integers are exact whatever the tolerance, except where an op's rule says otherwise", "[reference]") {
  const Tolerance loose{.rtol = 1, .atol = 10};
  // 2^53 + 1 is not a double.
  CHECK_FALSE(difference(integers({9007199254740993}), integers({9007199254740992}), loose).empty());
  CHECK(difference(Array::scalar<uint8_t>(7), Array::scalar<int64_t>(7), loose).empty());
  CHECK(difference(integers({3}), integers({5}), tolerance_for("image.decode_jpeg", "image", 0, 2)).empty());
  CHECK_FALSE(difference(integers({3}), integers({6}), tolerance_for("image.decode_jpeg", "image", 0, 2)).empty());
  CHECK_FALSE(difference(integers({3}), integers({5}), tolerance_for("image.resize", "image", 0, 2)).empty());
  CHECK_FALSE(difference(doubles({1}, {3}), integers({3}), loose).empty());
}

TEST_CASE("shapes must agree, but a scalar and one element are the same", "[reference]") {
  CHECK(difference(doubles({}, {1}), doubles({1}, {1}), {}).empty());
  CHECK_THAT(difference(doubles({1, 1}, {1}), doubles({1}, {1}), {}), Contains("shape [1, 1], expected [1]"));
  CHECK_THAT(difference(doubles({2, 3}, {1, 2, 3, 4, 5, 6}), doubles({3, 2}, {1, 2, 3, 4, 5, 6}), {}), Contains("shape [2, 3]"));
  CHECK(difference(doubles({0, 3}, {}), doubles({0, 3}, {}), {}).empty());
}

TEST_CASE("hue is compared on the circle, saturation and value are not", "[reference]") {
  const auto tolerance = tolerance_for("image.rgb_to_hsv", "image", 0, 1e-3);
  CHECK(difference(doubles({1, 1, 3}, {0.9999, 1, 1}), doubles({1, 1, 3}, {0.0, 1, 1}), tolerance).empty());
  CHECK_FALSE(difference(doubles({1, 1, 3}, {0.0, 0, 1}), doubles({1, 1, 3}, {0.0, 1, 1}), tolerance).empty());
  CHECK_FALSE(difference(doubles({1, 1, 3}, {0.5, 1, 1}), doubles({1, 1, 3}, {0.0, 1, 1}), tolerance).empty());
}

TEST_CASE("half and bfloat16 answers are compared by value", "[reference]") {
  // 1.5 is 0x3e00 in binary16 and 0x3fc0 in bfloat16.
  const uint16_t half = 0x3e00, brain = 0x3fc0;
  CHECK(difference(Array(DType::f16, {1}, &half, nullptr), doubles({1}, {1.5}), {}).empty());
  CHECK(difference(Array(DType::bf16, {1}, &brain, nullptr), doubles({1}, {1.5}), {}).empty());
}

TEST_CASE("a case offers its options and inputs, and says what no answer or a wrong one was given for", "[reference]") {
  const CaseFile file(
      {{"in/x", doubles({2}, {1, 2})},
       {"in/weights/conv.weight", doubles({1}, {3})},
       {"out/y", doubles({2}, {2, 4})},
       {"out/z", integers({1})}},
      {{"op", "bit.double"},
       {"rtol", "0"},
       {"atol", "1e-6"},
       {"options", R"({"n": 3, "seed": "18446744073709551615", "low": "-inf", "sizes": [1, "2"], "on": true, "name": "a"})"}});
  Case c = file.read();
  CHECK(c.op() == "bit.double");
  CHECK(c.integer("n") == 3);
  CHECK(c.integer("seed") == -1);
  CHECK(c.integer("absent", 7) == 7);
  CHECK(std::isinf(c.number("low")));
  CHECK(c.integers("sizes") == std::vector<int64_t>{1, 2});
  CHECK(c.flag("on"));
  CHECK(c.text("name") == "a");
  CHECK_THROWS_AS(c.integer("absent"), BindingError);
  CHECK_THROWS_AS(c.integer("name"), BindingError);
  CHECK_THROWS_AS(c.input("absent"), BindingError);
  CHECK(c.input_names() == std::vector<std::string>{"weights/conv.weight", "x"});
  CHECK(c.weights().at("conv.weight").item<double>() == 3);

  c.expect("y", c.input("x") * 2);
  c.expect("not listed", 1.0);
  CHECK(c.complaints() == std::vector<std::string>{"z: no answer"});
  c.expect("z", int64_t{2});
  REQUIRE(c.complaints().size() == 1);
  CHECK_THAT(c.complaints()[0], Contains("z: max abs diff 1 at [0]: got 2, expected 1"));
  CHECK_THROWS_AS(c.expect("z", int64_t{1}), BindingError);
}

TEST_CASE("a file without an op is no case, and a negative tolerance is refused", "[reference]") {
  {
    const CaseFile file({}, {{"format", "pt"}});
    CHECK_FALSE(Case::read(file.path()));
  }
  {
    const CaseFile file({}, {{"op", "x"}, {"atol", "-1"}});
    CHECK_THROWS_WITH(file.read(), Contains("atol must be 0 or more, got -1"));
  }
  {
    const CaseFile file({}, {{"op", "x"}, {"atol", "nan"}});
    CHECK_THROWS_AS(file.read(), zoo::Error);
  }
}
