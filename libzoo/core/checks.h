// Conditions on the value of an option, given to field() after the help text. They apply to the value of a std::optional
// that is set and, except not_empty(), to each element of a list or map.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace zoo {

struct TypeInfo;
template <class T>
const TypeInfo& type_of();

struct Check {
  enum class Kind {
    required,
    at_least,
    at_most,
    between,
    positive,
    non_negative,
    one_of,
    not_empty,
    divides,
    existing_file,
    existing_directory,
    existing_path
  };

  Kind kind = Kind::required;
  long double low = 0, high = 0;      // wide enough for every int64, uint64 and double
  std::vector<std::string> choices = {};   // one_of
  const void* other = nullptr;        // divides: another member of the same struct
  const TypeInfo* other_type = nullptr;
};

inline Check required() { return {.kind = Check::Kind::required}; }  // some source must give the value
inline Check positive() { return {.kind = Check::Kind::positive}; }
inline Check non_negative() { return {.kind = Check::Kind::non_negative}; }
inline Check not_empty() { return {.kind = Check::Kind::not_empty}; }  // text, path, list or map

// The file system is looked at once all values are known. An empty path that no source gave passes.
inline Check existing_file() { return {.kind = Check::Kind::existing_file}; }
inline Check existing_directory() { return {.kind = Check::Kind::existing_directory}; }
inline Check existing_path() { return {.kind = Check::Kind::existing_path}; }

template <class N>
  requires std::is_arithmetic_v<N>
Check at_least(N n) {
  return {.kind = Check::Kind::at_least, .low = static_cast<long double>(n)};
}
template <class N>
  requires std::is_arithmetic_v<N>
Check at_most(N n) {
  return {.kind = Check::Kind::at_most, .high = static_cast<long double>(n)};
}

// Ends included.
template <class A, class B>
  requires(std::is_arithmetic_v<A> && std::is_arithmetic_v<B>)
Check between(A low, B high) {
  return {.kind = Check::Kind::between, .low = static_cast<long double>(low), .high = static_cast<long double>(high)};
}

Check one_of(std::initializer_list<const char*> choices);
Check one_of(std::initializer_list<int> choices);

// The integer must divide `other`, an integer member of the same struct; looked at once all values are known.
template <class T>
Check divides(const T& other) {
  return {.kind = Check::Kind::divides, .other = &other, .other_type = &type_of<T>()};
}

// For a person, as in a column "range": ">= 1", "in [0, 1]", "existing file"; empty for required(). `other`: the key of the
// member that divides() names.
std::string range_text(const Check& check, std::string_view other = "the other value");

}  // namespace zoo
