#include "apps/echo/teacher_task.h"

#include <libzoo/core/random.h>
#include <libzoo/data/echo.h>
#include <libzoo/data/map.h>
#include <libzoo/data/stages.h>
#include <libzoo/optim/sgd.h>

#include <ATen/ATen.h>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace zoo::apps {
namespace {

constexpr int64_t kInputs = 32, kHidden = 128, kClasses = 10;
constexpr float kNoise = 0.5;  // deviation of the augmentation

void add_normal(float* values, int64_t n, float deviation, const RandomKey& key) {
  RandomStream random(key);
  for (int64_t i = 0; i + 1 < n; i += 2) {
    const auto [a, b] = random.normal_pair();
    values[i] += deviation * float(a);
    values[i + 1] += deviation * float(b);
  }
}

at::Tensor normal(at::IntArrayRef shape, double variance, uint64_t seed, uint32_t id) {
  auto tensor = at::zeros(shape);
  add_normal(tensor.mutable_data_ptr<float>(), tensor.numel(), float(std::sqrt(variance)), {seed, 0, id, Purpose::initialisation, 0});
  return tensor;
}

struct Student {
  explicit Student(uint64_t seed)
      : parameters{normal({kInputs, kHidden}, 2.0 / kInputs, seed, 0), at::zeros({kHidden}),
                   normal({kHidden, kClasses}, 1.0 / kHidden, seed, 1), at::zeros({kClasses})} {
    for (auto& parameter : parameters) parameter.set_requires_grad(true);
  }
  at::Tensor logits(const at::Tensor& x) const {
    const auto& p = parameters;
    return at::addmm(p[3], at::addmm(p[1], x, p[0]).relu(), p[2]);
  }
  double accuracy(const Samples& samples) const {
    at::NoGradGuard no_grad;
    return logits(samples.inputs).argmax(1).eq(samples.labels).to(at::kFloat).mean().item<double>();
  }
  std::vector<at::Tensor> parameters;
};

using data::Echoed;
using data::Ticket;

}  // namespace

std::string EchoCondition::name() const {
  const char* where = placement == Placement::before ? "before" : placement == Placement::after ? "after" : "batch";
  return fmt::format("{}, {}, e = {}", where, shuffle_buffer > 1 ? fmt::format("K = {}", shuffle_buffer) : "no shuffle", factor);
}

TeacherTask::TeacherTask(uint64_t seed)
    : w1_(normal({kInputs, kHidden}, 1.0 / kInputs, seed, 0)),
      b1_(normal({kHidden}, 0.25, seed, 1)),
      w2_(normal({kHidden, kClasses}, 1.0 / kHidden, seed, 2)) {}

Samples TeacherTask::draw(int64_t n, uint64_t seed) const {
  Samples samples{at::zeros({n, kInputs}), {}};
  float* rows = samples.inputs.mutable_data_ptr<float>();
  for (int64_t i = 0; i < n; ++i) add_normal(rows + i * kInputs, kInputs, 1, {seed, 0, uint32_t(i), Purpose::dataset, 0});
  samples.labels = at::addmm(b1_, samples.inputs, w1_).relu().matmul(w2_).argmax(1);
  return samples;
}

data::Stream<Minibatch> echoed_minibatches(std::shared_ptr<const Samples> samples, const EchoCondition& condition, int64_t batch_size,
                                           uint64_t seed, std::shared_ptr<int64_t> fresh) {
  auto tickets = data::indices(samples->labels.size(0), {.shuffle = false, .epochs = 1}) | data::map([fresh](const Ticket& ticket) {
                   ++*fresh;
                   return ticket;
                 });
  // Augmented anew for each copy if `copies_differ`.
  const auto collate = [samples, seed](const std::vector<Echoed<Ticket>>& items, bool copies_differ) {
    Minibatch batch{at::empty({int64_t(items.size()), kInputs}), at::empty({int64_t(items.size())}, at::kLong)};
    const float* from = samples->inputs.const_data_ptr<float>();
    float* rows = batch.inputs.mutable_data_ptr<float>();
    for (size_t i = 0; i < items.size(); ++i, rows += kInputs) {
      const int64_t index = items[i].item.index;
      std::copy_n(from + index * kInputs, kInputs, rows);
      add_normal(rows, kInputs, kNoise, {seed, 0, uint32_t(index), Purpose::augmentation, uint16_t(copies_differ ? items[i].copy : 0)});
      batch.labels.mutable_data_ptr<int64_t>()[i] = samples->labels.const_data_ptr<int64_t>()[index];
    }
    return batch;
  };
  const data::EchoOptions options{.factor = condition.factor, .shuffle_buffer = condition.shuffle_buffer, .seed = seed};
  const data::BatchOptions whole{.last = data::LastBatch::drop};
  const bool before = condition.placement == Placement::before;
  if (condition.placement != Placement::batch)
    return std::move(tickets) | data::echo(options) | data::batch(batch_size, whole) |
           data::map([collate, before](const std::vector<Echoed<Ticket>>& items) { return collate(items, before); });
  return std::move(tickets) | data::map([](const Ticket& ticket) { return Echoed<Ticket>{ticket}; }) | data::batch(batch_size, whole) |
         data::map([collate](const std::vector<Echoed<Ticket>>& items) { return collate(items, false); }) | data::echo(options) |
         data::map([](const Echoed<Minibatch>& echoed) { return echoed.item; });
}

std::vector<double> accuracy_curve(std::shared_ptr<const Samples> samples, const Samples& validation, const EchoCondition& condition,
                                   const CurveOptions& o) {
  auto fresh = std::make_shared<int64_t>(0);
  auto batches = echoed_minibatches(samples, condition, o.batch_size, o.seed, fresh);
  Student student(o.seed);
  optim::Sgd sgd(student.parameters, {.momentum = 0.9});
  std::vector<double> curve;
  const auto checks = size_t(samples->labels.size(0) / o.check_every);
  while (curve.size() < checks) {
    const auto batch = batches.next();
    if (!batch) break;
    sgd.zero_grad();
    at::cross_entropy_loss(student.logits(batch->inputs), batch->labels).backward();
    sgd.step(o.rate);
    const auto due = std::min(size_t(*fresh / o.check_every), checks);
    if (due > curve.size()) curve.resize(due, student.accuracy(validation));
  }
  return curve;
}

}  // namespace zoo::apps
