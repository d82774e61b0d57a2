#include "test/catch.h"
#include "test/core/options_sample.h"

#include <cmath>
#include <fstream>

using sample::load;
using sample::mistakes;
using zoo::ConfigLayer;

TEST_CASE("Layers are laid over each other key by key, and the highest wins", "[core][options]") {
  zoo::Origins origins;
  auto o = load({ConfigLayer::from_text("low.yaml", "rule: {base_rate: 0.5, schedule: paper}\nnames: [a, b, c]\nbatch_size: 8\n"),
                 ConfigLayer::from_text("high.yaml", "rule:\n  base_rate: 1e-3\nnames: [d]\nweights: {aux: 2}\n"),
                 ConfigLayer::from_override("rule.resize=32")},
                &origins);
  REQUIRE(o.rule.base_rate == 1e-3);
  REQUIRE(o.rule.schedule == sample::Schedule::paper);
  REQUIRE(o.rule.resize == 32);
  REQUIRE(o.names == std::vector<std::string>{"d"});
  REQUIRE(o.batch_size == 8);
  REQUIRE(o.weights == std::map<std::string, double>{{"aux", 2}, {"loss", 1}});
  REQUIRE(origins.at("rule.base_rate") == "high.yaml:2:14");
  REQUIRE(origins.at("rule.schedule") == "low.yaml:1:34");
  REQUIRE(origins.at("rule.resize") == "command line");
  REQUIRE(origins.at("title") == "default");
}

TEST_CASE("A file with five mistakes is answered with five lines and one suggestion", "[core][options]") {
  const std::string text = mistakes(
      "data: &d {type: shapes}\n"
      "rule:\n"
      "  base_rat: 0.1\n"
      "  base_rate: fast\n"
      "batch_size: 0\n"
      "title: x\n"
      "title: y\n"
      "folders:\n"
      "  <<: *d\n");
  REQUIRE(text ==
          "a.yaml:3:3: rule.base_rat: unknown key (did you mean 'base_rate'?)\n"
          "a.yaml:4:14: rule.base_rate: expected a number, found 'fast'\n"
          "a.yaml:5:13: batch_size: must be >= 1, is 0\n"
          "a.yaml:7:1: title: the key is repeated; it was given in line 6\n"
          "a.yaml:9:3: folders.<<: YAML merge keys are not supported; write the values out, or give a second --config file");
}

TEST_CASE("Mistakes of several sources come in the order of the sources", "[core][options]") {
  REQUIRE(mistakes({ConfigLayer::from_text("z.yaml", "augment: 1\nbatch_size: x"), ConfigLayer::from_text("a.yaml", "small: -1"),
                    ConfigLayer::from_override("smal=2")}) ==
          "z.yaml:1:10: augment: expected true or false, found '1'\n"
          "z.yaml:2:13: batch_size: expected an integer, found 'x'\n"
          "a.yaml:1:8: small: '-1' does not fit an unsigned 8-bit integer\n"
          "command line: smal: unknown key (did you mean 'small'?)");
}

TEST_CASE("A suggestion is made only for a close name", "[core][options]") {
  REQUIRE_THAT(mistakes("batchsize: 3"), Contains("did you mean 'batch_size'?"));
  REQUIRE_THAT(mistakes("Batch-Size: 3"), Contains("did you mean 'batch_size'?"));
  REQUIRE_THAT(mistakes("rule: {schedule: papre}"), Contains("must be one of code, paper, is 'papre' (did you mean 'paper'?)"));
  REQUIRE_THAT(mistakes("data: {type: shape}"), Contains("must be one of shapes, image_folder, is 'shape' (did you mean 'shapes'?)"));
  REQUIRE_THAT(mistakes("learning_rate: 3"), !Contains("did you mean"));
  REQUIRE_THAT(mistakes("rule: {lr: 3}"), Contains("unknown key (known here: resize, base_rate, schedule, decay_steps)"));
}

TEST_CASE("Scalars are read strictly", "[core][options]") {
  REQUIRE(load("title: no").title == "no");
  REQUIRE(load("title: 1.0").title == "1.0");
  REQUIRE(load("title: !!str 5").title == "5");
  for (const char* word : {"yes", "no", "on", "True", "1", "\"true\""})
    REQUIRE_THAT(mistakes(std::string("augment: ") + word), Contains("expected true or false"));
  for (const char* word : {"1_000", "5x", "0x10", "\"5\"", "5 6", "", "~", "[5]", "{}", "nan", "1.5", "--5"}) {
    CAPTURE(word);
    REQUIRE_THAT(mistakes(std::string("batch_size: ") + word), Contains("a.yaml:1:") && Contains("batch_size: expected an integer"));
  }
  REQUIRE_THAT(mistakes("batch_size: 1e3"), Contains("expected an integer, found '1e3' (write 1000)"));
  for (const char* word : {"1_000.0", "1.0f", "1e", "e5", ".", "\"0.1\"", "0x1p3", "1,5"}) {
    CAPTURE(word);
    REQUIRE_THAT(mistakes(std::string("rule: {base_rate: '") + word + "'}"), Contains("expected a number"));
    if (word[0] != '"') REQUIRE_THAT(mistakes(std::string("rule:\n  base_rate: ") + word), Contains("expected a number"));
  }
  REQUIRE(load("rule: {base_rate: +.5e+1}").rule.base_rate == 5);
  REQUIRE(load("rule: {base_rate: 7}").rule.base_rate == 7);
  REQUIRE_THAT(mistakes("rule: {base_rate: .inf}"), Contains("must be a finite number > 0, is .inf"));
  REQUIRE_THAT(mistakes("rule: {base_rate: nan}"), Contains("must be a finite number > 0, is .nan"));
  REQUIRE_THAT(mistakes("rule: {base_rate: 1e999}"), Contains("'1e999' does not fit 64 bits of floating point"));
  REQUIRE_THAT(mistakes("data: {noise: 1e39}"), Contains("'1e39' does not fit 32 bits"));
  REQUIRE_THAT(mistakes("title: ~"), Contains("expected text, found nothing; write \"\" for empty text"));
}

TEST_CASE("Integers that do not fit are refused at both ends", "[core][options]") {
  REQUIRE(load("small: 255").small == 255);
  REQUIRE_THAT(mistakes("small: 256"), Contains("'256' does not fit an unsigned 8-bit integer"));
  REQUIRE(load("batch_size: 9223372036854775807").batch_size == INT64_MAX);
  REQUIRE_THAT(mistakes("batch_size: 9223372036854775808"), Contains("does not fit a signed 64-bit integer"));
  REQUIRE(load("seed: 18446744073709551615").seed == UINT64_MAX);
  REQUIRE_THAT(mistakes("seed: 18446744073709551616"), Contains("does not fit an unsigned 64-bit integer"));
  REQUIRE_THAT(mistakes("data: {classes: 2147483648}"), Contains("does not fit a signed 32-bit integer"));
  REQUIRE(load("grid: [[-2147483648]]").grid[0][0] == INT32_MIN);
}

TEST_CASE("A variant keeps its values while the type stays, and starts anew when it changes", "[core][options]") {
  const auto low = ConfigLayer::from_text("low.yaml", "data: {type: shapes, classes: 7, noise: 0.5}");
  auto same = load({low, ConfigLayer::from_text("high.yaml", "data: {type: shapes, noise: 0.25}")});
  REQUIRE(std::get<sample::Shapes>(same.data).classes == 7);
  REQUIRE(std::get<sample::Shapes>(same.data).noise == 0.25f);

  zoo::Origins origins;
  auto other = load({low, ConfigLayer::from_text("high.yaml", "data: {type: image_folder, path: x}")}, &origins);
  REQUIRE(std::get<sample::Folder>(other.data).path == "x");
  REQUIRE(origins.at("data.classes") == "default");
  REQUIRE(origins.at("data.type") == "high.yaml:1:14");

  // Back again: the first layer's values are gone for good.
  auto back = load({low, ConfigLayer::from_override("data.type=image_folder"), ConfigLayer::from_override("data.type=shapes")});
  REQUIRE(std::get<sample::Shapes>(back.data).classes == 10);

  // Without `type`, the one that is held is meant; in a list there is none to mean.
  REQUIRE(std::get<sample::Shapes>(load("data: {classes: 3}").data).classes == 3);
  REQUIRE(mistakes("extra: [{classes: 3}]") == "a.yaml:1:9: extra[0]: needs a type, one of shapes, image_folder");
  REQUIRE(mistakes("data: {type: image_folder, classes: 3}") ==
          "a.yaml:1:28: data.classes: unknown key (known here: path, recursive, type)");
}

TEST_CASE("Null unsets an optional and leaves a struct as it is", "[core][options]") {
  auto o = load({ConfigLayer::from_text("low.yaml", "second: {base_rate: 1}\nrule: {resize: 4}"),
                 ConfigLayer::from_text("high.yaml", "second:\nrule:\n  resize: null\ndata:\n")});
  REQUIRE(!o.second);
  REQUIRE(!o.rule.resize);
  REQUIRE(std::get<sample::Shapes>(o.data).classes == 10);
  auto again = load({ConfigLayer::from_text("low.yaml", "second:"), ConfigLayer::from_text("high.yaml", "second: {resize: 2}")});
  REQUIRE(again.second->resize == 2);
  REQUIRE(again.second->base_rate == 0.003);
}

TEST_CASE("Lists and maps of structs name their elements in messages", "[core][options]") {
  auto o =
      load("extra:\n  - {type: shapes, classes: 5}\n  - type: image_folder\n    path: p\nfolders: {b: {path: q}}\ngrid: [[1, 2], []]\n");
  REQUIRE(std::get<sample::Shapes>(o.extra[0]).classes == 5);
  REQUIRE(std::get<sample::Folder>(o.extra[1]).path == "p");
  REQUIRE(o.folders.at("b").path == "q");
  REQUIRE(o.grid == std::vector<std::vector<int>>{{1, 2}, {}});
  REQUIRE(mistakes("extra:\n  - {type: shapes, classes: 5000}\nfolders: {b: {pth: q}}\ngrid: [[1], [x]]\nweights: {a: -1}\nnames: x") ==
          "a.yaml:2:29: extra[0].classes: must be in [1, 1000], is 5000\n"
          "a.yaml:3:15: folders.b.pth: unknown key (did you mean 'path'?)\n"
          "a.yaml:4:14: grid[1][0]: expected an integer, found 'x'\n"
          "a.yaml:5:14: weights.a: must be >= 0, is -1.0\n"
          "a.yaml:6:8: names: expected a list, found 'x'");
}

TEST_CASE("Checks that look at other values wait until all are known", "[core][options]") {
  REQUIRE(mistakes("accumulation_steps: 3\n") == "a.yaml:1:21: accumulation_steps: must divide batch_size (64), is 3");
  REQUIRE(mistakes({ConfigLayer::from_text("a.yaml", "accumulation_steps: 3"), ConfigLayer::from_override("batch_size=9")}) == "");
  REQUIRE(mistakes("accumulation_steps: 0") == "a.yaml:1:21: accumulation_steps: must divide batch_size (64), is 0");
  REQUIRE(mistakes("\naugment: true\nbatch_size: 1") == "a.yaml:2:10: augment: needs batch_size > 1");
  REQUIRE(mistakes("title: \"\"") == "a.yaml:1:8: title: must not be empty");
}

namespace sample {

struct Files {
  std::filesystem::path checkpoint, folder, either, unset;
  std::optional<std::filesystem::path> maybe;
  std::string label;
  std::vector<int> sizes;
  int side = 32;
  std::string mode = "fast";
};
template <class Field>
void fields(Field& field, Files& o) {
  field("checkpoint", o.checkpoint, "weights to start from", zoo::required(), zoo::existing_file());
  field("folder", o.folder, "", zoo::existing_directory());
  field("either", o.either, "", zoo::existing_path());
  field("unset", o.unset, "", zoo::existing_file());
  field("maybe", o.maybe, "", zoo::existing_file());
  field("label", o.label, "", zoo::not_empty());
  field("sizes", o.sizes, "", zoo::not_empty(), zoo::at_most(9));
  field("side", o.side, "", zoo::one_of({32, 64}));
  field("mode", o.mode, "", zoo::one_of({"fast", "exact"}));
}
std::string file_mistakes(std::string_view yaml) {
  Files files;
  try {
    zoo::load_options(files, {ConfigLayer::from_text("f.yaml", yaml)});
  } catch (const zoo::ConfigError& e) {
    return e.what();
  }
  return "";
}

}  // namespace sample

TEST_CASE("Missing values and missing files are reported where they should have been", "[core][options]") {
  REQUIRE(sample::file_mistakes("") ==
          "f.yaml:1:1: checkpoint: required, not given: weights to start from\n"
          "f.yaml:1:1: label: must not be empty\n"
          "f.yaml:1:1: sizes: must not be empty");
  REQUIRE(
      sample::file_mistakes(
          "label: a\nsizes: [1, 10]\ncheckpoint: /nowhere/x.npz\nfolder: /dev/null\neither: /nowhere\nmaybe: /\nside: 33\nmode: exac\n") ==
      "f.yaml:2:12: sizes[1]: must be <= 9, is 10\n"
      "f.yaml:3:13: checkpoint: no such file: '/nowhere/x.npz'\n"
      "f.yaml:4:9: folder: must be a folder, '/dev/null' is a file\n"
      "f.yaml:5:9: either: no such file or folder: '/nowhere'\n"
      "f.yaml:6:8: maybe: must be a file, '/' is a folder\n"
      "f.yaml:7:7: side: must be one of 32, 64, is 33\n"
      "f.yaml:8:7: mode: must be one of fast, exact, is 'exac' (did you mean 'exact'?)");
  REQUIRE(sample::file_mistakes("checkpoint: /dev/null\nlabel: x\nsizes: [1]") == "");
}

TEST_CASE("Only the file that is used in the end must exist", "[core][options]") {
  sample::Files files;
  REQUIRE_NOTHROW(zoo::load_options(files, {ConfigLayer::from_text("f.yaml", "checkpoint: /nowhere\nlabel: x\nsizes: [1]"),
                                            ConfigLayer::from_override("checkpoint=/dev/null")}));
}

TEST_CASE("A message stays one line whatever the file holds", "[core][options]") {
  const std::string text = mistakes("\"a\\nb\": 1\nbatch_size: \"x\\ny\\e[31m\"\nrule:\n  schedule: " + std::string(5000, 'x'));
  REQUIRE(std::count(text.begin(), text.end(), '\n') == 2);
  REQUIRE(text.find('\x1b') == std::string::npos);
  REQUIRE(text.size() < 700);
}
