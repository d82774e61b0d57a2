// Layers onto an object, lowest first, one walk each; then one walk over the result for what can only be judged when all
// values are known (required members, files, divides(), check functions). Mistakes are gathered, never thrown midway.
#include <libzoo/core/field_values.h>
#include <libzoo/core/scalar_text.h>
#include <libzoo/core/suggest.h>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <tuple>
#include <utility>

namespace zoo {
namespace {

using Kind = TypeInfo::Kind;
using Checks = std::vector<Check>;

std::string found(const ConfigNode& node) {
  switch (node.kind) {
    case ConfigNode::Kind::null: return "nothing";
    case ConfigNode::Kind::sequence: return "a list";
    case ConfigNode::Kind::map: return "a map";
    case ConfigNode::Kind::scalar: break;
  }
  return (node.quoted ? "the text " : "") + shown(node.text);
}

bool waits_for_all_values(const Check& check) {
  switch (check.kind) {
    case Check::Kind::divides:
    case Check::Kind::existing_file:
    case Check::Kind::existing_directory:
    case Check::Kind::existing_path: return true;
    default: return false;
  }
}

// What is wrong with a scalar by a check that needs nothing but the value; empty if nothing.
std::string complaint(const Check& check, const TypeInfo& type, const void* address) {
  const bool numeric = type.kind == Kind::integer || type.kind == Kind::number;
  const long double value = numeric ? numeric_value(type, address) : 0;
  bool ok = true;
  switch (check.kind) {
    case Check::Kind::at_least: ok = value >= check.low; break;
    case Check::Kind::at_most: ok = value <= check.high; break;
    case Check::Kind::between: ok = value >= check.low && value <= check.high; break;
    case Check::Kind::positive: ok = value > 0; break;
    case Check::Kind::non_negative: ok = value >= 0; break;
    case Check::Kind::not_empty: return scalar_text(type, address).empty() ? "must not be empty" : "";
    case Check::Kind::one_of: {
      const std::string text = scalar_text(type, address);
      if (std::find(check.choices.begin(), check.choices.end(), text) != check.choices.end()) return {};
      return numeric ? fmt::format("must be {}, is {}", range_text(check), text)
                     : fmt::format("must be {}, is {}{}", range_text(check), shown(text), did_you_mean(text, check.choices));
    }
    default: return {};
  }
  if (!numeric) return {};
  if (ok && std::isfinite(value)) return {};
  return fmt::format("must be {}{}, is {}", std::isfinite(value) ? "" : "a finite number ", range_text(check), scalar_text(type, address));
}

std::string file_complaint(const Check& check, const std::filesystem::path& path) {
  std::error_code error;
  const auto status = std::filesystem::status(path, error);
  const bool want_file = check.kind == Check::Kind::existing_file, want_folder = check.kind == Check::Kind::existing_directory;
  if (path.empty()) return fmt::format("must name an {}, is empty", range_text(check));
  if (!std::filesystem::exists(status)) {
    const bool missing = !error || error == std::errc::no_such_file_or_directory || error == std::errc::not_a_directory;
    return missing ? fmt::format("no such {}: {}",
                                 want_folder ? "folder"
                                 : want_file ? "file"
                                             : "file or folder",
                                 shown(path.string()))
                   : fmt::format("{}: {}", shown(path.string()), error.message());
  }
  const bool folder = std::filesystem::is_directory(status);
  if (want_file && folder) return fmt::format("must be a file, {} is a folder", shown(path.string()));
  if (want_folder && !folder) return fmt::format("must be a folder, {} is a file", shown(path.string()));
  return {};
}

class Binder {
 public:
  void apply(const FieldTree& tree, const ConfigLayer& layer) {
    for (const ConfigProblem& problem : layer.problems()) report(problem.at, problem.path, problem.message);
    if (layer.root().at.line > 0 || given_.empty()) given_[""] = {layer.root().at, layer_, {}};
    structure(*tree.type, tree.object, layer.root(), "", false);
    ++layer_;
  }

  void finish(const FieldTree& tree) {
    if (given_.empty()) given_[""] = {{"command line", 0, 0}, 0, {}};
    finish_value(*tree.type, tree.object, "", {}, {});
  }

  void throw_problems() {
    if (problems_.empty()) return;
    std::stable_sort(problems_.begin(), problems_.end(), [](const Located& a, const Located& b) {
      return std::tie(a.layer, a.problem.at.line, a.problem.at.column) < std::tie(b.layer, b.problem.at.line, b.problem.at.column);
    });
    std::vector<ConfigProblem> list;
    for (Located& located : problems_) list.push_back(std::move(located.problem));
    throw ConfigError(std::move(list));
  }

  void tell(Origins& origins) const {
    for (const auto& [path, given] : given_)
      if (!given.origin.empty()) origins.set(path, given.origin);
  }

 private:
  struct Given {
    SourcePosition at;
    size_t layer = 0;
    std::string origin;  // of a leaf
  };
  struct Located {
    size_t layer;
    ConfigProblem problem;
  };

  void report(const SourcePosition& at, const std::string& path, std::string message) {
    problems_.push_back({layer_, {at, path, std::move(message)}});
    failed_.insert(path);
  }
  void report_late(const std::string& path, std::string message) {
    const Given& place = nearest_given(path);
    problems_.push_back({place.layer, {place.at, path, std::move(message)}});
    failed_.insert(path);
  }

  // The place of a value, or of the nearest thing around it that a source gave.
  const Given& nearest_given(std::string path) const {
    while (true) {
      const auto place = given_.find(path);
      if (place != given_.end()) return place->second;
      const size_t cut = path.find_last_of(".[");
      path.resize(cut == path.npos ? 0 : cut);
    }
  }

  static bool is_below(const std::string& path, const std::string& top) {
    return top.empty() || (path.size() > top.size() && path.starts_with(top) && (path[top.size()] == '.' || path[top.size()] == '['));
  }
  template <class Container>
  static auto first_at_or_below(Container& container, const std::string& top) {
    auto it = container.lower_bound(top);
    const auto key = [](const auto& element) -> const std::string& {
      if constexpr (requires { element.first; })
        return element.first;
      else
        return element;
    };
    while (it != container.end() && key(*it) != top && !is_below(key(*it), top)) {
      if (!key(*it).starts_with(top)) return container.end();
      ++it;
    }
    return it;
  }
  bool given(const std::string& path) const { return first_at_or_below(given_, path) != given_.end(); }
  bool failed(const std::string& path) const { return first_at_or_below(failed_, path) != failed_.end(); }

  void forget_below(const std::string& top) {
    for (auto it = given_.upper_bound(top); it != given_.end() && it->first.starts_with(top);) {
      if (is_below(it->first, top))
        it = given_.erase(it);
      else
        ++it;
    }
  }
  void take(const std::string& path, const ConfigNode& node) {
    const bool leaf = node.kind != ConfigNode::Kind::map || node.entries.empty();
    given_[path] = {node.at, layer_, leaf ? node.origin_text() : std::string()};
  }

  void value(const TypeInfo& type, void* address, const ConfigNode& node, const std::string& path, const Checks& checks, bool fresh) {
    switch (type.kind) {
      case Kind::structure: structure(type, address, node, path, false); break;
      case Kind::variant: variant(type, address, node, path, fresh); break;
      case Kind::optional: optional(type, address, node, path, checks); break;
      case Kind::list: list(type, address, node, path, checks); break;
      case Kind::map: map(type, address, node, path, checks); break;
      default: scalar(type, address, node, path, checks);
    }
  }

  void structure(const TypeInfo& type, void* object, const ConfigNode& node, const std::string& path, bool in_variant) {
    if (node.kind == ConfigNode::Kind::null) return;
    if (node.kind != ConfigNode::Kind::map) return report(node.at, path, fmt::format("expected a map of options, found {}", found(node)));
    if (!path.empty()) take(path, node);
    const std::vector<FieldInfo> fields = fields_of(type, object);
    for (const ConfigEntry& entry : node.entries) {
      if (in_variant && entry.key == "type") continue;
      const auto field = std::find_if(fields.begin(), fields.end(), [&](const FieldInfo& f) { return f.key == entry.key; });
      if (field == fields.end())
        unknown(fields, entry, path, in_variant);
      else
        value(*field->type, field->address, entry.value, child_path(path, entry.key), field->checks, false);
    }
  }

  void unknown(const std::vector<FieldInfo>& fields, const ConfigEntry& entry, const std::string& path, bool in_variant) {
    std::vector<std::string> keys;
    for (const FieldInfo& field : fields) keys.push_back(field.key);
    if (in_variant) keys.push_back("type");
    std::string help = did_you_mean(entry.key, keys);
    if (help.empty())
      help = keys.empty() ? " (there are none here)" : keys.size() <= 12 ? fmt::format(" (known here: {})", comma_list(keys)) : "";
    report(entry.at, child_path(path, entry.key), "unknown key" + help);
    unknown_keys_ = true;
  }

  void variant(const TypeInfo& type, void* address, const ConfigNode& node, const std::string& path, bool fresh) {
    if (node.kind == ConfigNode::Kind::null && !fresh) return;
    const std::vector<std::string> names = choice_names(type);
    if (node.kind != ConfigNode::Kind::map) {
      return report(node.at, path, fmt::format("expected a map with a type (one of {}), found {}", comma_list(names), found(node)));
    }
    if (const ConfigNode* chosen = node.find("type")) {
      const auto name = std::find(names.begin(), names.end(), chosen->kind == ConfigNode::Kind::scalar ? chosen->text : std::string());
      if (name == names.end()) {
        return report(chosen->at, child_path(path, "type"),
                      fmt::format("must be one of {}, is {}{}", comma_list(names), found(*chosen), did_you_mean(chosen->text, names)));
      }
      const size_t index = size_t(name - names.begin());
      if (index != type.index(address)) {
        type.hold(address, index);
        forget_below(path);
      }
      take(child_path(path, "type"), *chosen);
    } else if (fresh) {
      return report(node.at, path, fmt::format("needs a type, one of {}", comma_list(names)));
    }
    structure(type.alternatives()[type.index(address)].second(), type.held(address), node, path, true);
  }

  void optional(const TypeInfo& type, void* address, const ConfigNode& node, const std::string& path, const Checks& checks) {
    if (node.kind == ConfigNode::Kind::null) {
      type.clear(address);
      forget_below(path);
      return take(path, node);
    }
    void* held = type.value(address);
    const bool fresh = held == nullptr;
    if (fresh) {
      held = type.emplace(address);
      given_.erase(path);  // a null from a lower layer
    }
    value(type.inner(), held, node, path, checks, fresh);
  }

  void list(const TypeInfo& type, void* address, const ConfigNode& node, const std::string& path, const Checks& checks) {
    if (node.kind != ConfigNode::Kind::sequence) return report(node.at, path, fmt::format("expected a list, found {}", found(node)));
    type.clear(address);
    forget_below(path);
    take(path, node);
    for (size_t i = 0; i < node.items.size(); ++i) {
      value(type.inner(), type.append(address), node.items[i], child_path(path, i), checks, true);
    }
    if (node.items.empty()) container_checks(checks, path, node.at);
  }

  void map(const TypeInfo& type, void* address, const ConfigNode& node, const std::string& path, const Checks& checks) {
    if (node.kind == ConfigNode::Kind::null) return;
    if (node.kind != ConfigNode::Kind::map) return report(node.at, path, fmt::format("expected a map, found {}", found(node)));
    take(path, node);
    for (const ConfigEntry& entry : node.entries) {
      const size_t before = type.count(address);
      void* held = type.entry(address, entry.key);
      value(type.inner(), held, entry.value, child_path(path, entry.key), checks, type.count(address) > before);
    }
    if (type.count(address) == 0) container_checks(checks, path, node.at);
  }

  void container_checks(const Checks& checks, const std::string& path, const SourcePosition& at) {
    for (const Check& check : checks)
      if (check.kind == Check::Kind::not_empty) report(at, path, "must not be empty");
  }

  void scalar(const TypeInfo& type, void* address, const ConfigNode& node, const std::string& path, const Checks& checks) {
    take(path, node);
    const std::string wrong = assign(type, address, node);
    if (!wrong.empty()) return report(node.at, path, wrong);
    for (const Check& check : checks) {
      if (waits_for_all_values(check)) continue;
      if (std::string message = complaint(check, type, address); !message.empty()) return report(node.at, path, std::move(message));
    }
  }

  // Returns what is wrong, or nothing.
  static std::string assign(const TypeInfo& type, void* address, const ConfigNode& node) {
    const auto expected = [&](const std::string& what) { return fmt::format("expected {}, found {}", what, found(node)); };
    const bool text_type = type.kind == Kind::text || type.kind == Kind::path || type.kind == Kind::choice;
    const bool usable = node.kind == ConfigNode::Kind::scalar && (text_type || !node.quoted);
    const std::string& text = node.text;
    switch (type.kind) {
      case Kind::boolean:
        if (!usable || (text != "true" && text != "false")) return expected("true or false");
        *static_cast<bool*>(address) = text == "true";
        return {};
      case Kind::integer: return usable ? assign_integer(type, address, text, expected("an integer")) : expected("an integer");
      case Kind::number: {
        if (!usable) return expected("a number");
        const Parsed parsed = type.size == sizeof(float) ? parse_number(text, *static_cast<float*>(address))
                                                         : parse_number(text, *static_cast<double*>(address));
        if (parsed == Parsed::malformed) return expected("a number");
        return parsed == Parsed::ok ? "" : fmt::format("{} does not fit {} bits of floating point", shown(text), type.size * 8);
      }
      case Kind::text:
        if (!usable) return expected("text") + (node.kind == ConfigNode::Kind::null ? "; write \"\" for empty text" : "");
        *static_cast<std::string*>(address) = text;
        return {};
      case Kind::path:
        if (!usable) return expected("a path");
        if (text.find('\0') != text.npos) return "a path can't contain a NUL character";
        *static_cast<std::filesystem::path*>(address) = text;
        return {};
      default: {
        const std::vector<std::string> names = choice_names(type);
        for (const auto& [number, name] : type.choices()) {
          if (usable && text == name) {
            store_integer(type, address, number);
            return {};
          }
        }
        return fmt::format("must be one of {}, is {}{}", comma_list(names), found(node), did_you_mean(text, names));
      }
    }
  }

  static std::string assign_integer(const TypeInfo& type, void* address, const std::string& text, const std::string& expected) {
    const int bits = type.size * 8;
    const auto overflow = [&] {
      return fmt::format("{} does not fit {} {}-bit integer", shown(text), type.is_signed ? "a signed" : "an unsigned", bits);
    };
    uint64_t wide = 0;
    int64_t narrow = 0;
    const Parsed parsed = type.is_signed ? parse_integer(text, narrow) : parse_integer(text, wide);
    if (parsed == Parsed::malformed) {
      double number = 0;
      const bool whole = parse_number(text, number) == Parsed::ok && std::abs(number) < 1e15 && number == std::floor(number);
      return whole ? fmt::format("{} (write {:.0f})", expected, number) : expected;
    }
    if (parsed == Parsed::too_large) return overflow();
    if (type.is_signed) {
      if (bits < 64 && (narrow < -(int64_t(1) << (bits - 1)) || narrow >= int64_t(1) << (bits - 1))) return overflow();
    } else if (bits < 64 && wide >> bits != 0) {
      return overflow();
    }
    store_integer(type, address, type.is_signed ? narrow : int64_t(wide));
    return {};
  }

  void finish_value(const TypeInfo& type, void* address, const std::string& path, const Checks& checks,
                    const std::vector<FieldInfo>& siblings) {
    switch (type.kind) {
      case Kind::structure: return finish_structure(type, address, path);
      case Kind::variant: return finish_structure(type.alternatives()[type.index(address)].second(), type.held(address), path);
      case Kind::optional:
        if (void* held = type.value(address)) finish_value(type.inner(), held, path, checks, siblings);
        return;
      case Kind::list:
        if (type.count(address) == 0 && !given(path)) late_empty(checks, path);
        for (size_t i = 0; i < type.count(address); ++i)
          finish_value(type.inner(), type.item(address, i), child_path(path, i), checks, siblings);
        return;
      case Kind::map:
        if (type.count(address) == 0 && !given(path)) late_empty(checks, path);
        for (const auto& [key, held] : type.entries(address)) finish_value(type.inner(), held, child_path(path, key), checks, siblings);
        return;
      default: finish_scalar(type, address, path, checks, siblings);
    }
  }

  void late_empty(const Checks& checks, const std::string& path) {
    for (const Check& check : checks)
      if (check.kind == Check::Kind::not_empty) report_late(path, "must not be empty");
  }

  void finish_structure(const TypeInfo& type, void* object, const std::string& path) {
    const std::vector<FieldInfo> fields = fields_of(type, object);
    for (const FieldInfo& field : fields) {
      const std::string at = child_path(path, field.key);
      const bool required =
          std::any_of(field.checks.begin(), field.checks.end(), [](const Check& c) { return c.kind == Check::Kind::required; });
      // What a misspelt key was meant to give is not missed a second time.
      const bool missing = required && !given(at) && !failed(at);
      if (!missing)
        finish_value(*field.type, field.address, at, field.checks, fields);
      else if (!unknown_keys_)
        report_late(at, field.help.empty() ? "required, not given" : fmt::format("required, not given: {}", field.help));
    }
    if (!type.check || failed(path)) return;
    Problems found_wrong;
    type.check(object, found_wrong);
    for (const Problems::Item& item : found_wrong.items()) report_late(item.key.empty() ? path : child_path(path, item.key), item.message);
  }

  void finish_scalar(const TypeInfo& type, void* address, const std::string& path, const Checks& checks,
                     const std::vector<FieldInfo>& siblings) {
    if (failed(path)) return;
    const bool untouched = !given(path);
    for (const Check& check : checks) {
      std::string message;
      if (check.kind == Check::Kind::divides)
        message = divides_complaint(check, type, address, siblings);
      else if (waits_for_all_values(check)) {
        if (untouched && scalar_text(type, address).empty()) continue;
        message = file_complaint(check, scalar_text(type, address));
      } else if (untouched) {
        message = complaint(check, type, address);
      }
      if (!message.empty()) return report_late(path, std::move(message));
    }
  }

  static std::string divides_complaint(const Check& check, const TypeInfo& type, const void* address,
                                       const std::vector<FieldInfo>& siblings) {
    const void* other = check.other;
    const TypeInfo* other_type = check.other_type;
    if (other_type->kind == Kind::optional) {
      other = other_type->value(const_cast<void*>(other));  // only looked at
      other_type = &other_type->inner();
    }
    if (!other || other_type->kind != Kind::integer || type.kind != Kind::integer) return {};
    const int64_t divisor = load_integer(type, address), whole = load_integer(*other_type, other);
    if (divisor > 0 && whole % divisor == 0) return {};
    return fmt::format("must divide {} ({}), is {}", other_key(check, siblings), whole, divisor);
  }

  size_t layer_ = 0;
  std::map<std::string, Given> given_;
  std::set<std::string> failed_;
  std::vector<Located> problems_;
  bool unknown_keys_ = false;
};

}  // namespace

void bind_options(const FieldTree& tree, const std::vector<ConfigLayer>& layers, Origins* origins) {
  Binder binder;
  for (const ConfigLayer& layer : layers) binder.apply(tree, layer);
  binder.finish(tree);
  binder.throw_problems();
  if (origins) binder.tell(*origins);
}

}  // namespace zoo
