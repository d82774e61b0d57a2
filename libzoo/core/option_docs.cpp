// The reference of an options struct: one row per key, for --help and for docs/.
#include <libzoo/core/field_values.h>
#include <libzoo/core/scalar_text.h>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

namespace zoo {
namespace {

using Kind = TypeInfo::Kind;

struct Row {
  std::string key, type, value, range, help;
};

std::string type_name(const TypeInfo& type) {
  switch (type.kind) {
    case Kind::boolean: return "true/false";
    case Kind::integer: return "integer";
    case Kind::number: return "number";
    case Kind::text: return "text";
    case Kind::path: return "path";
    case Kind::choice: return "choice";
    case Kind::optional: return type_name(type.inner());
    case Kind::list: return "list of " + type_name(type.inner());
    case Kind::map: return "map of " + type_name(type.inner());
    default: return "map";
  }
}

// What is inside optionals, lists and maps.
const TypeInfo& innermost(const TypeInfo& type) { return type.inner ? innermost(type.inner()) : type; }

bool is_leaf(const TypeInfo& type) { return is_scalar(innermost(type)); }

std::string default_text(const TypeInfo& type, void* address) {
  if (is_scalar(type)) return scalar_yaml(type, address);
  if (type.kind == Kind::optional) return type.value(address) ? default_text(type.inner(), type.value(address)) : "unset";
  if (type.kind == Kind::variant) return type.alternatives()[type.index(address)].first;
  if (type.kind == Kind::list) {
    std::string text = "[";
    for (size_t i = 0; i < type.count(address); ++i) text += (i ? ", " : "") + default_text(type.inner(), type.item(address, i));
    return text + "]";
  }
  if (type.kind == Kind::map && is_leaf(type)) {
    std::string text = "{";
    for (const auto& [key, held] : type.entries(address))
      text += (text.size() > 1 ? ", " : "") + key + ": " + default_text(type.inner(), held);
    return text + "}";
  }
  return "{}";
}

std::string range_of(const FieldInfo& field, const std::vector<FieldInfo>& siblings) {
  const TypeInfo& type = innermost(*field.type);
  std::string text = type.kind == Kind::choice ? comma_list(choice_names(type)) : "";
  for (const Check& check : field.checks) {
    const std::string range = range_text(check, other_key(check, siblings));
    if (!range.empty()) text += (text.empty() ? "" : ", ") + range;
  }
  return text;
}

bool is_required(const FieldInfo& field) {
  return std::any_of(field.checks.begin(), field.checks.end(), [](const Check& c) { return c.kind == Check::Kind::required; });
}

class Rows {
 public:
  void structure(const TypeInfo& type, void* object, const std::string& path) {
    if (std::find(inside_.begin(), inside_.end(), &type) != inside_.end()) return;  // a struct that contains itself
    inside_.push_back(&type);
    const std::vector<FieldInfo> fields = fields_of(type, object);
    for (const FieldInfo& field : fields) member(field, fields, child_path(path, field.key));
    inside_.pop_back();
  }

  std::vector<Row> rows;

 private:
  void member(const FieldInfo& field, const std::vector<FieldInfo>& siblings, const std::string& path) {
    const TypeInfo* type = field.type;
    const bool plain_structure = type->kind == Kind::structure;
    if (!plain_structure && type->kind != Kind::variant) {
      rows.push_back({path, type_name(*type), is_required(field) ? "required" : default_text(*type, field.address),
                      range_of(field, siblings), field.help});
      if (is_leaf(*type)) return;
    } else if (plain_structure) {
      rows.push_back({path, "map", is_required(field) ? "required" : "", "", field.help});
    }
    // Below a list, map or unset optional there is no object yet: describe a default one.
    void* object = field.address;
    std::string below = path;
    std::shared_ptr<void> owner;
    while (type->inner) {
      if (type->kind == Kind::list) below += "[]";
      if (type->kind == Kind::map) below += ".<name>";
      object = type->kind == Kind::optional ? type->value(object) : nullptr;
      type = &type->inner();
      if (!object) {
        owner = type->make();
        object = owner.get();
      }
    }
    if (type->kind == Kind::structure)
      structure(*type, object, below);
    else
      variant(field, *type, object, below);
  }

  void variant(const FieldInfo& field, const TypeInfo& type, void* object, const std::string& path) {
    rows.push_back({path + ".type", "choice", default_text(type, object), comma_list(choice_names(type)), field.help});
    for (const auto& [name, info] : type.alternatives()) {
      const size_t start = rows.size();
      const FieldTree defaults = describe_defaults(info());
      structure(info(), defaults.object, path);
      for (size_t i = start; i < rows.size(); ++i) rows[i].help += fmt::format("{}(type {})", rows[i].help.empty() ? "" : " ", name);
    }
  }

  std::vector<const TypeInfo*> inside_;
};

std::vector<Row> rows_of(const FieldTree& tree) {
  Rows rows;
  rows.structure(*tree.type, tree.object, "");
  return std::move(rows.rows);
}

size_t columns(const std::string& text) {  // characters of UTF-8
  return size_t(std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

std::string cell(const std::string& text) {
  std::string result;
  for (char c : one_line(text)) {
    if (c == '|' || c == '<' || c == '*' || c == '_') result += '\\';
    result += c;
  }
  return result;
}

std::string code_cell(const std::string& text) {
  if (text.empty()) return "";
  std::string result = "`";
  for (char c : one_line(text)) result += c == '|' ? std::string("\\|") : std::string(1, c == '`' ? '\'' : c);
  return result + "`";
}

}  // namespace

std::string help_text(const FieldTree& tree) {
  const std::vector<Row> rows = rows_of(tree);
  constexpr std::array<size_t, 4> widest = {44, 16, 24, 30};
  const auto cells = [](const Row& row) { return std::array<const std::string*, 4>{&row.key, &row.type, &row.value, &row.range}; };
  std::array<size_t, 4> width{};
  for (const Row& row : rows) {
    for (size_t i = 0; i < 4; ++i)
      if (columns(*cells(row)[i]) <= widest[i]) width[i] = std::max(width[i], columns(*cells(row)[i]));
  }
  std::string text;
  for (const Row& row : rows) {
    std::string line = " ";
    for (size_t i = 0; i < 4; ++i) {
      const std::string& c = *cells(row)[i];
      line += ' ' + c + std::string(columns(c) < width[i] ? width[i] - columns(c) : 0, ' ') + ' ';
    }
    line += ' ' + row.help;
    line.erase(line.find_last_not_of(' ') + 1);
    text += one_line(line) + '\n';
  }
  return text;
}

std::string markdown_table(const FieldTree& tree) {
  std::string text = "| key | type | default | range | meaning |\n|---|---|---|---|---|\n";
  for (const Row& row : rows_of(tree)) {
    text += fmt::format("| {} | {} | {} | {} | {} |\n", code_cell(row.key), cell(row.type), code_cell(row.value), cell(row.range),
                        cell(row.help));
  }
  return text;
}

}  // namespace zoo
