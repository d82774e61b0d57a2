// How the numbers of an environment go into JSON and come back. A game names them once, with their range, in
// `template <class Fields> void fields(Fields& field)`; SaveFields and LoadFields are what it is called with.
#pragma once

#include <libzoo/core/json.h>
#include <libzoo/core/state.h>

#include <array>
#include <concepts>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace zoo::rl {

inline constexpr int64_t kTimerMax = 1 << 20;  // beyond every timer of the games

// These throw Error naming the field.
const Json& field_of(const Json& values, const char* name);
int64_t integer_field(const Json& values, const char* name, int64_t low, int64_t high);
[[noreturn]] void refuse_list(const char* name);

// Throws Error unless state.values["name"] is that name.
void check_state_name(const State& state, const std::string& name);

class SaveFields {
 public:
  explicit SaveFields(Json& values) : values_(values) {}

  template <std::integral T>
  void operator()(const char* name, T value, int64_t = 0, int64_t = 0) {
    values_[name] = int64_t(value);
  }
  template <class Items>
  void list(const char* name, const Items& items) {
    Json array = Json::array();
    for (auto item : items) {
      Json one = Json::object();
      SaveFields fields(one);
      item.fields(fields);
      array.push_back(std::move(one));
    }
    values_[name] = std::move(array);
  }

 private:
  Json& values_;
};

class LoadFields {
 public:
  explicit LoadFields(const Json& values) : values_(values) {}

  template <std::integral T>
  void operator()(const char* name, T& value, int64_t low = 0, int64_t high = kTimerMax) {
    value = T(integer_field(values_, name, low, high));
  }
  void operator()(const char* name, bool& value) { value = integer_field(values_, name, 0, 1) != 0; }

  template <class Item>
  void list(const char* name, std::vector<Item>& items) {
    const Json& array = field_of(values_, name);
    if (!array.is_array() || array.size() > kMaxItems) refuse_list(name);
    items.clear();
    for (const Json& one : array) {
      LoadFields fields(one);
      items.emplace_back().fields(fields);
    }
  }
  template <class Item, size_t size>
  void list(const char* name, std::array<Item, size>& items) {
    const Json& array = field_of(values_, name);
    if (!array.is_array() || array.size() != size) refuse_list(name);
    for (size_t i = 0; i < size; ++i) {
      LoadFields fields(array[i]);
      items[i].fields(fields);
    }
  }

 private:
  static constexpr size_t kMaxItems = 1000;
  const Json& values_;
};

}  // namespace zoo::rl
