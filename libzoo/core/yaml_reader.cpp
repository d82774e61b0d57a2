#include <libzoo/core/scalar_text.h>
#include <libzoo/core/yaml_reader.h>

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <istream>
#include <map>
#include <memory>
#include <streambuf>
#include <unordered_set>
#include <utility>

namespace zoo {
namespace {

constexpr size_t kMaxDepth = 64;
constexpr size_t kMaxNodes = 100'000;
constexpr size_t kMaxText = size_t(16) << 20;

[[noreturn]] void refuse(SourcePosition at, std::string path, std::string message) {
  throw ConfigError({ConfigProblem{std::move(at), std::move(path), std::move(message)}});
}

struct Size {
  size_t nodes = 0, text = 0;
};

Size size_of(const ConfigNode& node) {
  Size total{1, node.text.size() + node.at.source.size()};
  for (const ConfigNode& item : node.items) {
    const Size size = size_of(item);
    total.nodes += size.nodes;
    total.text += size.text;
  }
  for (const ConfigEntry& entry : node.entries) {
    const Size size = size_of(entry.value);
    total.nodes += size.nodes;
    total.text += size.text + entry.key.size();
  }
  return total;
}

size_t depth_of(const ConfigNode& node) {
  size_t deepest = 0;
  for (const ConfigNode& item : node.items) deepest = std::max(deepest, depth_of(item));
  for (const ConfigEntry& entry : node.entries) deepest = std::max(deepest, depth_of(entry.value));
  return deepest + (node.kind == ConfigNode::Kind::sequence || node.kind == ConfigNode::Kind::map);
}

class TreeBuilder : public YAML::EventHandler {
 public:
  TreeBuilder(const std::string& source, std::vector<ConfigProblem>& problems) : source_(source), problems_(problems) {}

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (documents_++ > 0) refuse(position(mark), "", "a second YAML document starts here; one file holds one");
  }
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override { add(ConfigNode{}, mark, anchor); }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor, const std::string& value) override {
    ConfigNode node;
    node.kind = ConfigNode::Kind::scalar;
    node.text = value;
    node.quoted = tag != "?" && !tag.empty();
    if (tag.size() > 1 && tag != "tag:yaml.org,2002:str") refuse_tag(tag, position(mark));
    add(std::move(node), mark, anchor);
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor, YAML::EmitterStyle::value) override {
    open(mark, tag, anchor, ConfigNode::Kind::sequence);
  }
  void OnSequenceEnd() override { close(); }

  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor, YAML::EmitterStyle::value) override {
    open(mark, tag, anchor, ConfigNode::Kind::map);
  }
  void OnMapEnd() override { close(); }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const SourcePosition at = position(mark);
    const auto named = anchors_.find(anchor);
    if (named == anchors_.end()) refuse(at, path(), "the alias is part of what it names");
    if (wants_key()) refuse(at, path(), "a key must be plain text, not an alias");
    spend(named->second.size, at);
    if (open_.size() + named->second.depth > kMaxDepth) refuse_depth(at);
    ConfigNode copy = named->second.node;
    copy.at = at;
    place(std::move(copy));
  }

  ConfigNode root;

 private:
  struct Open {
    ConfigNode node;
    YAML::anchor_t anchor = 0;
    std::unordered_set<std::string> keys;
    std::map<std::string, int> lines;
    bool has_key = false, keep = true;
    std::string key;
    SourcePosition key_at;
  };
  struct Anchored {
    ConfigNode node;
    Size size;
    size_t depth;
  };

  SourcePosition position(const YAML::Mark& mark) const {
    return mark.is_null() ? SourcePosition{source_, 1, 1} : SourcePosition{source_, mark.line + 1, mark.column + 1};
  }

  std::string path() const {
    std::string text;
    for (const Open& level : open_) {
      if (level.node.kind == ConfigNode::Kind::sequence)
        text += fmt::format("[{}]", level.node.items.size());
      else if (level.has_key)
        text += (text.empty() ? "" : ".") + level.key;
    }
    return text;
  }

  void refuse_tag(const std::string& tag, const SourcePosition& at) {
    problems_.push_back({at, path(), fmt::format("the YAML tag {} is not supported", shown(tag))});
  }
  [[noreturn]] void refuse_depth(const SourcePosition& at) const { refuse(at, "", fmt::format("nested deeper than {} levels", kMaxDepth)); }

  void spend(const Size& size, const SourcePosition& at) {
    spent_.nodes += size.nodes;
    spent_.text += size.text;
    if (spent_.nodes > kMaxNodes) refuse(at, "", fmt::format("more than {} values, aliases counted as what they name", kMaxNodes));
    if (spent_.text > kMaxText) refuse(at, "", fmt::format("more than {} MiB of text, aliases counted as what they name", kMaxText >> 20));
  }

  bool wants_key() const { return !open_.empty() && open_.back().node.kind == ConfigNode::Kind::map && !open_.back().has_key; }

  void open(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor, ConfigNode::Kind kind) {
    const SourcePosition at = position(mark);
    if (tag.size() > 1) refuse_tag(tag, at);
    if (wants_key()) refuse(at, path(), "a key must be plain text; is a bracket left open?");
    if (open_.size() >= kMaxDepth) refuse_depth(at);
    spend({1, 0}, at);
    Open level;
    level.node.kind = kind;
    level.node.at = at;
    level.anchor = anchor;
    open_.push_back(std::move(level));
  }

  void close() {
    Open level = std::move(open_.back());
    open_.pop_back();
    remember(level.node, level.anchor);
    place(std::move(level.node));
  }

  void add(ConfigNode node, const YAML::Mark& mark, YAML::anchor_t anchor) {
    node.at = position(mark);
    spend({1, node.text.size() + node.at.source.size()}, node.at);
    if (wants_key()) {
      if (node.kind != ConfigNode::Kind::scalar) refuse(node.at, path(), "a key must be text; put quotes around it");
      take_key(std::move(node));
      return;
    }
    remember(node, anchor);
    // yaml-cpp places an empty value at whatever follows it.
    if (node.kind == ConfigNode::Kind::null && !open_.empty() && open_.back().has_key) node.at = open_.back().key_at;
    place(std::move(node));
  }

  void take_key(ConfigNode node) {
    Open& level = open_.back();
    level.has_key = true;
    level.key_at = node.at;
    level.key = node.text;
    if (node.text == "<<" && !node.quoted) {
      level.keep = false;
      problems_.push_back({node.at, path(), "YAML merge keys are not supported; write the values out, or give a second --config file"});
    } else if (!level.keys.insert(node.text).second) {
      level.keep = false;
      problems_.push_back({node.at, path(), fmt::format("the key is repeated; it was given in line {}", level.lines[node.text])});
    } else {
      level.keep = true;
      level.lines[node.text] = node.at.line;
    }
  }

  void remember(const ConfigNode& node, YAML::anchor_t anchor) {
    if (anchor == 0) return;
    const Size size = size_of(node);
    spend(size, node.at);
    anchors_.insert_or_assign(anchor, Anchored{node, size, depth_of(node)});
  }

  void place(ConfigNode node) {
    if (open_.empty()) {
      root = std::move(node);
      return;
    }
    Open& level = open_.back();
    if (level.node.kind == ConfigNode::Kind::sequence) {
      level.node.items.push_back(std::move(node));
      return;
    }
    level.has_key = false;
    if (level.keep) level.node.entries.push_back({std::move(level.key), std::move(level.key_at), std::move(node)});
  }

  const std::string& source_;
  std::vector<ConfigProblem>& problems_;
  std::vector<Open> open_;
  std::map<YAML::anchor_t, Anchored> anchors_;
  Size spent_;
  int documents_ = 0;
};

SourcePosition position_of(const std::string& source, std::string_view text, size_t offset) {
  const std::string_view before = text.substr(0, offset);
  const size_t newline = before.rfind('\n');
  return {source, 1 + int(std::count(before.begin(), before.end(), '\n')), int(offset - (newline == before.npos ? 0 : newline + 1)) + 1};
}

// yaml-cpp takes byte 4 for the end of the text, guesses encodings and replaces what it can't decode.
void refuse_bytes(const std::string& source, std::string_view text) {
  if (const size_t bad = invalid_utf8(text); bad != text.npos) refuse(position_of(source, text, bad), "", "not UTF-8 text");
  const auto control = std::find_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\t' && c != '\r') || c == 0x7F;
  });
  if (control != text.end()) {
    refuse(position_of(source, text, size_t(control - text.begin())), "",
           fmt::format("control character 0x{:02X}; write it as \"\\x{:02X}\"", int(*control), int(*control)));
  }
}

struct ViewBuffer : std::streambuf {
  explicit ViewBuffer(std::string_view text) {
    char* start = const_cast<char*>(text.data());  // only read
    setg(start, start, start + text.size());
  }
};

}  // namespace

ConfigNode read_yaml(const std::string& source, std::string_view text, std::vector<ConfigProblem>& problems) {
  refuse_bytes(source, text);
  TreeBuilder builder(source, problems);
  builder.root.at = {source, 1, 1};
  ViewBuffer buffer(text);
  std::istream stream(&buffer);
  try {
    YAML::Parser parser(stream);
    while (parser.HandleNextDocument(builder)) {
    }
  } catch (const YAML::Exception& e) {
    SourcePosition at{source, 1, 1};
    if (!e.mark.is_null()) at = {source, e.mark.line + 1, e.mark.column + 1};
    refuse(std::move(at), "", "not YAML: " + one_line(e.msg));
  }
  return std::move(builder.root);
}

}  // namespace zoo
