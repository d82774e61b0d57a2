#include <libzoo/core/error.h>
#include <libzoo/rl/fields.h>

#include <fmt/format.h>

namespace zoo::rl {

const Json& field_of(const Json& values, const char* name) {
  if (!values.is_object() || !values.contains(name)) throw Error(fmt::format("the saved state has no `{}`", name));
  return values[name];
}

int64_t integer_field(const Json& values, const char* name, int64_t low, int64_t high) {
  const Json& value = field_of(values, name);
  if (!value.is_number_integer()) throw Error(fmt::format("`{}` in the saved state is no integer", name));
  const auto number = value.get<int64_t>();
  if (number < low || number > high) throw Error(fmt::format("`{}` in the saved state is {}, not in [{}, {}]", name, number, low, high));
  return number;
}

void refuse_list(const char* name) { throw Error(fmt::format("`{}` in the saved state is no list of the right length", name)); }

void check_state_name(const State& state, const std::string& name) {
  const Json& values = state.values;
  const bool named = values.is_object() && values.contains("name") && values["name"].is_string();
  if (!named || values["name"].get_ref<const std::string&>() != name)
    throw Error(fmt::format("the state is one of {}, not of {}", named ? values["name"].get<std::string>() : "something else", name));
}

}  // namespace zoo::rl
