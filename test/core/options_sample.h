// Option structs of every kind of member, for the tests of this folder.
#pragma once

#include <libzoo/core/options.h>

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace sample {

enum class Schedule { code, paper };
constexpr auto enum_names(Schedule) { return zoo::EnumNames<Schedule, 2>{{{Schedule::code, "code"}, {Schedule::paper, "paper"}}}; }

struct Rule {
  std::optional<int64_t> resize;
  double base_rate = 0.003;
  Schedule schedule = Schedule::code;
  std::vector<int64_t> decay_steps = {100, 200};
};

template <class Field>
void fields(Field& field, Rule& o) {
  field("resize", o.resize, "pixels", zoo::at_least(1));
  field("base_rate", o.base_rate, "learning rate", zoo::positive());
  field("schedule", o.schedule, "when the rate drops");
  field("decay_steps", o.decay_steps, "steps", zoo::at_least(0));
}

struct Folder {
  static constexpr const char* kType = "image_folder";
  std::filesystem::path path;
  bool recursive = true;
};

template <class Field>
void fields(Field& field, Folder& o) {
  field("path", o.path, "a folder per class");
  field("recursive", o.recursive, "look into folders of folders");
}

struct Shapes {
  static constexpr const char* kType = "shapes";
  int classes = 10;
  float noise = 0.1f;
};

template <class Field>
void fields(Field& field, Shapes& o) {
  field("classes", o.classes, "number of classes", zoo::between(1, 1000));
  field("noise", o.noise, "", zoo::between(0, 1));
}

using Data = std::variant<Shapes, Folder>;

struct Options {
  Data data;
  Rule rule;
  std::optional<Rule> second;
  std::vector<Data> extra;
  std::map<std::string, double> weights = {{"loss", 1.0}};
  std::map<std::string, Folder> folders;
  std::vector<std::string> names;
  std::vector<std::vector<int>> grid;
  std::string title = "a title";
  int64_t batch_size = 64;
  int64_t accumulation_steps = 1;
  uint8_t small = 3;
  uint64_t seed = 18446744073709551615u;
  bool augment = false;
};

template <class Field>
void fields(Field& field, Options& o) {
  field("data", o.data, "images");
  field("rule", o.rule, "the schedule");
  field("second", o.second, "another schedule");
  field("extra", o.extra, "more images");
  field("weights", o.weights, "of the losses", zoo::non_negative());
  field("folders", o.folders, "by name");
  field("names", o.names, "any text");
  field("grid", o.grid, "of numbers");
  field("title", o.title, "shown above", zoo::not_empty());
  field("batch_size", o.batch_size, "images a step", zoo::at_least(1));
  field("accumulation_steps", o.accumulation_steps, "micro-batches", zoo::divides(o.batch_size));
  field("small", o.small, "a byte");
  field("seed", o.seed, "any 64 bits");
  field("augment", o.augment, "random crops");
}

inline void check(const Options& o, zoo::Problems& problems) {
  if (o.augment && o.batch_size == 1) problems.add("augment", "needs batch_size > 1");
}

inline Options load(const std::vector<zoo::ConfigLayer>& layers, zoo::Origins* origins = nullptr) {
  Options options;
  zoo::load_options(options, layers, origins);
  return options;
}

inline Options load(std::string_view yaml, zoo::Origins* origins = nullptr) {
  return load({zoo::ConfigLayer::from_text("a.yaml", yaml)}, origins);
}

// What ConfigError says, or "" if nothing is wrong.
inline std::string mistakes(const std::vector<zoo::ConfigLayer>& layers) {
  try {
    load(layers);
  } catch (const zoo::ConfigError& e) {
    return e.what();
  }
  return "";
}

inline std::string mistakes(std::string_view yaml) {
  try {
    return mistakes({zoo::ConfigLayer::from_text("a.yaml", yaml)});
  } catch (const zoo::ConfigError& e) {
    return e.what();
  }
}

}  // namespace sample
