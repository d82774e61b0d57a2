#include <libzoo/core/error.h>
#include <libzoo/io/tensor.h>
#include <libzoo/simclr/memory.h>
#include <libzoo/simclr/nt_xent.h>
#include <libzoo/train/module_state.h>

#include <ATen/ATen.h>

namespace zoo::simclr {

Memory::Memory(const Network& network, const MemoryOptions& options, const at::Device& device, dist::GroupPointer group)
    : options_(options), average_(network->options), group_(std::move(group)) {
  const at::NoGradGuard no_grad;
  average_->to(device);
  average_->eval();
  auto copy = named_tensors(average_);
  for (const auto& [name, tensor] : named_tensors(network)) copy.at(name).copy_(tensor);
  queue_ = at::zeros({options.size, network->projection->kept_width()}, at::TensorOptions().device(device));
}

at::Tensor Memory::negatives() const { return held_ > 0 ? queue_.slice(0, 0, held_) : at::Tensor(); }

void Memory::follow(const Network& network) {
  const at::NoGradGuard no_grad;
  auto average = named_tensors(average_);
  for (const auto& [name, tensor] : named_tensors(network)) average.at(name).lerp_(tensor, 1 - options_.decay);
}

void Memory::push(const at::Tensor& images) {
  const at::NoGradGuard no_grad;
  const auto own = normalize_rows(average_->project(average_->features(images)));
  const auto rows = group_ ? group_->gather(own) : own;
  const auto kept = rows.slice(0, 0, std::min(rows.size(0), options_.size));
  const int64_t first = std::min(kept.size(0), options_.size - next_);
  queue_.slice(0, next_, next_ + first).copy_(kept.slice(0, 0, first));
  queue_.slice(0, 0, kept.size(0) - first).copy_(kept.slice(0, first));
  next_ = (next_ + kept.size(0)) % options_.size;
  held_ = std::min(options_.size, held_ + kept.size(0));
}

State Memory::state() const {
  State state = train::module_state(*average_);
  state.arrays.emplace("queue", io::to_array(queue_));
  state.values = {{"held", held_}, {"next", next_}};
  return state;
}

void Memory::restore(const State& state) {
  State network{.arrays = state.arrays};
  const auto queue = network.arrays.extract("queue");
  if (queue.empty()) throw Error("memory: the state has no queue");
  const auto rows = io::to_tensor(queue.mapped());
  if (rows.sizes() != queue_.sizes()) throw Error("memory: the queue of the state has another size");
  train::restore_module(*average_, network, "memory");
  queue_.copy_(rows);
  held_ = state.values.at("held");
  next_ = state.values.at("next");
}

}  // namespace zoo::simclr
