// An options object as YAML with origins, and as JSON.
#include <libzoo/core/dump_mark.h>
#include <libzoo/core/field_values.h>
#include <libzoo/core/json.h>
#include <libzoo/core/scalar_text.h>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

namespace zoo {
namespace {

using Kind = TypeInfo::Kind;

// Lists of scalars, and of such lists, stand on one line.
bool fits_one_line(const TypeInfo& type) {
  if (is_scalar(type)) return true;
  if (type.kind == Kind::optional) return is_scalar(type.inner());
  return type.kind == Kind::list && fits_one_line(type.inner());
}

std::string flow(const TypeInfo& type, void* address) {
  if (is_scalar(type)) return scalar_yaml(type, address);
  if (type.kind == Kind::optional) return type.value(address) ? flow(type.inner(), type.value(address)) : "null";
  std::string text = "[";
  for (size_t i = 0; i < type.count(address); ++i) text += (i ? ", " : "") + flow(type.inner(), type.item(address, i));
  return text + "]";
}

class Dumper {
 public:
  explicit Dumper(const Origins& origins) : origins_(origins) {}

  void top(const FieldTree& tree) { members(fields_of(*tree.type, tree.object), "", {"", "", ""}); }

  std::string text() const {
    constexpr size_t widest = 60;
    size_t column = 0;
    for (const Line& line : lines_)
      if (line.text.size() <= widest && !line.origin.empty()) column = std::max(column, line.text.size());
    std::string result;
    for (const Line& line : lines_) {
      result += line.text;
      if (!line.origin.empty())
        result += std::string(column > line.text.size() ? column - line.text.size() : 0, ' ') + "  # " + line.origin;
      result += '\n';
    }
    return result;
  }

 private:
  struct Line {
    std::string text, origin;
  };

  // Where children of a block go: what stands before the first, before the others, and before theirs.
  struct Block {
    std::string first, rest, indent;
    std::string next() { return std::exchange(first, rest); }
  };

  void line(std::string text, const std::string& path) { lines_.push_back({std::move(text), one_line(origins_.at(path))}); }

  // A block below `lead`, which is "  key:" or "  -".
  Block open(const std::string& lead, const std::string& indent) {
    const std::string deeper = indent + "  ";
    if (lead.ends_with('-')) return {lead + ' ', deeper, deeper};
    lines_.push_back({lead, ""});
    return {deeper, deeper, deeper};
  }

  void value(const TypeInfo& type, void* address, const std::string& path, const std::string& lead, const std::string& indent) {
    if (fits_one_line(type)) return line(lead + ' ' + flow(type, address), path);
    switch (type.kind) {
      case Kind::optional:
        if (void* held = type.value(address))
          value(type.inner(), held, path, lead, indent);
        else
          line(lead + " null", path);
        return;
      case Kind::structure: {
        const std::vector<FieldInfo> fields = fields_of(type, address);
        if (fields.empty()) return line(lead + " {}", path);
        return members(fields, path, open(lead, indent));
      }
      case Kind::variant: {
        Block block = open(lead, indent);
        const auto alternatives = type.alternatives();
        const auto& [name, info] = alternatives[type.index(address)];
        line(block.next() + "type: " + yaml_text(name), child_path(path, "type"));
        return members(fields_of(info(), type.held(address)), path, block);
      }
      case Kind::list: {
        if (type.count(address) == 0) return line(lead + " []", path);
        Block block = open(lead, indent);
        for (size_t i = 0; i < type.count(address); ++i) {
          value(type.inner(), type.item(address, i), child_path(path, i), block.next() + '-', block.indent);
        }
        return;
      }
      default: {
        if (type.count(address) == 0) return line(lead + " {}", path);
        Block block = open(lead, indent);
        for (const auto& [key, held] : type.entries(address)) {
          value(type.inner(), held, child_path(path, key), block.next() + yaml_text(key) + ':', block.indent);
        }
      }
    }
  }

  void members(const std::vector<FieldInfo>& fields, const std::string& path, Block block) {
    for (const FieldInfo& field : fields) {
      value(*field.type, field.address, child_path(path, field.key), block.next() + field.key + ':', block.indent);
    }
  }

  const Origins& origins_;
  std::vector<Line> lines_;
};

Json json_value(const TypeInfo& type, void* address);

void add_members(Json& object, const TypeInfo& type, void* address) {
  for (const FieldInfo& field : fields_of(type, address)) object[field.key] = json_value(*field.type, field.address);
}

Json json_value(const TypeInfo& type, void* address) {
  switch (type.kind) {
    case Kind::boolean: return *static_cast<const bool*>(address);
    case Kind::integer: {
      const int64_t bits = load_integer(type, address);
      return type.is_signed ? Json(bits) : Json(uint64_t(bits));
    }
    case Kind::number: {
      const double value = double(numeric_value(type, address));
      // A float as the shortest number that reads back to it, not as the double next to it.
      if (!std::isfinite(value)) return scalar_text(type, address);
      return type.size == sizeof(float) ? Json(std::stod(scalar_text(type, address))) : Json(value);
    }
    case Kind::optional: return type.value(address) ? json_value(type.inner(), type.value(address)) : Json();
    case Kind::list: {
      Json list = Json::array();
      for (size_t i = 0; i < type.count(address); ++i) list.push_back(json_value(type.inner(), type.item(address, i)));
      return list;
    }
    case Kind::map: {
      Json object = Json::object();
      for (const auto& [key, held] : type.entries(address)) object[key] = json_value(type.inner(), held);
      return object;
    }
    case Kind::structure: {
      Json object = Json::object();
      add_members(object, type, address);
      return object;
    }
    case Kind::variant: {
      const auto alternatives = type.alternatives();
      const auto& [name, info] = alternatives[type.index(address)];
      Json object = {{"type", name}};
      add_members(object, info(), type.held(address));
      return object;
    }
    default: return scalar_text(type, address);
  }
}

}  // namespace

std::string dump(const FieldTree& tree, const Origins& origins, const std::string& title) {
  Dumper dumper(origins);
  dumper.top(tree);
  const std::string body = dumper.text();
  return dump_header(title, body) + body;
}

Json to_json(const FieldTree& tree) { return json_value(*tree.type, tree.object); }

}  // namespace zoo
