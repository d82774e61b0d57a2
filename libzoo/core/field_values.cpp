#include <libzoo/core/field_values.h>
#include <libzoo/core/scalar_text.h>

#include <fmt/format.h>

#include <cmath>
#include <cstring>
#include <utility>

namespace zoo {

using Kind = TypeInfo::Kind;

void FieldList::add(const char* key, const char* help, void* address, const TypeInfo& type, std::vector<Check> checks) {
  fields.push_back({key, help, address, &type, std::move(checks)});
}

FieldTree describe_defaults(const TypeInfo& type) {
  std::shared_ptr<void> object = type.make();
  return {&type, object.get(), object};
}

bool is_scalar(const TypeInfo& type) {
  switch (type.kind) {
    case Kind::boolean:
    case Kind::integer:
    case Kind::number:
    case Kind::text:
    case Kind::path:
    case Kind::choice: return true;
    default: return false;
  }
}

int64_t load_integer(const TypeInfo& type, const void* address) {
  const auto load = [&](auto value) {
    std::memcpy(&value, address, sizeof value);
    return int64_t(value);
  };
  switch (type.size) {
    case 1: return type.is_signed ? load(int8_t()) : load(uint8_t());
    case 2: return type.is_signed ? load(int16_t()) : load(uint16_t());
    case 4: return type.is_signed ? load(int32_t()) : load(uint32_t());
    default: return load(int64_t());
  }
}

void store_integer(const TypeInfo& type, void* address, int64_t bits) {
  const auto store = [&](auto value) { std::memcpy(address, &value, sizeof value); };
  switch (type.size) {
    case 1: return store(uint8_t(bits));
    case 2: return store(uint16_t(bits));
    case 4: return store(uint32_t(bits));
    default: return store(bits);
  }
}

long double numeric_value(const TypeInfo& type, const void* address) {
  if (type.kind == Kind::number) {
    return type.size == sizeof(float) ? static_cast<long double>(*static_cast<const float*>(address))
                                      : static_cast<long double>(*static_cast<const double*>(address));
  }
  const int64_t bits = load_integer(type, address);
  return type.is_signed ? static_cast<long double>(bits) : static_cast<long double>(uint64_t(bits));
}

std::string scalar_text(const TypeInfo& type, const void* address) {
  switch (type.kind) {
    case Kind::boolean: return *static_cast<const bool*>(address) ? "true" : "false";
    case Kind::integer: {
      const int64_t bits = load_integer(type, address);
      return type.is_signed ? std::to_string(bits) : std::to_string(uint64_t(bits));
    }
    case Kind::number:
      return type.size == sizeof(float) ? number_text(*static_cast<const float*>(address))
                                        : number_text(*static_cast<const double*>(address));
    case Kind::text: return *static_cast<const std::string*>(address);
    case Kind::path: return static_cast<const std::filesystem::path*>(address)->string();
    case Kind::choice: {
      const int64_t value = load_integer(type, address);
      for (const auto& [number, name] : type.choices())
        if (number == value) return name;
      return std::to_string(value);
    }
    default: return {};
  }
}

std::string scalar_yaml(const TypeInfo& type, const void* address) {
  const bool may_need_quotes = type.kind == Kind::text || type.kind == Kind::path || type.kind == Kind::choice;
  return may_need_quotes ? yaml_text(scalar_text(type, address)) : scalar_text(type, address);
}

std::vector<FieldInfo> fields_of(const TypeInfo& structure, void* object) {
  FieldList list;
  structure.fields(object, list);
  return std::move(list.fields);
}

std::string child_path(const std::string& path, const std::string& key) { return path.empty() ? key : path + '.' + key; }
std::string child_path(const std::string& path, size_t index) { return fmt::format("{}[{}]", path, index); }

std::vector<std::string> choice_names(const TypeInfo& type) {
  std::vector<std::string> names;
  if (type.kind == Kind::choice)
    for (const auto& [value, name] : type.choices()) names.push_back(name);
  if (type.kind == Kind::variant)
    for (const auto& [name, info] : type.alternatives()) names.push_back(name);
  return names;
}

std::string comma_list(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
  return text;
}

std::string other_key(const Check& check, const std::vector<FieldInfo>& siblings) {
  for (const FieldInfo& field : siblings)
    if (field.address == check.other) return field.key;
  return "the other value";
}

}  // namespace zoo
