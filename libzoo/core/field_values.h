// Scalars behind a TypeInfo: how binding, dumping and printing read and write them.
#pragma once

#include <libzoo/core/field_tree.h>

#include <cstdint>
#include <string>
#include <vector>

namespace zoo {

bool is_scalar(const TypeInfo& type);

// An integer or enum as 64 bits: sign-extended if signed.
int64_t load_integer(const TypeInfo& type, const void* address);
void store_integer(const TypeInfo& type, void* address, int64_t bits);

// An integer or number, exactly.
long double numeric_value(const TypeInfo& type, const void* address);

std::string scalar_text(const TypeInfo& type, const void* address);  // as it is
std::string scalar_yaml(const TypeInfo& type, const void* address);  // quoted where YAML needs it

std::vector<FieldInfo> fields_of(const TypeInfo& structure, void* object);
std::string child_path(const std::string& path, const std::string& key);
std::string child_path(const std::string& path, size_t index);

// The choices of an enum, the kinds of a variant.
std::vector<std::string> choice_names(const TypeInfo& type);
std::string comma_list(const std::vector<std::string>& names);

// The key of the member of `siblings` that a divides() check looks at.
std::string other_key(const Check& check, const std::vector<FieldInfo>& siblings);

}  // namespace zoo
