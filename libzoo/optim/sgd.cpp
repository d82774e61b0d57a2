#include <libzoo/core/error.h>
#include <libzoo/io/parallel_for.h>
#include <libzoo/io/tensor.h>
#include <libzoo/optim/kernels/sgd.h>
#include <libzoo/optim/memory_runs.h>
#include <libzoo/optim/sgd.h>

#include <ATen/ATen.h>

#include <fmt/format.h>

#include <algorithm>

namespace zoo::optim {
namespace {

constexpr int64_t kChunk = 32768;  // values

// One parameter's part of a step. The kernel takes it if memory has no gaps and the same order in all three.
struct Update {
  at::Tensor parameter, grad;
  at::Tensor* velocity = nullptr;  // null without momentum
  bool first = false;              // the velocity has no value yet
};

bool in_one_run(const Update& update) {
  return optim::in_one_run(update.parameter, update.grad) && (!update.velocity || update.velocity->strides() == update.parameter.strides());
}

template <class T>
void run_chunk(const kernels::SgdFactors& factors, const Update& update, int64_t begin, int64_t end) {
  T* velocity = update.velocity ? update.velocity->data_ptr<T>() + begin : nullptr;
  kernels::sgd(factors, update.parameter.data_ptr<T>() + begin, update.grad.const_data_ptr<T>() + begin, velocity, update.first,
               end - begin);
}

void run_kernel(const kernels::SgdFactors& factors, const std::vector<Update>& updates) {
  std::vector<std::pair<size_t, int64_t>> chunks;
  for (size_t i = 0; i < updates.size(); ++i) {
    for (int64_t begin = 0; begin < updates[i].parameter.numel(); begin += kChunk) chunks.emplace_back(i, begin);
  }
  io::parallel_for(0, int64_t(chunks.size()), 2, [&](int64_t first, int64_t last) {
    for (int64_t c = first; c < last; ++c) {
      const auto& [index, begin] = chunks[size_t(c)];
      const auto& update = updates[index];
      const int64_t end = std::min(begin + kChunk, update.parameter.numel());
      if (update.parameter.scalar_type() == at::kFloat)
        run_chunk<float>(factors, update, begin, end);
      else
        run_chunk<double>(factors, update, begin, end);
    }
  });
}

// Any device, type and layout.
void run_composed(const kernels::SgdFactors& factors, const std::vector<Update>& updates) {
  std::vector<at::Tensor> parameters, steps;
  for (const auto& update : updates) {
    auto grad = factors.weight_decay != 0 ? update.grad.add(update.parameter, factors.weight_decay) : update.grad;
    if (update.velocity) {
      auto& velocity = *update.velocity;
      if (update.first)
        velocity.copy_(grad);
      else
        velocity.mul_(factors.momentum).add_(grad);
      grad = factors.nesterov ? grad.add(velocity, factors.momentum) : velocity;
    }
    parameters.push_back(update.parameter);
    steps.push_back(grad);
  }
  at::_foreach_add_(parameters, steps, -factors.rate);
}

}  // namespace

Sgd::Sgd(const torch::OrderedDict<std::string, at::Tensor>& parameters, const SgdOptions& options) : options_(options) {
  for (const auto& entry : parameters) add(entry.key(), entry.value());
}

Sgd::Sgd(const std::vector<at::Tensor>& parameters, const SgdOptions& options) : options_(options) {
  for (const auto& parameter : parameters) add(std::to_string(names_.size()), parameter);
}

void Sgd::add(const std::string& name, const at::Tensor& parameter) {
  if (!(options_.momentum >= 0) || !(options_.weight_decay >= 0)) {
    throw Error(fmt::format("SGD: momentum ({}) and weight decay ({}) must not be negative", options_.momentum, options_.weight_decay));
  }
  for (const auto& earlier : parameters_) {
    if (earlier.is_same(parameter)) throw Error(fmt::format("SGD: parameter {} appears twice", name));
  }
  names_.push_back(name);
  parameters_.push_back(parameter);
  velocities_.emplace_back();
}

void Sgd::zero_grad() {
  for (auto& parameter : parameters_) parameter.mutable_grad() = at::Tensor();
}

void Sgd::step(double rate) {
  at::NoGradGuard no_grad;
  const kernels::SgdFactors factors{rate, options_.momentum, options_.weight_decay, options_.nesterov};
  std::vector<Update> in_runs, others;
  for (size_t i = 0; i < parameters_.size(); ++i) {
    Update update{.parameter = parameters_[i], .grad = parameters_[i].grad()};
    if (!update.grad.defined()) continue;
    if (options_.momentum != 0) {
      update.velocity = &velocities_[i];
      update.first = !velocities_[i].defined();
      if (update.first) velocities_[i] = at::empty_like(parameters_[i]);
    }
    (in_one_run(update) ? in_runs : others).push_back(std::move(update));
  }
  if (!in_runs.empty()) run_kernel(factors, in_runs);
  for (const auto& update : in_runs) update.parameter.unsafeGetTensorImpl()->bump_version();  // raw pointers don't
  if (!others.empty()) run_composed(factors, others);
}

State Sgd::state() const {
  State state;
  for (size_t i = 0; i < names_.size(); ++i) {
    if (velocities_[i].defined()) state.arrays.emplace(names_[i], io::to_array(velocities_[i]));
  }
  state.values["kind"] = "sgd";
  return state;
}

void Sgd::restore(const State& state) {
  std::vector<at::Tensor> restored(parameters_.size());
  if (state.values.value("kind", "") != "sgd") throw Error("SGD: the state is not one of this optimiser");
  size_t found = 0;
  for (size_t i = 0; i < names_.size(); ++i) {
    const auto array = state.arrays.find(names_[i]);
    if (array == state.arrays.end()) continue;
    ++found;
    const auto tensor = io::to_tensor(array->second);
    if (tensor.sizes() != parameters_[i].sizes() || tensor.scalar_type() != parameters_[i].scalar_type()) {
      throw Error(fmt::format("SGD: the state of {} has another shape or type than the parameter", names_[i]));
    }
    restored[i] = at::empty_like(parameters_[i]).copy_(tensor);
  }
  if (found != state.arrays.size()) throw Error("SGD: the state holds velocities of parameters that are not here");
  velocities_ = std::move(restored);
}

at::Tensor clip_grad_norm(const std::vector<at::Tensor>& parameters, double max_norm) {
  at::NoGradGuard no_grad;
  std::vector<at::Tensor> gradients;
  for (const auto& parameter : parameters) {
    if (parameter.grad().defined()) gradients.push_back(parameter.grad());
  }
  if (gradients.empty()) return at::zeros({});
  const auto norm = at::stack(at::_foreach_norm(gradients, 2)).norm();
  at::_foreach_mul_(gradients, at::clamp_max(max_norm / (norm + 1e-6), 1.0));
  return norm;
}

}  // namespace zoo::optim
