// Options: a plain aggregate with defaults, and one function that names each member once. From that one description
// come YAML parsing with positions, key=value overrides, --help, --dump-config and the reference page in docs/.
//
//   struct RuleOptions { std::optional<int64_t> resize; double base_rate = 0.003; Schedule schedule = Schedule::code; };
//   template <class Field> void fields(Field& field, RuleOptions& o) {
//     field("resize", o.resize, "pixels, square, before the crop", at_least(1));
//     field("base_rate", o.base_rate, "learning rate at batch 512", positive());
//     field("schedule", o.schedule, "steps at which the rate drops");     // enum: see enum_names below
//   }
//
// Members may be bool, integers, double, float, std::string, std::filesystem::path, enums, other option structs, and
// std::optional, std::vector, std::map<std::string, …> and std::variant of these. A variant holds option structs, each
// with `static constexpr const char* kType = "image_folder";`, chosen by the key `type`.
// An enum E is described by an ADL function:
//   constexpr auto enum_names(Schedule) { return zoo::EnumNames<Schedule, 2>{{{Schedule::code, "code"}, …}}; }
//
// A cross-check over a whole struct is an optional ADL function
//   void check(const RuleOptions& o, zoo::Problems& problems) { if (…) problems.add("resize", "must be …"); }
#pragma once

#include <libzoo/core/config.h>
#include <libzoo/core/field_tree.h>
#include <libzoo/core/json_fwd.h>

#include <string>
#include <vector>

namespace zoo {

// Fills `options` (defaults on entry) from the layers, lowest first. All mistakes of all layers are collected and
// thrown together as one ConfigError (a UserError) with a line each: file:line:column: path.to.key: what is wrong.
template <class Options>
void load_options(Options& options, const std::vector<ConfigLayer>& layers, Origins* origins = nullptr) {
  bind_options(zoo::describe(options), layers, origins);
}

// YAML with the origin of each value as a comment; reads back to the same dump.
template <class Options>
std::string dump_options(Options options, const Origins& origins, const std::string& title) {
  return zoo::dump(zoo::describe(options), origins, title);
}

// One line per field: path, type, default, range, help.
template <class Options>
std::string options_help() {
  Options defaults{};
  return zoo::help_text(zoo::describe(defaults));
}

// The same as a Markdown table.
template <class Options>
std::string options_markdown() {
  Options defaults{};
  return zoo::markdown_table(zoo::describe(defaults));
}

template <class Options>
auto options_json(Options options) {
  return zoo::to_json(zoo::describe(options));
}  // a Json; include <libzoo/core/json.h>

}  // namespace zoo
