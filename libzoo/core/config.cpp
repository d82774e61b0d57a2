#include <libzoo/core/config.h>
#include <libzoo/core/dump_mark.h>
#include <libzoo/core/scalar_text.h>
#include <libzoo/core/yaml_reader.h>

#include <fmt/format.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <utility>

namespace zoo {
namespace {

constexpr size_t kMaxFile = size_t(4) << 20;
constexpr const char* kCommandLine = "command line";

std::string joined(const std::vector<ConfigProblem>& problems) {
  std::string text;
  for (const ConfigProblem& problem : problems) text += (text.empty() ? "" : "\n") + problem.text();
  return text;
}

// An empty source is an empty map.
void require_map(ConfigNode& root) {
  if (root.kind == ConfigNode::Kind::null) root.kind = ConfigNode::Kind::map;
  if (root.kind != ConfigNode::Kind::map) {
    throw ConfigError(
        {{root.at, "",
          fmt::format("must hold a map of options, holds {}", root.kind == ConfigNode::Kind::sequence ? "a list" : shown(root.text))}});
  }
}

void forget_positions(ConfigNode& node) {
  node.at = {kCommandLine, 0, 0};
  for (ConfigNode& item : node.items) forget_positions(item);
  for (ConfigEntry& entry : node.entries) {
    entry.at = node.at;
    forget_positions(entry.value);
  }
}

// The map that holds `value` at the dotted path.
ConfigNode nested(std::string_view path, ConfigNode value) {
  for (std::string_view rest = path;;) {
    const size_t dot = rest.rfind('.');
    const std::string_view key = dot == rest.npos ? rest : rest.substr(dot + 1);
    if (key.empty()) throw ConfigError({{{kCommandLine, 0, 0}, std::string(path), "not a path of keys such as train.batch_size"}});
    ConfigNode map;
    map.kind = ConfigNode::Kind::map;
    map.at = {kCommandLine, 0, 0};
    map.entries.push_back({std::string(key), map.at, std::move(value)});
    value = std::move(map);
    if (dot == rest.npos) return value;
    rest = rest.substr(0, dot);
  }
}

}  // namespace

std::string SourcePosition::text() const { return line == 0 ? one_line(source) : fmt::format("{}:{}:{}", one_line(source), line, column); }

const ConfigNode* ConfigNode::find(std::string_view key) const {
  for (const ConfigEntry& entry : entries)
    if (entry.key == key) return &entry.value;
  return nullptr;
}

std::string ConfigProblem::text() const {
  return path.empty() ? fmt::format("{}: {}", at.text(), one_line(message))
                      : fmt::format("{}: {}: {}", at.text(), one_line(path), one_line(message));
}

ConfigError::ConfigError(std::vector<ConfigProblem> problems, std::string hint)
    : UserError(joined(problems), std::move(hint)), problems_(std::move(problems)) {}

ConfigLayer ConfigLayer::from_file(const std::filesystem::path& path) {
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored)) throw UserError(fmt::format("{}: is a folder, not a YAML file", path.string()));
  std::ifstream file(path, std::ios::binary);
  if (!file) throw UserError(fmt::format("{}: {}", path.string(), std::strerror(errno)));
  std::string text;
  char buffer[1 << 16];
  while (file.read(buffer, sizeof buffer), file.gcount() > 0) {
    text.append(buffer, size_t(file.gcount()));
    if (text.size() > kMaxFile)
      throw UserError(fmt::format("{}: larger than {} MiB, not a file of options", path.string(), kMaxFile >> 20));
  }
  return from_text(path.string(), text);
}

ConfigLayer ConfigLayer::from_text(std::string name, std::string_view yaml) {
  ConfigLayer layer;
  layer.name_ = std::move(name);
  layer.root_ = read_yaml(layer.name_, yaml, layer.problems_);
  require_map(layer.root_);
  if (is_unedited_dump(yaml)) restore_origins(layer.root_, yaml);
  return layer;
}

ConfigLayer ConfigLayer::from_override(std::string_view assignment) {
  const SourcePosition at{kCommandLine, 0, 0};
  const size_t equals = assignment.find('=');
  if (equals == assignment.npos) throw ConfigError({{at, "", fmt::format("{} is not of the form key=value", shown(assignment))}});
  const std::string path(assignment.substr(0, equals));
  ConfigLayer layer;
  layer.name_ = kCommandLine;
  ConfigNode value;
  try {
    value = read_yaml(kCommandLine, assignment.substr(equals + 1), layer.problems_);
  } catch (const ConfigError& e) {
    throw ConfigError({{at, path, e.problems().front().message}},
                      "the value is read as YAML; put quotes around text with special characters");
  }
  forget_positions(value);
  for (ConfigProblem& problem : layer.problems_) {
    problem.at = at;
    problem.path = problem.path.empty() ? path : path + '.' + problem.path;
  }
  layer.root_ = nested(path, std::move(value));
  return layer;
}

ConfigLayer ConfigLayer::from_value(std::string_view path, std::string value) {
  ConfigNode node;
  node.kind = ConfigNode::Kind::scalar;
  node.text = std::move(value);
  node.at = {kCommandLine, 0, 0};
  ConfigLayer layer;
  layer.name_ = kCommandLine;
  layer.root_ = nested(path, std::move(node));
  return layer;
}

const std::string& Origins::at(const std::string& path) const {
  static const std::string none = "default";
  const auto found = by_path_.find(path);
  return found == by_path_.end() ? none : found->second;
}

}  // namespace zoo
