#include "test/fuzz/targets.h"

#include <libzoo/core/config.h>
#include <libzoo/core/json.h>
#include <libzoo/core/options.h>
#include <libzoo/io/label_list.h>

#include <optional>

namespace zoo::fuzz {
namespace {

std::string_view text_of(std::span<const uint8_t> input) { return {reinterpret_cast<const char*>(input.data()), input.size()}; }

// Options with a member of most kinds, so that binding sees every kind of value.
struct Inner {
  double rate = 0.1;
  std::vector<int64_t> sizes{1, 2};
};
template <class Field>
void fields(Field& field, Inner& o) {
  field("rate", o.rate, "a number");
  field("sizes", o.sizes, "a list");
}

struct Outer {
  int64_t steps = 10;
  bool flag = false;
  std::string name = "x";
  std::optional<int64_t> limit;
  std::map<std::string, double> weights;
  Inner inner;
};
template <class Field>
void fields(Field& field, Outer& o) {
  field("steps", o.steps, "a count");
  field("flag", o.flag, "a truth value");
  field("name", o.name, "a text");
  field("limit", o.limit, "a count or nothing");
  field("weights", o.weights, "numbers by name");
  field("inner", o.inner, "a struct");
}

void parse_config(std::span<const uint8_t> input) {
  const std::vector<ConfigLayer> layers{ConfigLayer::from_text("input", text_of(input))};
  Outer options;
  load_options(options, layers);
  consume(options.name);
}

// The first byte chooses the format.
void parse_list(std::span<const uint8_t> input) {
  if (input.empty()) return;
  const auto format = input[0] == 'j' ? io::LabelListFormat::json_lines : io::LabelListFormat::csv;
  for (const auto& item : io::parse_label_list(text_of(input.subspan(1)), format, "input")) {
    consume(item.path);
    for (const auto& label : item.labels) consume(label);
  }
}

constexpr const char* kYaml = R"(# a comment
steps: 20
flag: true
name: "quoted \u00e9 text"
limit: ~
weights: {a: 1.5, b: .inf}
inner:
  rate: 1e-3
  sizes: [1, 2, 3]
)";
constexpr const char* kAliases = "inner: &a\n  rate: 2\nweights:\n  x: 1\nname: |\n  block\n  text\n";

}  // namespace

std::vector<Target> text_targets() {
  return {
      {.name = "json",
       .parse = [](auto input) { consume(parse_json(text_of(input), "input").dump(-1, ' ', false, Json::error_handler_t::replace)); },
       .seeds =
           [] {
             return std::vector<Input>{to_input(R"({"a": [1, -2.5e3, true, null], "b": {"c": "\u00e9\n\ud83d\ude00", "d": []}})"),
                                       to_input("[[[[[1]]]]]")};
           }},
      {.name = "config", .parse = parse_config, .seeds = [] { return std::vector<Input>{to_input(kYaml), to_input(kAliases)}; }},
      {.name = "label_list",
       .parse = parse_list,
       .seeds =
           [] {
             return std::vector<Input>{to_input("cpath,labels\r\na.jpg,cat;dog\n\"b, c.png\",\"x \"\"y\"\";z\"\nd,\n"),
                                       to_input("j{\"path\": \"a\", \"labels\": [\"b\", \"c\"]}\n{\"path\": \"d\", \"labels\": []}\n")};
           }},
  };
}

}  // namespace zoo::fuzz
