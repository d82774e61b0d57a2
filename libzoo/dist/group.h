// Processes that train together: c10d's Gloo on CPUs, NCCL on GPUs.
//
//   auto group = zoo::dist::join(*zoo::dist::place_from_environment(), device);
//   group->sum(tensor);                       // in place, over all ranks
//
// Every function is a collective: all ranks must call it, in the same order. Each throws Error within the timeout if another rank
// is gone.
#pragma once

#include <libzoo/dist/place.h>

#include <ATen/core/Tensor.h>
#include <c10/core/Device.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

namespace zoo::dist {

class Group {
 public:
  virtual ~Group() = default;
  int rank() const { return rank_; }
  int size() const { return size_; }

  void sum(at::Tensor& values) const;
  void broadcast(at::Tensor& values) const;              // rank 0's
  // [n, …] of every rank, the same n everywhere -> [n · size, …], rank after rank. No gradient; see gather.h.
  at::Tensor gather(const at::Tensor& rows) const;
  int64_t from_first(int64_t value) const;               // rank 0's
  int64_t largest(int64_t value) const;

  // Runs what waits for other ranks and turns its failure into an Error that says so.
  void guarded(const std::function<void()>& work) const;

 protected:
  friend class DataParallel;
  Group(int rank, int size, c10::Device device) : rank_(rank), size_(size), device_(device) {}
  struct Engine;
  virtual const Engine& engine() const = 0;

 private:
  int rank_, size_;
  c10::Device device_;
};
using GroupPointer = std::shared_ptr<const Group>;

// Meets the other ranks. Throws Error if they don't come within the timeout, UserError for a GPU in a build without NCCL.
GroupPointer join(const Place& place, c10::Device device);

// A group whose ranks are threads of this process, each to be given one of the pointers.
std::vector<GroupPointer> groups_of_threads(int size, std::chrono::milliseconds timeout = std::chrono::seconds(60));

}  // namespace zoo::dist
