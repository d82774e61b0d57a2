#include <libzoo/core/error.h>
#include <libzoo/io/parallel_for.h>
#include <libzoo/io/tensor.h>
#include <libzoo/optim/kernels/lars.h>
#include <libzoo/optim/lars.h>
#include <libzoo/optim/memory_runs.h>

#include <ATen/ATen.h>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace zoo::optim {
namespace {

constexpr int64_t kChunk = 32768;     // values
constexpr int64_t kShared = 4 * kChunk;  // values from which on the threads share a tensor: both loops then find it in their caches

// One parameter's step by the kernels.
template <class T>
class KernelStep {
 public:
  KernelStep(const LarsOptions& o, bool adapts, double rate, at::Tensor& parameter, const at::Tensor& grad, at::Tensor& velocity)
      : factors_{.momentum = o.momentum,
                 .weight_decay = adapts ? o.weight_decay : 0,
                 .nesterov = o.nesterov,
                 .rate_in_velocity = o.rate_in_velocity},
        trust_(o.trust),
        rate_(rate),
        adapts_(adapts),
        parameter_(parameter.data_ptr<T>()),
        grad_(grad.const_data_ptr<T>()),
        velocity_(velocity.data_ptr<T>()),
        count_(parameter.numel()) {}

  void run(bool shared) const {
    double scale = rate_;
    if (adapts_ || !factors_.rate_in_velocity) {
      const auto sums = squares(shared);
      if (adapts_ && sums.parameter > 0 && sums.update > 0) scale *= trust_ * std::sqrt(sums.parameter / sums.update);
    }
    each_chunk(shared, [&](int64_t, int64_t from, int64_t count) {
      kernels::lars_step(factors_, scale, parameter_ + from, grad_ + from, velocity_ + from, count);
    });
  }

 private:
  template <class Work>
  void each_chunk(bool shared, Work work) const {
    const int64_t chunks = (count_ + kChunk - 1) / kChunk;
    const auto some = [&](int64_t first, int64_t last) {
      for (int64_t c = first; c < last; ++c) work(c, c * kChunk, std::min(kChunk, count_ - c * kChunk));
    };
    shared ? io::parallel_for(0, chunks, 1, some) : some(0, chunks);
  }

  // Chunk by chunk whoever computes them, so that the sum does not depend on the threads.
  kernels::Squares squares(bool shared) const {
    std::vector<kernels::Squares> sums(size_t((count_ + kChunk - 1) / kChunk));
    each_chunk(shared, [&](int64_t c, int64_t from, int64_t count) {
      sums[size_t(c)] = kernels::lars_squares(factors_, parameter_ + from, grad_ + from, velocity_ + from, count);
    });
    kernels::Squares total;
    for (const auto& sum : sums) total.parameter += sum.parameter, total.update += sum.update;
    return total;
  }

  kernels::LarsFactors factors_;
  double trust_, rate_;
  bool adapts_;
  T* parameter_;
  const T* grad_;
  T* velocity_;
  int64_t count_;
};

// trust · |w| / |u|, or 1 where one of them is 0; on the device, in float32 at least.
at::Tensor trust_ratio(double trust, const at::Tensor& weight, const at::Tensor& update) {
  const auto type = at::promote_types(weight.scalar_type(), at::kFloat);
  const auto w = at::linalg_vector_norm(weight, 2, at::OptionalIntArrayRef(), false, type);
  const auto u = at::linalg_vector_norm(update, 2, at::OptionalIntArrayRef(), false, type);
  return at::where((w > 0).logical_and(u > 0), trust * w / u, at::ones_like(w));
}

}  // namespace

Lars::Lars(const torch::OrderedDict<std::string, at::Tensor>& parameters, const std::function<Role(const std::string& name)>& role,
           const LarsOptions& options)
    : options_(options) {
  if (!(options_.momentum >= 0) || !(options_.weight_decay >= 0) || !(options_.trust >= 0))
    throw Error(fmt::format("LARS: momentum ({}), weight decay ({}) and trust ({}) must not be negative", options_.momentum,
                            options_.weight_decay, options_.trust));
  for (const auto& entry : parameters) {
    for (const auto& earlier : parameters_)
      if (earlier.is_same(entry.value())) throw Error(fmt::format("LARS: parameter {} appears twice", entry.key()));
    names_.push_back(entry.key());
    parameters_.push_back(entry.value());
    velocities_.push_back(at::zeros_like(entry.value()));
    roles_.push_back(role(entry.key()));
  }
}

void Lars::zero_grad() {
  for (auto& parameter : parameters_) parameter.mutable_grad() = at::Tensor();
}

void Lars::step(double rate) {
  at::NoGradGuard no_grad;
  std::vector<size_t> small;
  for (size_t i = 0; i < parameters_.size(); ++i) {
    const at::Tensor& grad = parameters_[i].grad();
    if (!grad.defined()) continue;
    if (!has_cpu_loops(parameters_[i]) || !in_one_run(parameters_[i], grad) || velocities_[i].strides() != parameters_[i].strides())
      step_composed(i, rate);
    else if (parameters_[i].numel() < kShared)
      small.push_back(i);
    else
      step_kernel(i, rate, /*shared=*/true);
  }
  io::parallel_for(0, int64_t(small.size()), 1, [&](int64_t first, int64_t last) {
    for (int64_t k = first; k < last; ++k) step_kernel(small[size_t(k)], rate, /*shared=*/false);
  });
}

void Lars::step_kernel(size_t i, double rate, bool shared) {
  const bool adapts = roles_[i] == Role::weight;
  if (parameters_[i].scalar_type() == at::kFloat)
    KernelStep<float>(options_, adapts, rate, parameters_[i], parameters_[i].grad(), velocities_[i]).run(shared);
  else
    KernelStep<double>(options_, adapts, rate, parameters_[i], parameters_[i].grad(), velocities_[i]).run(shared);
  parameters_[i].unsafeGetTensorImpl()->bump_version();  // raw pointers don't
}

// Any device, type and layout.
void Lars::step_composed(size_t i, double rate) {
  const auto& o = options_;
  at::Tensor& p = parameters_[i];
  at::Tensor& v = velocities_[i];
  at::Tensor g = p.grad();
  const bool adapts = roles_[i] == Role::weight;
  if (adapts && o.weight_decay != 0) g = g.add(p, o.weight_decay);
  if (o.rate_in_velocity) {
    const at::Tensor scaled = adapts ? g * (rate * trust_ratio(o.trust, p, g)) : g * rate;
    v.mul_(o.momentum).add_(scaled);
    p.sub_(o.nesterov ? scaled.add(v, o.momentum) : v);
  } else {
    v.mul_(o.momentum).add_(g);
    const at::Tensor update = o.nesterov ? g.add(v, o.momentum) : v;
    p.sub_(adapts ? update * (rate * trust_ratio(o.trust, p, update)) : update * rate);
  }
}

State Lars::state() const {
  State state;
  for (size_t i = 0; i < names_.size(); ++i) state.arrays.emplace(names_[i], io::to_array(velocities_[i]));
  state.values["kind"] = "lars";
  return state;
}

void Lars::restore(const State& state) {
  if (state.values.value("kind", "") != "lars") throw Error("LARS: the state is not one of this optimiser");
  std::vector<at::Tensor> restored;
  for (size_t i = 0; i < names_.size(); ++i) {
    const auto array = state.arrays.find(names_[i]);
    if (array == state.arrays.end()) throw Error(fmt::format("LARS: the state has no velocity of {}", names_[i]));
    const auto tensor = io::to_tensor(array->second);
    if (tensor.sizes() != parameters_[i].sizes() || tensor.scalar_type() != parameters_[i].scalar_type())
      throw Error(fmt::format("LARS: the state of {} has another shape or type than the parameter", names_[i]));
    restored.push_back(at::empty_like(parameters_[i]).copy_(tensor));
  }
  if (names_.size() != state.arrays.size()) throw Error("LARS: the state holds velocities of parameters that are not here");
  velocities_ = std::move(restored);
}

}  // namespace zoo::optim
