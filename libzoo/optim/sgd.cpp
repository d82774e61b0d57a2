#include <libzoo/core/error.h>
#include <libzoo/io/tensor.h>
#include <libzoo/optim/chunks.h>
#include <libzoo/optim/kernels/sgd.h>
#include <libzoo/optim/memory_runs.h>
#include <libzoo/optim/sgd.h>
#ifdef ZOO_HAS_CUDA
#include <libzoo/io/cuda_stream.h>
#include <libzoo/optim/kernels/sgd_cuda.h>
#endif

#include <ATen/ATen.h>

#include <fmt/format.h>

namespace zoo::optim {
namespace {

// One parameter's part of a step. The kernel takes it if memory has no gaps and the same order in all three.
struct Update {
  at::Tensor parameter, grad;
  at::Tensor* velocity = nullptr;  // null without momentum
  bool first = false;              // the velocity has no value yet
};

bool has_kernel(const at::Tensor& parameter) {
#ifdef ZOO_HAS_CUDA
  const auto type = parameter.scalar_type();
  if (parameter.is_cuda()) return type == at::kFloat || type == at::kHalf || type == at::kBFloat16;
#endif
  return has_cpu_loops(parameter);
}

bool in_one_run(const Update& update) {
  return has_kernel(update.parameter) && optim::in_one_run(update.parameter, update.grad) &&
         (!update.velocity || update.velocity->strides() == update.parameter.strides());
}

template <class T>
void run_chunk(const kernels::SgdFactors& factors, const Update& update, int64_t begin, int64_t end) {
  T* velocity = update.velocity ? update.velocity->data_ptr<T>() + begin : nullptr;
  kernels::sgd(factors, update.parameter.data_ptr<T>() + begin, update.grad.const_data_ptr<T>() + begin, velocity, update.first,
               end - begin);
}

void run_kernel(const kernels::SgdFactors& factors, const std::vector<Update>& updates) {
  std::vector<int64_t> counts;
  for (const auto& update : updates) counts.push_back(update.parameter.numel());
  for_chunks(counts, [&](size_t index, int64_t begin, int64_t end) {
    const auto& update = updates[index];
    if (update.parameter.scalar_type() == at::kFloat)
      run_chunk<float>(factors, update, begin, end);
    else
      run_chunk<double>(factors, update, begin, end);
  });
}

#ifdef ZOO_HAS_CUDA
template <class T>
void run_on_cuda(const kernels::SgdFactors& factors, const std::vector<Update>& updates, at::ScalarType type, cudaStream_t stream) {
  std::vector<kernels::CudaSgdTensor<T>> tensors;
  for (const auto& update : updates) {
    if (update.parameter.scalar_type() != type) continue;
    tensors.push_back({update.parameter.data_ptr<T>(), update.grad.data_ptr<T>(),
                       update.velocity ? update.velocity->data_ptr<T>() : nullptr, update.parameter.numel(), update.first});
  }
  kernels::sgd_cuda(factors, tensors.data(), int64_t(tensors.size()), stream);
}

void run_on_cuda(const kernels::SgdFactors& factors, const std::vector<Update>& updates) {
  const io::CudaLaunch on(updates.front().parameter);
  run_on_cuda<float>(factors, updates, at::kFloat, on.stream);
  run_on_cuda<at::Half>(factors, updates, at::kHalf, on.stream);
  run_on_cuda<at::BFloat16>(factors, updates, at::kBFloat16, on.stream);
}
#endif

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

Sgd::Sgd(const torch::OrderedDict<std::string, at::Tensor>& parameters, const SgdOptions& options)
    : Optimizer("SGD", parameters), options_(options) {
  check();
}

Sgd::Sgd(const std::vector<at::Tensor>& parameters, const SgdOptions& options) : Optimizer("SGD", parameters), options_(options) {
  check();
}

void Sgd::check() const {
  if (!(options_.momentum >= 0) || !(options_.weight_decay >= 0)) {
    throw Error(fmt::format("SGD: momentum ({}) and weight decay ({}) must not be negative", options_.momentum, options_.weight_decay));
  }
}

void Sgd::step(double rate) {
  at::NoGradGuard no_grad;
  const kernels::SgdFactors factors{rate, options_.momentum, options_.weight_decay, options_.nesterov};
  std::vector<Update> in_runs, on_cuda, others;
  velocities_.resize(parameters_.size());
  for (size_t i = 0; i < parameters_.size(); ++i) {
    Update update{.parameter = parameters_[i], .grad = parameters_[i].grad()};
    if (!update.grad.defined()) continue;
    if (options_.momentum != 0) {
      update.velocity = &velocities_[i];
      update.first = !velocities_[i].defined();
      if (update.first) velocities_[i] = at::empty_like(parameters_[i]);
    }
    const bool other_gpu = !on_cuda.empty() && update.parameter.device() != on_cuda.front().parameter.device();
    auto& way = !in_one_run(update) ? others : update.parameter.is_cpu() ? in_runs : other_gpu ? others : on_cuda;
    way.push_back(std::move(update));
  }
  if (!in_runs.empty()) run_kernel(factors, in_runs);
#ifdef ZOO_HAS_CUDA
  if (!on_cuda.empty()) run_on_cuda(factors, on_cuda);
#endif
  for (const auto* updates : {&in_runs, &on_cuda})
    for (const auto& update : *updates) update.parameter.unsafeGetTensorImpl()->bump_version();  // raw pointers don't
  if (!others.empty()) run_composed(factors, others);
}

State Sgd::state() const {
  State state;
  for (size_t i = 0; i < velocities_.size(); ++i) {
    if (velocities_[i].defined()) state.arrays.emplace(names_[i], io::to_array(velocities_[i]));
  }
  state.values["kind"] = "sgd";
  return state;
}

void Sgd::restore(const State& state) {
  require_kind(state, "sgd");
  std::vector<at::Tensor> velocities;
  size_t found = 0;
  for (size_t i = 0; i < names_.size(); ++i) {
    velocities.push_back(restored(state, names_[i], parameters_[i]));
    if (velocities.back().defined()) ++found;
  }
  if (found != state.arrays.size()) throw Error("SGD: the state holds velocities of parameters that are not here");
  velocities_ = std::move(velocities);
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
