#include <libzoo/core/error.h>
#include <libzoo/rl/minatar/fields.h>

#include <fmt/format.h>

namespace zoo::rl::minatar {

const Json& field_of(const Json& values, const char* name) {
  if (!values.is_object() || !values.contains(name)) throw Error(fmt::format("the state of the game has no `{}`", name));
  return values[name];
}

int64_t integer_field(const Json& values, const char* name, int64_t low, int64_t high) {
  const Json& value = field_of(values, name);
  if (!value.is_number_integer()) throw Error(fmt::format("`{}` in the state of the game is no integer", name));
  const auto number = value.get<int64_t>();
  if (number < low || number > high)
    throw Error(fmt::format("`{}` in the state of the game is {}, not in [{}, {}]", name, number, low, high));
  return number;
}

void refuse_list(const char* name) { throw Error(fmt::format("`{}` in the state of the game is no list of the right length", name)); }

}  // namespace zoo::rl::minatar
