// MixUp as BiT uses it (Zhang et al. 2018; big_transfer bit_pytorch/train.py): one λ ~ Beta(α, α) for each optimiser step,
// kept for all its micro-batches; every image is blended with a partner from its own micro-batch.
//
//   const double lambda = mixup_lambda(rule.mixup_alpha, seed, step);
//   auto partners = mixup_partners(Partner::permute, images.size(0), seed, step);
//   auto loss = mixed_cross_entropy(model->forward(mix(images, partners, lambda)), labels, labels.index_select(0, partners), lambda);
#pragma once

#include <ATen/core/Tensor.h>
#include <libzoo/core/field_tree.h>

#include <cstdint>

namespace zoo::bit {

// Who is blended with row i: a random row (the PyTorch release), row n-1-i (TensorFlow, JAX), row i-1 (big_vision).
enum class Partner { permute, reverse, roll };
constexpr auto enum_names(Partner) {
  return EnumNames<Partner, 3>{{{Partner::permute, "permute"}, {Partner::reverse, "reverse"}, {Partner::roll, "roll"}}};
}

// λ of optimiser step `step`, a function of (seed, step) alone. In [0, 1]; 1 if alpha is 0. Throws Error if alpha is negative
// or not finite, or step is not in [0, 2^32).
double mixup_lambda(double alpha, uint64_t seed, int64_t step);

// max(λ, 1 - λ): the row itself always weighs more (big_vision).
double fold_lambda(double lambda);

// int64 [rows]: the partner of each row. `permute` draws from (seed, step, micro_batch); the others use none of them.
at::Tensor mixup_partners(Partner kind, int64_t rows, uint64_t seed = 0, int64_t step = 0, int64_t micro_batch = 0);

// λ images + (1 - λ) images[partners]; images [rows, …], partners int64 [rows]. The images themselves if λ is 1.
at::Tensor mix(const at::Tensor& images, const at::Tensor& partners, double lambda);

// float32 [rows, num_classes]: λ on the label, 1 - λ on the partner's, their sum where both agree. Labels are int64 [rows], or
// float32 [rows, num_classes] of 0 and 1 where pictures have several.
at::Tensor mixed_targets(const at::Tensor& labels, const at::Tensor& partner_labels, double lambda, int64_t num_classes);

// λ CE(logits, labels) + (1 - λ) CE(logits, partner_labels), a scalar: the mean over rows. Plain cross-entropy if λ is 1.
at::Tensor mixed_cross_entropy(const at::Tensor& logits, const at::Tensor& labels, const at::Tensor& partner_labels, double lambda);

}  // namespace zoo::bit
