// SimCLR v2's memory (after MoCo, He et al. 2019): a copy of the network that follows it slowly, and a queue of what it made of past
// batches, which are told apart from every view as more negatives.
//
//   Memory memory(options, {.size = 65536, .decay = 0.999});
//   loss = nt_xent(z1, z2, o.loss, group, memory.negatives());
//   memory.follow(network);  memory.push(images);
#pragma once

#include <libzoo/core/state.h>
#include <libzoo/dist/group.h>
#include <libzoo/simclr/network.h>

namespace zoo::simclr {

struct MemoryOptions {
  int64_t size = 0;
  double decay = 0.999;
};

template <class Field>
void fields(Field& field, MemoryOptions& o) {
  field("size", o.size, "views of past batches that are kept as negatives; 0: no memory", non_negative());
  field("decay", o.decay, "of the moving average of the weights that makes them", between(0.0, 1.0));
}

class Memory {
 public:
  // The copy starts as `network` is. All ranks hold the same queue.
  Memory(const Network& network, const MemoryOptions& options, const at::Device& device, dist::GroupPointer group);

  at::Tensor negatives() const;             // [held, outputs], rows of length 1; undefined before the first push
  void follow(const Network& network);      // weights and statistics
  void push(const at::Tensor& images);      // [n, 3, h, w]

  State state() const;
  void restore(const State& state);

 private:
  MemoryOptions options_;
  Network average_{nullptr};
  dist::GroupPointer group_;
  at::Tensor queue_;   // [size, outputs]
  int64_t held_ = 0, next_ = 0;
};

}  // namespace zoo::simclr
