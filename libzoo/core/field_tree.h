// The description of an options struct without its type: what options.h makes of a `fields` function, bound to one
// object. Loading, dumping and printing work on it and are compiled once, not per struct.
#pragma once

#include <libzoo/core/checks.h>
#include <libzoo/core/config.h>
#include <libzoo/core/json_fwd.h>

#include <concepts>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace zoo {

// The names of an enum's values; returned by the ADL function enum_names(E).
template <class E, int N>
struct EnumNames {
  struct Entry {
    E value;
    const char* name;
  };
  Entry entries[N];
};

// "code" for Schedule::code; empty for a value without a name.
template <class E>
std::string_view enum_name(E value) {
  static constexpr auto names = enum_names(E{});
  for (const auto& entry : names.entries)
    if (entry.value == value) return entry.name;
  return {};
}

struct TypeInfo;

// One member: its key, help, address and checks.
struct FieldInfo {
  std::string key;
  std::string help;
  void* address = nullptr;
  const TypeInfo* type = nullptr;
  std::vector<Check> checks;
};

// What a `fields` function is called with.
class FieldList {
 public:
  template <class T, class... Checks>
  void operator()(const char* key, T& member, const char* help = "", Checks... checks) {
    add(key, help, &member, type_of<T>(), {std::move(checks)...});
  }
  void add(const char* key, const char* help, void* address, const TypeInfo& type, std::vector<Check> checks);

  std::vector<FieldInfo> fields;
};

// What a `check` function reports to; `key` is a member's key, or empty for the struct as a whole.
class Problems {
 public:
  struct Item {
    std::string key, message;
  };
  void add(std::string key, std::string message) { items_.push_back({std::move(key), std::move(message)}); }
  const std::vector<Item>& items() const { return items_; }

 private:
  std::vector<Item> items_;
};

// How to read and change a value of one C++ type through a pointer to it. Members that a kind does not use are null.
struct TypeInfo {
  enum class Kind { boolean, integer, number, text, path, choice, structure, optional, list, map, variant };
  using Type = const TypeInfo& (*)();

  Kind kind;
  int size = 0;                  // bytes of an integer, number or choice (an enum)
  bool is_signed = false;        // of an integer
  Type inner = nullptr;          // of an optional's, list's or map's values
  std::shared_ptr<void> (*make)() = nullptr;                                     // a default value

  std::vector<std::pair<int64_t, const char*>> (*choices)() = nullptr;           // of an enum

  void (*fields)(void* object, FieldList& list) = nullptr;                       // structure
  void (*check)(const void* object, Problems& problems) = nullptr;               // structure; null: has none

  void* (*value)(void* optional) = nullptr;                                      // optional; null if unset
  void* (*emplace)(void* optional) = nullptr;                                    // optional; a default value
  void (*clear)(void* container) = nullptr;                                      // optional, list, map
  size_t (*count)(const void* container) = nullptr;                              // list, map
  void* (*item)(void* list, size_t index) = nullptr;                             // list
  void* (*append)(void* list) = nullptr;                                         // list; a default value
  void* (*entry)(void* map, const std::string& key) = nullptr;                   // map; made if missing
  std::vector<std::pair<std::string, void*>> (*entries)(void* map) = nullptr;    // map

  std::vector<std::pair<const char*, Type>> (*alternatives)() = nullptr;         // variant: kType and struct
  size_t (*index)(const void* variant) = nullptr;
  void* (*held)(void* variant) = nullptr;
  void* (*hold)(void* variant, size_t index) = nullptr;                          // variant; a default value
};

// A described object. It must outlive the tree unless the tree owns it.
struct FieldTree {
  const TypeInfo* type = nullptr;
  void* object = nullptr;
  std::shared_ptr<void> owner;
};

template <class T>
FieldTree describe(T& options) {
  return {&type_of<T>(), &options, nullptr};
}
FieldTree describe_defaults(const TypeInfo& type);  // of a new default object, which the tree owns

// See options.h for what these do.
void bind_options(const FieldTree& tree, const std::vector<ConfigLayer>& layers, Origins* origins = nullptr);
std::string dump(const FieldTree& tree, const Origins& origins, const std::string& title);
std::string help_text(const FieldTree& tree);
std::string markdown_table(const FieldTree& tree);
Json to_json(const FieldTree& tree);

namespace detail {

template <class T>
struct Described {
  static constexpr bool value = false;
};

template <class T>
concept HasFields = requires(FieldList& list, T& object) { fields(list, object); };
template <class T>
concept HasCheck = requires(const T& object, Problems& problems) { check(object, problems); };

template <class T>
std::shared_ptr<void> make_default() {
  return std::make_shared<T>();
}
template <class T>
T& as(void* object) {
  return *static_cast<T*>(object);
}
template <class T>
const T& as(const void* object) {
  return *static_cast<const T*>(object);
}

template <class T>
constexpr TypeInfo scalar_info() {
  using Kind = TypeInfo::Kind;
  if constexpr (std::is_same_v<T, bool>)
    return {.kind = Kind::boolean, .make = make_default<T>};
  else if constexpr (std::is_integral_v<T>)
    return {.kind = Kind::integer, .size = sizeof(T), .is_signed = std::is_signed_v<T>, .make = make_default<T>};
  else if constexpr (std::is_floating_point_v<T>)
    return {.kind = Kind::number, .size = sizeof(T), .make = make_default<T>};
  else if constexpr (std::is_same_v<T, std::string>)
    return {.kind = Kind::text, .make = make_default<T>};
  else
    return {.kind = Kind::path, .make = make_default<T>};
}

template <class E>
std::vector<std::pair<int64_t, const char*>> enum_choices() {
  static constexpr auto names = enum_names(E{});
  std::vector<std::pair<int64_t, const char*>> list;
  for (const auto& entry : names.entries) list.emplace_back(int64_t(entry.value), entry.name);
  return list;
}

template <class T>
constexpr TypeInfo struct_info() {
  TypeInfo info{.kind = TypeInfo::Kind::structure, .make = make_default<T>};
  info.fields = [](void* object, FieldList& list) { fields(list, as<T>(object)); };
  if constexpr (HasCheck<T>) info.check = [](const void* object, Problems& problems) { check(as<T>(object), problems); };
  return info;
}

template <class T>
struct Described<std::optional<T>> {
  static constexpr bool value = true;
  static constexpr TypeInfo info() {
    using O = std::optional<T>;
    TypeInfo info{.kind = TypeInfo::Kind::optional, .inner = type_of<T>, .make = make_default<O>};
    info.value = [](void* o) -> void* { return as<O>(o) ? &*as<O>(o) : nullptr; };
    info.emplace = [](void* o) -> void* { return &as<O>(o).emplace(); };
    info.clear = [](void* o) { as<O>(o).reset(); };
    return info;
  }
};

template <class T>
struct Described<std::vector<T>> {
  static_assert(!std::is_same_v<T, bool>, "std::vector<bool> has no addressable elements; use std::vector<int>");
  static constexpr bool value = true;
  static constexpr TypeInfo info() {
    using V = std::vector<T>;
    TypeInfo info{.kind = TypeInfo::Kind::list, .inner = type_of<T>, .make = make_default<V>};
    info.clear = [](void* v) { as<V>(v).clear(); };
    info.count = [](const void* v) { return as<V>(v).size(); };
    info.item = [](void* v, size_t i) -> void* { return &as<V>(v)[i]; };
    info.append = [](void* v) -> void* { return &as<V>(v).emplace_back(); };
    return info;
  }
};

template <class T>
struct Described<std::map<std::string, T>> {
  static constexpr bool value = true;
  static constexpr TypeInfo info() {
    using M = std::map<std::string, T>;
    TypeInfo info{.kind = TypeInfo::Kind::map, .inner = type_of<T>, .make = make_default<M>};
    info.clear = [](void* m) { as<M>(m).clear(); };
    info.count = [](const void* m) { return as<M>(m).size(); };
    info.entry = [](void* m, const std::string& key) -> void* { return &as<M>(m)[key]; };
    info.entries = [](void* m) {
      std::vector<std::pair<std::string, void*>> list;
      for (auto& [key, value] : as<M>(m)) list.emplace_back(key, &value);
      return list;
    };
    return info;
  }
};

template <class V, size_t... I>
void* hold(void* variant, size_t index, std::index_sequence<I...>) {
  void* held = nullptr;
  ((index == I ? void(held = &as<V>(variant).template emplace<I>()) : void()), ...);
  return held;
}

template <class... T>
struct Described<std::variant<T...>> {
  static constexpr bool value = true;
  static constexpr TypeInfo info() {
    using V = std::variant<T...>;
    TypeInfo info{.kind = TypeInfo::Kind::variant, .make = make_default<V>};
    info.alternatives = [] { return std::vector<std::pair<const char*, TypeInfo::Type>>{{T::kType, type_of<T>}...}; };
    info.index = [](const void* v) { return as<V>(v).index(); };
    info.held = [](void* v) { return std::visit([](auto& held) -> void* { return &held; }, as<V>(v)); };
    info.hold = [](void* v, size_t i) { return hold<V>(v, i, std::index_sequence_for<T...>()); };
    return info;
  }
};

template <class T>
constexpr TypeInfo info_of() {
  if constexpr (Described<T>::value)
    return Described<T>::info();
  else if constexpr (std::is_enum_v<T>) {
    return {.kind = TypeInfo::Kind::choice,
            .size = sizeof(T),
            .is_signed = std::is_signed_v<std::underlying_type_t<T>>,
            .make = make_default<T>,
            .choices = enum_choices<T>};
  } else if constexpr (std::is_arithmetic_v<T> || std::is_same_v<T, std::string> || std::is_same_v<T, std::filesystem::path>) {
    return scalar_info<T>();
  } else {
    static_assert(HasFields<T>, "an options struct needs a function: template <class Field> void fields(Field&, T&)");
    return struct_info<T>();
  }
}

}  // namespace detail

template <class T>
const TypeInfo& type_of() {
  static constexpr TypeInfo info = detail::info_of<T>();
  return info;
}

}  // namespace zoo
