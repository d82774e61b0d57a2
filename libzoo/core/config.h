// Where option values come from: YAML files and key=value words, read into trees that know the line and column of every
// key and value. One ConfigLayer is one source; options.h binds a list of layers to an options struct.
//
//   auto file = zoo::ConfigLayer::from_file("recipes/bit/demo.yaml");
//   auto word = zoo::ConfigLayer::from_override("rule.base_rate=0.1");
#pragma once

#include <libzoo/core/error.h>

#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace zoo {

// A place in a source. Line and column count from 1; line 0 is the source as a whole (a word of the command line).
struct SourcePosition {
  std::string source;
  int line = 0;
  int column = 0;

  std::string text() const;  // "demo.yaml:12:3", or "command line"
};

struct ConfigEntry;

// A value of a configuration: nothing, a scalar, a list or a map. Aliases are already replaced by what they name.
struct ConfigNode {
  enum class Kind { null, scalar, sequence, map };

  Kind kind = Kind::null;
  std::string text;                  // of a scalar
  bool quoted = false;               // a quoted or block scalar is text and never a number
  SourcePosition at;
  std::string origin;                // as a dump's comment gave it; empty: the position is the origin
  std::vector<ConfigNode> items;     // of a sequence
  std::vector<ConfigEntry> entries;  // of a map, in the order of the source, without repeated keys

  const ConfigNode* find(std::string_view key) const;  // of a map; nullptr if it has no such key
  std::string origin_text() const { return origin.empty() ? at.text() : origin; }
};

struct ConfigEntry {
  std::string key;
  SourcePosition at;
  ConfigNode value;
};

// One mistake. `path` is dotted, with [i] for list elements: "train.sources[2].path".
struct ConfigProblem {
  SourcePosition at;
  std::string path;
  std::string message;

  std::string text() const;  // "demo.yaml:12:3: rule.base_rate: must be > 0, is -1"; always one line
};

// All mistakes of all sources; what() has one line each.
class ConfigError : public UserError {
 public:
  explicit ConfigError(std::vector<ConfigProblem> problems, std::string hint = {});
  const std::vector<ConfigProblem>& problems() const noexcept { return problems_; }

 private:
  std::vector<ConfigProblem> problems_;
};

class ConfigLayer {
 public:
  // A YAML 1.2 file that holds one map; an empty file is an empty map. Throws ConfigError with file:line:column if it
  // is not YAML, UserError if it can't be read or is larger than 4 MiB. Repeated keys, merge keys and tags are kept as
  // problems, to be reported with those of binding.
  static ConfigLayer from_file(const std::filesystem::path& path);
  static ConfigLayer from_text(std::string name, std::string_view yaml);

  // "path.to.key=value", the value being YAML. Throws ConfigError.
  static ConfigLayer from_override(std::string_view assignment);

  // One value taken literally (not as YAML), for a flag such as --checkpoint FILE.
  static ConfigLayer from_value(std::string_view path, std::string value);

  const std::string& name() const { return name_; }
  const ConfigNode& root() const { return root_; }
  const std::vector<ConfigProblem>& problems() const { return problems_; }

 private:
  std::string name_;
  ConfigNode root_;
  std::vector<ConfigProblem> problems_;
};

// Which source gave each value: path of a leaf -> "default", "demo.yaml:12:3" or "command line".
class Origins {
 public:
  void set(const std::string& path, std::string origin) { by_path_[path] = std::move(origin); }
  const std::string& at(const std::string& path) const;  // "default" for a path that no source gave
  const std::map<std::string, std::string>& all() const { return by_path_; }

 private:
  std::map<std::string, std::string> by_path_;
};

}  // namespace zoo
