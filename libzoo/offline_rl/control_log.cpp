#include <libzoo/core/error.h>
#include <libzoo/io/safetensors.h>
#include <libzoo/io/weights.h>
#include <libzoo/offline_rl/control_log.h>
#include <libzoo/offline_rl/d4rl.h>

#include <ATen/ATen.h>

#include <fmt/format.h>

namespace zoo::offline_rl {
namespace {

std::filesystem::path part_path(const std::filesystem::path& folder, int64_t part) {
  return folder / fmt::format("control.{}.safetensors", part);
}

// The rows of one file.
struct Part {
  at::Tensor state, action, reward, next_state, terminal, timeout;  // the last and next_state may be undefined
};

at::Tensor flags_of(const at::Tensor& tensor) { return tensor.flatten().to(at::kByte).contiguous(); }

Part part_of_file(const std::map<std::string, at::Tensor>& tensors, const std::string& where) {
  const auto get = [&](const char* name, bool needed) {
    const auto found = tensors.find(name);
    if (found == tensors.end() && needed)
      throw UserError(fmt::format("{}: has no array '{}'", where, name), "observations, actions, rewards and terminals are needed");
    return found == tensors.end() ? at::Tensor() : found->second;
  };
  Part part{get("observations", true),       get("actions", true),   get("rewards", true),
            get("next_observations", false), get("terminals", true), get("timeouts", false)};
  const int64_t rows = part.reward.numel();
  const auto check = [&](const at::Tensor& tensor, const char* name, bool matrix) {
    if (!tensor.defined()) return;
    if (matrix ? tensor.dim() != 2 || tensor.size(0) != rows : tensor.numel() != rows)
      throw UserError(fmt::format("{}: '{}' does not have the {} rows of the rewards", where, name, rows));
  };
  check(part.state, "observations", true), check(part.action, "actions", true), check(part.next_state, "next_observations", true);
  check(part.terminal, "terminals", false), check(part.timeout, "timeouts", false);
  part.state = part.state.to(at::kFloat), part.action = part.action.to(at::kFloat), part.reward = part.reward.flatten().to(at::kFloat);
  part.terminal = flags_of(part.terminal);
  if (part.timeout.defined()) part.timeout = flags_of(part.timeout);
  if (part.next_state.defined()) part.next_state = part.next_state.to(at::kFloat);
  return part;
}

std::span<const uint8_t> bytes_of(const at::Tensor& tensor) { return {tensor.const_data_ptr<uint8_t>(), size_t(tensor.numel())}; }

}  // namespace

bool is_control_log(const std::filesystem::path& path) {
  return std::filesystem::exists(part_path(path, 0)) || path.extension() == ".safetensors" || path.extension() == ".npz";
}

ControlLog read_control_log(const std::filesystem::path& path, int64_t max_episode_steps) {
  ControlLog log;
  std::vector<std::filesystem::path> files;
  if (std::filesystem::is_directory(path))
    for (int64_t i = 0; std::filesystem::exists(part_path(path, i)); ++i) files.push_back(part_path(path, i));
  else
    files.push_back(path);
  std::vector<at::Tensor> state, action, reward, next, terminal;
  double earned = 0;
  for (const auto& file : files) {
    const auto weights = io::load_weights(file);
    const Part part = part_of_file(weights.tensors, file.string());
    if (const auto found = weights.metadata.find("environment"); found != weights.metadata.end())
      log.environment = environment_of(found->second, file.string() + " (environment)");
    const auto terminals = bytes_of(part.terminal);
    for (size_t i = 0; i < terminals.size(); ++i) {
      earned += part.reward.const_data_ptr<float>()[i];
      if (!terminals[i] && !(part.timeout.defined() && bytes_of(part.timeout)[i])) continue;
      log.returns.push_back(earned);
      earned = 0;
    }
    auto rows = at::arange(part.reward.numel(), at::kLong);
    auto following = part.next_state;
    if (!following.defined()) {
      rows =
          at::tensor(d4rl_rows(terminals, part.timeout.defined() ? std::optional(bytes_of(part.timeout)) : std::nullopt, max_episode_steps),
                     at::kLong);
      following = part.state.index_select(0, rows + 1);
    }
    state.push_back(part.state.index_select(0, rows)), action.push_back(part.action.index_select(0, rows));
    reward.push_back(part.reward.index_select(0, rows)), terminal.push_back(part.terminal.index_select(0, rows));
    next.push_back(following);
  }
  for (const auto& each : state)
    if (each.size(1) != state[0].size(1)) throw UserError(fmt::format("{}: parts with states of different sizes", path.string()));
  log.transitions = {at::cat(state), at::cat(action), at::cat(reward), at::cat(next), at::cat(terminal)};
  if (log.size() == 0) throw UserError(fmt::format("{}: holds no transitions", path.string()));
  return log;
}

ControlLogWriter::ControlLogWriter(std::filesystem::path folder, const ControlTask& task, const EnvironmentChoice& environment,
                                   int64_t rows_per_part)
    : folder_(std::move(folder)), task_(task), environment_(environment_text(environment)), rows_per_part_(rows_per_part) {}

void ControlLogWriter::add(std::span<const float> state, std::span<const float> action, double reward, std::span<const float> next_state,
                           bool terminal, bool truncated) {
  states_.insert(states_.end(), state.begin(), state.end());
  actions_.insert(actions_.end(), action.begin(), action.end());
  next_states_.insert(next_states_.end(), next_state.begin(), next_state.end());
  rewards_.push_back(float(reward));
  terminals_.push_back(terminal), timeouts_.push_back(truncated);
  if (std::ssize(rewards_) == rows_per_part_) write();
}

void ControlLogWriter::close() {
  if (!rewards_.empty()) write();
}

void ControlLogWriter::write() {
  std::filesystem::create_directories(folder_);
  const int64_t rows = std::ssize(rewards_);
  const auto matrix = [&](const std::vector<float>& values, int64_t width) {
    return Array::of<float>({rows, width}, std::span<const float>(values));
  };
  Arrays arrays;
  arrays.emplace("observations", matrix(states_, task_.state_size));
  arrays.emplace("actions", matrix(actions_, task_.action_size));
  arrays.emplace("next_observations", matrix(next_states_, task_.state_size));
  arrays.emplace("rewards", Array::of<float>({rows}, std::span<const float>(rewards_)));
  arrays.emplace("terminals", Array::of<uint8_t>({rows}, std::span<const uint8_t>(terminals_)));
  arrays.emplace("timeouts", Array::of<uint8_t>({rows}, std::span<const uint8_t>(timeouts_)));
  io::write_safetensors(part_path(folder_, part_++), arrays, {{"environment", environment_}});
  states_.clear(), actions_.clear(), next_states_.clear(), rewards_.clear(), terminals_.clear(), timeouts_.clear();
}

State ControlLogWriter::state() const {
  State state;
  const auto put = [&](const char* name, const auto& values) {
    using T = typename std::decay_t<decltype(values)>::value_type;
    state.arrays.emplace(name, Array::of<T>({std::ssize(values)}, std::span<const T>(values)));
  };
  put("states", states_), put("actions", actions_), put("rewards", rewards_), put("next_states", next_states_);
  put("terminals", terminals_), put("timeouts", timeouts_);
  state.values["part"] = part_;
  return state;
}

void ControlLogWriter::restore(const State& state) {
  const auto get = [&](const char* name, auto& values) {
    using T = typename std::decay_t<decltype(values)>::value_type;
    const auto from = state.arrays.at(name).span<T>();
    values.assign(from.begin(), from.end());
  };
  get("states", states_), get("actions", actions_), get("rewards", rewards_), get("next_states", next_states_);
  get("terminals", terminals_), get("timeouts", timeouts_);
  part_ = state.values.at("part").get<int64_t>();
}

}  // namespace zoo::offline_rl
