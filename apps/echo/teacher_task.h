// A task that is learnt in seconds and has as many fresh examples as wanted: x ~ N(0, I) of 32 dimensions, labelled by a
// fixed random network relu(x·W1 + b1)·W2 of 128 hidden units and 10 classes; augmentation adds N(0, 0.25). A student of
// the same shape learns it from an echoed stream.
#pragma once

#include <libzoo/data/stream.h>

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace zoo::apps {

enum class Placement { before, after, batch };  // of the echo: before or after augmentation, or around batches

struct EchoCondition {
  Placement placement = Placement::before;
  int64_t shuffle_buffer = 0;  // slots
  double factor = 1;

  std::string name() const;  // "before, K = 2048, e = 4"
};

struct Samples {
  at::Tensor inputs;  // [n, 32]
  at::Tensor labels;  // [n] i64
};

struct Minibatch {
  at::Tensor inputs;  // [batch, 32], augmented
  at::Tensor labels;  // [batch]
};

class TeacherTask {
 public:
  explicit TeacherTask(uint64_t seed);
  Samples draw(int64_t n, uint64_t seed) const;

 private:
  at::Tensor w1_, b1_, w2_;
};

// The samples in order, once, as echoed minibatches. *fresh counts the samples that have entered the echo.
data::Stream<Minibatch> echoed_minibatches(std::shared_ptr<const Samples> samples, const EchoCondition& condition, int64_t batch_size,
                                           uint64_t seed, std::shared_ptr<int64_t> fresh);

struct CurveOptions {
  int64_t batch_size = 64;
  int64_t check_every = 640;  // fresh samples between two looks at the validation samples
  double rate = 0.1;          // learning rate, constant; momentum 0.9
  uint64_t seed = 0;          // of the student, the augmentation and the echo
};

// Accuracy on `validation` when check_every, 2·check_every, … fresh samples have entered the echo, up to all of them.
std::vector<double> accuracy_curve(std::shared_ptr<const Samples> samples, const Samples& validation, const EchoCondition& condition,
                                   const CurveOptions& options);

}  // namespace zoo::apps
