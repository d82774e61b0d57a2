// One network on every rank, each with its part of the batch: gradients are averaged over the ranks while they are computed, by
// c10d's Reducer.
//
//   zoo::dist::DataParallel parallel(*model, group);   // also without a group: then there is nothing to average
//   parallel.backward(loss);
#pragma once

#include <libzoo/dist/group.h>

#include <ATen/core/Tensor.h>

#include <memory>

namespace torch::nn {
class Module;
}

namespace zoo::dist {

class DataParallel {
 public:
  // All ranks get rank 0's parameters and buffers. Parameters that don't require gradients now are left out for good. `group` may be
  // null.
  DataParallel(const torch::nn::Module& module, GroupPointer group);
  ~DataParallel();
  DataParallel(const DataParallel&) = delete;
  DataParallel& operator=(const DataParallel&) = delete;

  // Every parameter must take part in the loss. Its gradient is added to nothing: drop the gradients before.
  void backward(const at::Tensor& loss);

 private:
  struct Parts;
  GroupPointer group_;
  std::unique_ptr<Parts> parts_;
};

}  // namespace zoo::dist
