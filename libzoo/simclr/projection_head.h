// The projection head of SimCLR: what stands between the features that are kept and those that the contrastive loss sees.
//
//   zoo::simclr::ProjectionHead head({.input_dim = 2048});
//   auto z = head->forward(features);   // [batch, 2048] -> [batch, 128]
#pragma once

#include <libzoo/core/options.h>
#include <libzoo/nn/batch_norm.h>

#include <ATen/core/Tensor.h>
#include <torch/nn/cloneable.h>
#include <torch/nn/pimpl.h>

#include <cstdint>
#include <vector>

namespace zoo::simclr {

enum class HeadMode { none, linear, nonlinear };
constexpr auto enum_names(HeadMode) {
  return EnumNames<HeadMode, 3>{{{HeadMode::none, "none"}, {HeadMode::linear, "linear"}, {HeadMode::nonlinear, "nonlinear"}}};
}

struct ProjectionHeadOptions {
  HeadMode mode = HeadMode::nonlinear;
  int64_t layers = 3;        // of a nonlinear one; v1 has 2
  int64_t input_dim = 2048;
  int64_t output_dim = 128;
  int64_t keep = -1;         // how many of the layers there are, the first ones: fine-tuning drops the rest. -1: all
  double bn_eps = 1e-5;
  double bn_momentum = 0.1;
  uint64_t seed = 0;         // of the initial weights, normal with deviation 0.01
};

// Dense layers without bias, each with batch norm; ReLU after all but the last, whose batch norm has no bias. Hidden layers are as
// wide as the input.
class ProjectionHeadImpl : public torch::nn::Cloneable<ProjectionHeadImpl> {
 public:
  explicit ProjectionHeadImpl(const ProjectionHeadOptions& options);
  void reset() override;

  at::Tensor forward(const at::Tensor& features) { return states(features).back(); }  // [batch, input_dim] -> [batch, kept_width()]
  int64_t kept_width() const;  // output_dim, or input_dim if the last layer is not kept
  // The features, then what each layer gives. Fine-tuning starts from one of them (selector).
  std::vector<at::Tensor> states(const at::Tensor& features);

  ProjectionHeadOptions options;

 private:
  std::vector<at::Tensor> weights_;  // [out, in]
  std::vector<nn::BatchNorm> norms_;
};
TORCH_MODULE(ProjectionHead);

}  // namespace zoo::simclr
