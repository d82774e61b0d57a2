#include "test/catch.h"
#include "test/core/options_sample.h"

#include <libzoo/core/json.h>

#include <cmath>
#include <limits>
#include <random>

using sample::load;
using zoo::ConfigLayer;

namespace {

std::string dump(const std::vector<ConfigLayer>& layers) {
  zoo::Origins origins;
  const sample::Options options = load(layers, &origins);
  return zoo::dump_options(options, origins, "zoo-test run");
}

const char* kEverything =
    "data: {type: image_folder, path: /data/some where, recursive: false}\n"
    "second: {resize: 3, decay_steps: []}\n"
    "extra:\n  - {type: shapes}\n  - {type: image_folder, path: p}\n"
    "weights: {\"a b\": 0.1, \"<<\": 2, \"\": 3, \"null\": 4}\n"
    "folders: {one: {path: x}, two: {}}\n"
    "names: [\"\", null_, 'no', '1.0', ' lead', 'a # b', 'a: b', \"x\\ny\\t\\\"\\\\\", '~', \"'\", 'é', \"\\u2028\", \"\\0\", '- a', '{', "
    "'#']\n"
    "grid: [[1, -2], []]\n"
    "title: |\n  two\n  lines\n";

}  // namespace

TEST_CASE("A dump lists every value with its origin", "[core][options]") {
  const std::string text = dump({ConfigLayer::from_text("a.yaml", "rule:\n  resize: 128\ndata: {type: image_folder, path: x y}"),
                                 ConfigLayer::from_override("augment=true")});
  REQUIRE_THAT(text, Contains("# zoo-test run | "));
  REQUIRE_THAT(text, Contains("\ndata:\n  type: image_folder  ") && Contains("\n  path: \"x y\"  "));
  REQUIRE_THAT(text, Contains("# a.yaml:2:11\n") && Contains("# command line\n"));
  REQUIRE_THAT(text,
               Contains("\nsecond: null  ") && Contains("\nseed: 18446744073709551615  ") && Contains("\n  decay_steps: [100, 200]  "));
  // Each leaf has a comment; the lines without one open a map or list.
  for (size_t start = 0; start < text.size();) {
    const size_t end = text.find('\n', start);
    const std::string line = text.substr(start, end - start);
    REQUIRE((line.find('#') != std::string::npos || line.back() == ':'));
    start = end + 1;
  }
}

TEST_CASE("A dump read back gives the same dump, origins included", "[core][options]") {
  for (const char* yaml : {"", kEverything}) {
    const std::string once = dump({ConfigLayer::from_text("odd # name.yaml", yaml), ConfigLayer::from_override("batch_size=128")});
    REQUIRE(dump({ConfigLayer::from_text("dumped.yaml", once)}) == once);
    const sample::Options direct = load(yaml), back = load(once);
    REQUIRE(back.names == direct.names);
    REQUIRE(back.title == direct.title);
    REQUIRE(back.weights == direct.weights);
    REQUIRE(back.grid == direct.grid);
  }
}

TEST_CASE("A dump that was edited counts as any other file", "[core][options]") {
  std::string text = dump({ConfigLayer::from_text("a.yaml", "batch_size: 128")});
  const size_t at = text.find("batch_size: 128");
  text.replace(at, 15, "batch_size: 256");
  const std::string again = dump({ConfigLayer::from_text("edited.yaml", text)});
  REQUIRE_THAT(again, Contains("batch_size: 256") && Contains("# edited.yaml:"));
  REQUIRE_THAT(again, !Contains("# a.yaml") && !Contains("# default"));
}

TEST_CASE("A value laid over a dump has its own origin", "[core][options]") {
  const std::string text = dump({ConfigLayer::from_text("a.yaml", "batch_size: 128\nsmall: 4")});
  const std::string again = dump({ConfigLayer::from_text("dump.yaml", text), ConfigLayer::from_override("small=5")});
  REQUIRE_THAT(again, Contains("small: 5") && Contains("# command line") && Contains("# a.yaml:1:13"));
}

TEST_CASE("Numbers of any size are written shortest and read back to the same bits", "[core][options]") {
  std::mt19937_64 random(3);
  for (int i = 0; i < 300; ++i) {
    const double value = i == 0 ? 0.1 : i == 1 ? 1e300 : i == 2 ? 5e-324 : std::bit_cast<double>(random());
    if (!std::isfinite(value) || value <= 0) continue;
    sample::Options options;
    options.rule.base_rate = value;
    std::get<sample::Shapes>(options.data).noise = 0.7f;
    const sample::Options back = load(zoo::dump_options(options, {}, "t"));
    REQUIRE(back.rule.base_rate == value);
    REQUIRE(std::get<sample::Shapes>(back.data).noise == 0.7f);
  }
  sample::Options options;
  REQUIRE_THAT(zoo::dump_options(options, {}, "t"), Contains("base_rate: 0.003 ") && Contains("noise: 0.1 "));
}

TEST_CASE("Options become JSON that reads back as options", "[core][options]") {
  const sample::Options options = load(kEverything);
  const zoo::Json json = zoo::options_json(options);
  REQUIRE(json["data"]["type"] == "image_folder");
  REQUIRE(json["rule"]["resize"].is_null());
  REQUIRE(json["rule"]["schedule"] == "code");
  REQUIRE(json["seed"] == UINT64_MAX);
  REQUIRE(json["extra"][0]["noise"] == 0.1);
  REQUIRE(zoo::options_json(load(json.dump())) == json);
}

TEST_CASE("Help has one row per key, with type, default, range and meaning", "[core][options]") {
  const std::string help = zoo::options_help<sample::Options>();
  REQUIRE_THAT(
      help, Contains("  batch_size ") && Contains(" integer ") && Contains(" 64 ") && Contains(" >= 1 ") && Contains(" images a step\n"));
  REQUIRE_THAT(help,
               Contains("  data.type ") && Contains(" shapes, image_folder ") && Contains(" a folder per class (type image_folder)\n"));
  REQUIRE_THAT(help, Contains("  extra[].classes ") && Contains("  folders.<name>.path ") && Contains("  second.resize ") &&
                         Contains(" divides batch_size "));
  REQUIRE_THAT(help, Contains(" in [1, 1000] "));
  // Aligned: the types of two short keys stand below each other.
  const auto column = [&](const char* key, const char* type) {
    const size_t start = help.find(key);
    return help.find(type, start) - start;
  };
  REQUIRE(column("  small ", "integer") == column("  batch_size ", "integer"));

  const std::string table = zoo::options_markdown<sample::Options>();
  REQUIRE_THAT(table, Contains("| key | type | default | range | meaning |\n|---|---|---|---|---|\n"));
  REQUIRE_THAT(table, Contains("| `rule.base_rate` | number | `0.003` | > 0 | learning rate |\n"));
}
