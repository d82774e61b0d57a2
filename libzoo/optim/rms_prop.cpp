#include <libzoo/core/error.h>
#include <libzoo/io/tensor.h>
#include <libzoo/optim/chunks.h>
#include <libzoo/optim/kernels/rms_prop.h>
#include <libzoo/optim/memory_runs.h>
#include <libzoo/optim/rms_prop.h>

#include <ATen/ATen.h>

#include <fmt/format.h>

namespace zoo::optim {
namespace {

// One parameter's part of a step. The kernel takes it if memory has no gaps and the same order in all.
struct Update {
  at::Tensor parameter, grad, square, mean, velocity;
};

template <class T>
T* place(const at::Tensor& tensor, int64_t begin) {
  return tensor.defined() ? tensor.data_ptr<T>() + begin : nullptr;
}

template <class T>
void run_chunk(const kernels::RmsPropFactors& factors, const Update& u, int64_t begin, int64_t end) {
  kernels::rms_prop(factors, place<T>(u.parameter, begin), u.grad.const_data_ptr<T>() + begin, place<T>(u.square, begin),
                    place<T>(u.mean, begin), place<T>(u.velocity, begin), end - begin);
}

void run_kernel(const kernels::RmsPropFactors& factors, const std::vector<Update>& updates) {
  std::vector<int64_t> counts;
  for (const auto& update : updates) counts.push_back(update.parameter.numel());
  for_chunks(counts, [&](size_t index, int64_t begin, int64_t end) {
    if (updates[index].parameter.scalar_type() == at::kFloat)
      run_chunk<float>(factors, updates[index], begin, end);
    else
      run_chunk<double>(factors, updates[index], begin, end);
  });
  for (const auto& u : updates) u.parameter.unsafeGetTensorImpl()->bump_version();  // raw pointers don't
}

// Any device and layout.
void run_composed(const kernels::RmsPropFactors& f, const Update& u) {
  u.square.mul_(f.decay).addcmul_(u.grad, u.grad, 1 - f.decay);
  auto variance = u.square;
  if (u.mean.defined()) {
    u.mean.mul_(f.decay).add_(u.grad, 1 - f.decay);
    variance = (variance - u.mean.square()).clamp_min(0);
  }
  auto step = u.grad / (f.eps_inside ? (variance + f.eps).sqrt() : variance.sqrt() + f.eps);
  if (u.velocity.defined()) step = u.velocity.mul_(f.momentum).add_(step);
  u.parameter.sub_(step, f.rate);
}

}  // namespace

RmsProp::RmsProp(const torch::OrderedDict<std::string, at::Tensor>& parameters, const RmsPropOptions& options)
    : Optimizer("RmsProp", parameters), options_(options) {
  check();
}

RmsProp::RmsProp(const std::vector<at::Tensor>& parameters, const RmsPropOptions& options)
    : Optimizer("RmsProp", parameters), options_(options) {
  check();
}

void RmsProp::check() {
  const auto& o = options_;
  const auto share = [](double value) { return value >= 0 && value < 1; };
  if (!share(o.decay) || !share(o.momentum))
    throw Error(fmt::format("RmsProp: decay ({}) and momentum ({}) must be in [0, 1)", o.decay, o.momentum));
  if (!(o.eps >= 0)) throw Error(fmt::format("RmsProp: eps ({}) must not be negative", o.eps));
  square_.resize(parameters_.size()), mean_.resize(parameters_.size()), velocity_.resize(parameters_.size());
}

void RmsProp::step(double rate) {
  at::NoGradGuard no_grad;
  const auto& o = options_;
  const kernels::RmsPropFactors factors{
      .rate = rate, .decay = o.decay, .momentum = o.momentum, .eps = o.eps, .eps_inside = o.form == RmsPropForm::tensorflow};
  std::vector<Update> in_runs;
  for (size_t i = 0; i < parameters_.size(); ++i) {
    const auto& p = parameters_[i];
    if (!p.grad().defined()) continue;
    if (!square_[i].defined()) {
      square_[i] = o.form == RmsPropForm::tensorflow ? at::ones_like(p) : at::zeros_like(p);
      if (o.centered) mean_[i] = at::zeros_like(p);
      if (o.momentum > 0) velocity_[i] = at::zeros_like(p);
    }
    const Update update{p, p.grad(), square_[i], mean_[i], velocity_[i]};
    if (has_cpu_loops(p) && optim::in_one_run(p, p.grad()) && square_[i].strides() == p.strides())
      in_runs.push_back(update);
    else
      run_composed(factors, update);
  }
  run_kernel(factors, in_runs);
}

State RmsProp::state() const {
  State state;
  const auto put = [&](const std::string& key, const at::Tensor& tensor) {
    if (tensor.defined()) state.arrays.emplace(key, io::to_array(tensor));
  };
  for (size_t i = 0; i < names_.size(); ++i) {
    put(names_[i] + ".square", square_[i]);
    put(names_[i] + ".mean", mean_[i]);
    put(names_[i] + ".velocity", velocity_[i]);
  }
  state.values["kind"] = "rms_prop";
  return state;
}

void RmsProp::restore(const State& state) {
  require_kind(state, "rms_prop");
  std::vector<at::Tensor> square, mean, velocity;
  size_t found = 0;
  for (size_t i = 0; i < names_.size(); ++i) {
    square.push_back(restored(state, names_[i] + ".square", parameters_[i]));
    mean.push_back(restored(state, names_[i] + ".mean", parameters_[i]));
    velocity.push_back(restored(state, names_[i] + ".velocity", parameters_[i]));
    const bool there = square[i].defined();
    if (mean[i].defined() != (there && options_.centered) || velocity[i].defined() != (there && options_.momentum > 0))
      throw Error(fmt::format("RmsProp: the state of {} is not one with these options", names_[i]));
    found += size_t(there) + size_t(mean[i].defined()) + size_t(velocity[i].defined());
  }
  if (found != state.arrays.size()) throw Error("RmsProp: the state holds averages of parameters that are not here");
  square_ = std::move(square), mean_ = std::move(mean), velocity_ = std::move(velocity);
}

}  // namespace zoo::optim
