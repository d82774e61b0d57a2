// Logs of continuous control: f32 states and actions. Written as parts control.0.safetensors, control.1.safetensors … of so many rows; read from such a
// folder, or from one .safetensors or .npz file with D4RL's arrays observations [N, o], actions [N, a], rewards [N] or [N, 1], terminals, and, if they are
// there, next_observations or timeouts.
#pragma once

#include <libzoo/core/state.h>
#include <libzoo/offline_rl/actor_critic.h>
#include <libzoo/offline_rl/environment_choice.h>

#include <filesystem>
#include <span>
#include <vector>

namespace zoo::offline_rl {

struct ControlLog {
  ControlBatch transitions;  // all of them, in order
  std::vector<double> returns;  // of the episodes, where the log tells their ends
  EnvironmentChoice environment;  // without a name if the log does not tell

  int64_t size() const { return transitions.reward.defined() ? transitions.reward.size(0) : 0; }
};

bool is_control_log(const std::filesystem::path& path);
// Without next_observations and timeouts, max_episode_steps tells where a time limit cut (d4rl.h). Throws UserError naming file and array.
ControlLog read_control_log(const std::filesystem::path& path, int64_t max_episode_steps = 1000);

class ControlLogWriter {
 public:
  ControlLogWriter(std::filesystem::path folder, const ControlTask& task, const EnvironmentChoice& environment, int64_t rows_per_part);
  void add(std::span<const float> state, std::span<const float> action, double reward, std::span<const float> next_state, bool terminal,
           bool truncated);
  void close();  // writes the last part

  State state() const;
  void restore(const State& state);

 private:
  void write();

  std::filesystem::path folder_;
  ControlTask task_;
  std::string environment_;
  int64_t rows_per_part_, part_ = 0;
  std::vector<float> states_, actions_, rewards_, next_states_;
  std::vector<uint8_t> terminals_, timeouts_;
};

}  // namespace zoo::offline_rl
