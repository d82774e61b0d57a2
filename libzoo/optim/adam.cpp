#include <libzoo/core/error.h>
#include <libzoo/io/tensor.h>
#include <libzoo/optim/adam.h>
#include <libzoo/optim/chunks.h>
#include <libzoo/optim/kernels/adam.h>

#include <ATen/ATen.h>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace zoo::optim {
namespace {

// One parameter's part of a step. The kernel takes it if memory has no gaps and the same order in all four.
struct Update {
  at::Tensor parameter, grad, first, second;
  kernels::AdamFactors factors;
};

bool in_one_run(const Update& update) {
  const auto& p = update.parameter;
  const auto type = p.scalar_type();
  const auto fits = [&](const at::Tensor& t) { return t.layout() == at::kStrided && t.strides() == p.strides(); };
  return p.device().is_cpu() && (type == at::kFloat || type == at::kDouble) && update.grad.scalar_type() == type &&
         (update.first.scalar_type() == type || type == at::kFloat) && p.is_non_overlapping_and_dense() && fits(update.grad) &&
         fits(update.first) && fits(update.second);
}

template <class T, class First>
void run_chunk(const Update& u, First* first, int64_t begin, int64_t end) {
  kernels::adam(u.factors, u.parameter.data_ptr<T>() + begin, u.grad.const_data_ptr<T>() + begin, first + begin,
                u.second.data_ptr<T>() + begin, end - begin);
}

void run_kernel(const std::vector<Update>& updates) {
  std::vector<int64_t> counts;
  for (const auto& update : updates) counts.push_back(update.parameter.numel());
  for_chunks(counts, [&](size_t index, int64_t begin, int64_t end) {
    const auto& u = updates[index];
    if (u.first.scalar_type() == at::kBFloat16)
      run_chunk<float>(u, static_cast<uint16_t*>(u.first.data_ptr()), begin, end);
    else if (u.parameter.scalar_type() == at::kFloat)
      run_chunk<float>(u, u.first.data_ptr<float>(), begin, end);
    else
      run_chunk<double>(u, u.first.data_ptr<double>(), begin, end);
  });
  for (const auto& u : updates) u.parameter.unsafeGetTensorImpl()->bump_version();  // raw pointers don't
}

// Any device, type and layout.
void run_composed(const Update& u) {
  const auto& f = u.factors;
  const auto g = f.l2 != 0 ? u.grad.add(u.parameter, f.l2) : u.grad;
  const auto m = u.first.to(u.parameter.scalar_type()).mul(f.beta1).add_(g, 1 - f.beta1);
  u.first.copy_(m);
  u.second.mul_(f.beta2).addcmul_(g, g, 1 - f.beta2);
  if (f.shrink != 1) u.parameter.mul_(f.shrink);
  u.parameter.addcdiv_(m, u.second.div(f.correction2).sqrt_().add_(f.eps), -f.rate / f.correction1);
}

}  // namespace

Adam::Adam(const torch::OrderedDict<std::string, at::Tensor>& parameters, const AdamOptions& options)
    : Optimizer("Adam", parameters), options_(options) {
  check();
}

Adam::Adam(const std::vector<at::Tensor>& parameters, const AdamOptions& options) : Optimizer("Adam", parameters), options_(options) {
  check();
}

void Adam::check() const {
  const auto& o = options_;
  const auto beta = [](double value) { return value >= 0 && value < 1; };
  if (!beta(o.beta1) || !beta(o.beta2)) throw Error(fmt::format("Adam: betas ({}, {}) must be in [0, 1)", o.beta1, o.beta2));
  if (!(o.eps >= 0) || !(o.weight_decay >= 0))
    throw Error(fmt::format("Adam: eps ({}) and weight decay ({}) must not be negative", o.eps, o.weight_decay));
}

void Adam::step(double rate) {
  at::NoGradGuard no_grad;
  const auto& o = options_;
  first_.resize(parameters_.size()), second_.resize(parameters_.size()), steps_.resize(parameters_.size());
  std::vector<Update> in_runs;
  for (size_t i = 0; i < parameters_.size(); ++i) {
    const auto& p = parameters_[i];
    if (!p.grad().defined()) continue;
    if (steps_[i]++ == 0) {
      first_[i] = at::zeros_like(p, o.bf16_moment ? p.options().dtype(at::kBFloat16) : p.options());
      second_[i] = at::zeros_like(p);
    }
    const double correction1 = 1 - std::pow(o.beta1, double(steps_[i])), correction2 = 1 - std::pow(o.beta2, double(steps_[i]));
    const Update update{.parameter = p,
                        .grad = p.grad(),
                        .first = first_[i],
                        .second = second_[i],
                        .factors = {.rate = rate,
                                    .beta1 = o.beta1,
                                    .beta2 = o.beta2,
                                    .eps = o.eps,
                                    .correction1 = o.epsilon_hat ? correction1 / std::sqrt(correction2) : correction1,
                                    .correction2 = o.epsilon_hat ? 1 : correction2,
                                    .l2 = o.decoupled ? 0 : o.weight_decay,
                                    .shrink = o.decoupled ? 1 - rate * o.weight_decay : 1}};
    if (in_one_run(update))
      in_runs.push_back(update);
    else
      run_composed(update);
  }
  run_kernel(in_runs);
}

State Adam::state() const {
  State state;
  Json steps = Json::object();
  for (size_t i = 0; i < steps_.size(); ++i) {
    if (steps_[i] == 0) continue;
    state.arrays.emplace(names_[i] + ".first", io::to_array(first_[i]));
    state.arrays.emplace(names_[i] + ".second", io::to_array(second_[i]));
    steps[names_[i]] = steps_[i];
  }
  state.values["kind"] = "adam";
  state.values["steps"] = steps;
  return state;
}

void Adam::restore(const State& state) {
  require_kind(state, "adam");
  std::vector<at::Tensor> first(names_.size()), second(names_.size());
  std::vector<int64_t> steps(names_.size());
  const Json& counted = state.values.at("steps");
  size_t found = 0;
  for (size_t i = 0; i < names_.size(); ++i) {
    const auto& p = parameters_[i];
    const auto like = options_.bf16_moment ? at::empty_like(p, p.options().dtype(at::kBFloat16)) : p;
    first[i] = restored(state, names_[i] + ".first", like);
    second[i] = restored(state, names_[i] + ".second", p);
    steps[i] = counted.value(names_[i], int64_t(0));
    if ((steps[i] > 0) != first[i].defined() || first[i].defined() != second[i].defined())
      throw Error(fmt::format("Adam: the state of {} is not complete", names_[i]));
    if (steps[i] > 0) found += 2;
  }
  if (found != state.arrays.size()) throw Error("Adam: the state holds moments of parameters that are not here");
  first_ = std::move(first), second_ = std::move(second), steps_ = std::move(steps);
}

}  // namespace zoo::optim
