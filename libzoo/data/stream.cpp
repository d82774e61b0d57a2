#include <libzoo/data/stream.h>

#include <fmt/format.h>

namespace zoo::data {

int64_t PositionReader::take() {
  if (values_.empty()) throw Error("the saved position of the data stream is too short", "the checkpoint is damaged or of another version");
  const int64_t value = values_.front();
  values_ = values_.subspan(1);
  return value;
}

State stream_state(const std::string& identity, const Position& position) {
  State state;
  state.values["stages"] = identity;
  state.values["position"] = position;
  return state;
}

Position read_position(const State& state, const std::string& identity) {
  const Json& values = state.values;
  if (!values.is_object() || !values.contains("stages") || !values["stages"].is_string() || !values.contains("position") ||
      !values["position"].is_array())
    throw Error("the state is not that of a data stream: it has no `stages` and `position`");
  const auto& stages = values["stages"].get_ref<const std::string&>();
  if (stages != identity)
    throw Error(fmt::format("the saved data stream is `{}`, this one is `{}`", stages, identity),
                "resume with the data, seed and batch options of the saved run; only the number of workers may differ");
  Position position;
  position.reserve(values["position"].size());
  for (const Json& value : values["position"]) {
    if (!value.is_number_integer()) throw Error("the saved position of the data stream holds a value that is no integer");
    position.push_back(value.get<int64_t>());
  }
  return position;
}

void append_list(Position& position, const Position& list) {
  position.push_back(int64_t(list.size()));
  position.insert(position.end(), list.begin(), list.end());
}

Position take_list(PositionReader& position) {
  Position list;
  for (int64_t left = position.take(); left > 0; --left) list.push_back(position.take());
  return list;
}

void refuse_rest(const std::string& identity) {
  throw Error(fmt::format("the saved position has more values than the stages `{}` take", identity),
              "the checkpoint is damaged or of another version");
}

void refuse_refetch(const std::string& description) {
  throw Error(fmt::format("an item that was buffered when the stream was saved is not there any more in `{}`", description),
              "the data changed since the checkpoint was written");
}

}  // namespace zoo::data
