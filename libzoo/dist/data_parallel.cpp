#include <libzoo/dist/data_parallel.h>
#include <libzoo/dist/engine.h>

#include <torch/csrc/distributed/c10d/reducer.hpp>
#include <torch/nn/module.h>

namespace zoo::dist {

constexpr int64_t kBucketBytes = 25 << 20, kFirstBucketBytes = 1 << 20;  // as torch's DistributedDataParallel

struct DataParallel::Parts {
  std::unique_ptr<c10d::Reducer> reducer;
};

DataParallel::DataParallel(const torch::nn::Module& module, GroupPointer group) : group_(std::move(group)) {
  if (!group_) return;
  {
    const at::NoGradGuard no_grad;
    for (auto& parameter : module.parameters()) {
      at::Tensor values = parameter.detach();
      group_->broadcast(values);
    }
    for (auto& buffer : module.buffers()) group_->broadcast(buffer);
  }
  std::vector<at::Tensor> parameters;
  std::unordered_map<size_t, std::string> names;
  for (const auto& entry : module.named_parameters()) {
    if (!entry.value().requires_grad()) continue;
    names.emplace(parameters.size(), entry.key());
    parameters.push_back(entry.value());
  }
  if (parameters.empty()) return;
  const std::vector<bool> sparse(parameters.size(), false);
  auto [buckets, limits] = c10d::compute_bucket_assignment_by_size(parameters, {size_t(kFirstBucketBytes), size_t(kBucketBytes)}, sparse);
  std::reverse(buckets.begin(), buckets.end());  // gradients come from the end
  parts_ = std::make_unique<Parts>();
  group_->guarded([&] {
    parts_->reducer = std::make_unique<c10d::Reducer>(parameters, buckets, group_->engine().processes, sparse, kBucketBytes,
                                                      /*find_unused_parameters=*/false, /*gradient_as_bucket_view=*/false, names,
                                                      kFirstBucketBytes, /*skip_all_reduce_unused_params=*/false,
                                                      /*use_python_reducer=*/false, std::vector<int64_t>{});
  });
}

DataParallel::~DataParallel() = default;

void DataParallel::backward(const at::Tensor& loss) {
  if (!group_) return loss.backward();
  group_->guarded([&] {
    if (parts_) parts_->reducer->prepare_for_backward({});
    loss.backward();
  });
}

}  // namespace zoo::dist
