// A tiny training job whose every bit depends on everything a checkpoint must hold: a module, momentum, a position in
// the data, and LibTorch's own generator.
#pragma once

#include <libzoo/core/state.h>
#include <libzoo/train/run.h>

#include <ATen/ATen.h>
#include <torch/nn/module.h>

namespace toy {

struct Net : torch::nn::Module {
  explicit Net(int64_t size = 8) {
    weight = register_parameter("weight", at::linspace(-1, 1, size));
    count = register_buffer("count", at::zeros({1}, at::kLong));
  }
  at::Tensor weight, count;
};

struct Momentum {
  std::vector<float> velocity;

  zoo::State state() const {
    zoo::State state;
    state.arrays.emplace("velocity", zoo::Array::of<float>({int64_t(velocity.size())}, velocity));
    return state;
  }
  void restore(const zoo::State& state) {
    const auto saved = state.arrays.at("velocity").span<float>();
    velocity.assign(saved.begin(), saved.end());
  }
};

struct Stream {
  int64_t position = 0;

  float next() { return float(++position % 17) / 17.0f; }
  zoo::State state() const { return {{}, {{"position", position}}}; }
  void restore(const zoo::State& state) { position = state.values.at("position"); }
};

struct Job {
  explicit Job(int64_t size = 8) : net(size) { optimizer.velocity.assign(size_t(size), 0.0f); }

  void track(zoo::train::Run& run) {
    run.track("model", net);
    run.track("optimizer", optimizer);
    run.track("data", data);
  }

  // One step; returns the loss.
  at::Tensor step() {
    at::NoGradGuard no_grad;
    const at::Tensor target = at::rand({net.weight.numel()}) + data.next();
    const at::Tensor gradient = net.weight - target;
    float* velocity = optimizer.velocity.data();
    at::Tensor v = at::from_blob(velocity, {net.weight.numel()}, at::kFloat);
    v.mul_(0.9).add_(gradient);
    net.weight.sub_(v, 0.05);
    net.count += 1;
    return gradient.square().mean();
  }

  Net net;
  Momentum optimizer;
  Stream data;
};

}  // namespace toy
