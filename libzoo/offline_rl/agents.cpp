#include <libzoo/core/error.h>
#include <libzoo/io/weights.h>
#include <libzoo/offline_rl/agents.h>

#include <ATen/ATen.h>

#include <fmt/format.h>

namespace zoo::offline_rl {
namespace {

constexpr const char* kMean = "state_scale.mean";
constexpr const char* kDeviation = "state_scale.deviation";

std::vector<int64_t> picture_shape(const rl::EnvironmentSpec& spec) {
  auto shape = spec.observation.shape;
  if (shape.size() == 2) shape.push_back(1);
  return shape;
}

struct AgentBox {
  AgentChoice agent;
};
template <class Field>
void fields(Field& field, AgentBox& o) {
  field("agent", o.agent, "");
}

at::Tensor float_states(std::span<const std::byte> observations, int64_t rows) {
  auto states = at::empty({rows, std::ssize(observations) / rows / int64_t(sizeof(float))});
  std::memcpy(states.data_ptr(), observations.data(), observations.size());
  return states;
}

}  // namespace

PictureTask picture_task(const rl::EnvironmentSpec& spec) {
  if (!spec.action.discrete() || spec.observation.type == DType::f32)
    throw UserError(fmt::format("{} has no pictures and discrete actions, which agents of values need", spec.name),
                    "agent.type=actor_critic is for continuous actions");
  return {picture_shape(spec), spec.action.count};
}

ControlTask control_task(const rl::EnvironmentSpec& spec) {
  if (spec.action.discrete() || spec.observation.type != DType::f32)
    throw UserError(fmt::format("{} has discrete actions; agents of type actor_critic choose numbers", spec.name), "agent.type=values");
  return {.state_size = spec.observation.items(), .action_size = spec.action.size, .max_action = spec.action.high};
}

at::Tensor picture_states(std::span<const std::byte> observations, const PictureTask& task) {
  auto states = at::empty({std::ssize(observations) / count(task.state), task.state[0], task.state[1], task.state[2]}, at::kByte);
  std::memcpy(states.data_ptr(), observations.data(), observations.size());
  return states;
}

rl::Policy Agent::policy() const {
  if (values)
    return [agent = values](const rl::PolicyBatch& batch) {
      const auto actions = agent->act(picture_states(batch.observation, agent->task()));
      std::copy_n(actions.const_data_ptr<int64_t>(), batch.rows(), batch.action.begin());
    };
  return [agent = actor, scale = scale](const rl::PolicyBatch& batch) {
    const auto actions = agent->act(scale.apply(float_states(batch.observation, batch.rows()))).contiguous();
    std::copy_n(actions.const_data_ptr<float>(), actions.numel(), batch.values.begin());
  };
}

std::string Agent::kind() const {
  const auto name = [](auto kind) {
    for (const auto& entry : enum_names(kind).entries)
      if (entry.value == kind) return std::string(entry.name);
    return std::string();
  };
  return std::visit([&](const auto& o) { return name(o.kind); }, options);
}

void save_agent(const std::filesystem::path& path, const Agent& agent) {
  auto tensors = agent.values ? agent.values->weights() : agent.actor->weights();
  if (agent.scale.mean.defined()) tensors[kMean] = agent.scale.mean, tensors[kDeviation] = agent.scale.deviation;
  io::save_weights(path, tensors,
                   {{"format", "pt"},
                    {"system", "offline_rl"},
                    {"agent", options_json(AgentBox{agent.options}).dump()},
                    {"environment", environment_text(agent.environment)}});
}

Agent load_agent(const std::filesystem::path& path, at::Device device) {
  auto file = io::load_weights(path);
  if (file.metadata["system"] != "offline_rl")
    throw UserError(fmt::format("{}: is no agent of zoo-offline-rl", path.string()), "name a model.safetensors that log or train wrote");
  Agent agent;
  AgentBox box;
  load_options(box, {ConfigLayer::from_text(path.string() + " (agent)", file.metadata["agent"])});
  agent.options = box.agent;
  agent.environment = environment_of(file.metadata["environment"], path.string() + " (environment)");
  const auto spec = maker_of(agent.environment)()->spec();
  try {
    if (const auto* options = std::get_if<AgentOptions>(&agent.options)) {
      agent.values = std::make_shared<QAgent>(*options, picture_task(spec), 0, device);
      agent.values->load(file.tensors);
    } else {
      if (file.tensors.contains(kMean)) {
        agent.scale = {file.tensors.at(kMean), file.tensors.at(kDeviation)};
        file.tensors.erase(kMean), file.tensors.erase(kDeviation);
      }
      agent.actor = std::make_shared<ActorCritic>(std::get<ActorCriticOptions>(agent.options), control_task(spec), 0, device);
      agent.actor->load(file.tensors);
    }
  } catch (const UserError& error) {
    throw UserError(fmt::format("{}: {}", path.string(), error.what()), error.hint());
  }
  return agent;
}

}  // namespace zoo::offline_rl
