#include <libzoo/bit/mixup.h>

#include <libzoo/core/error.h>
#include <libzoo/core/random.h>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace zoo::bit {
namespace {

constexpr int64_t kLambdaCopy = 0, kPartnerCopy = 1;  // keeps the two kinds of draws apart

RandomKey key(uint64_t seed, int64_t step, int64_t micro_batch, int64_t copy) {
  return random_key(seed, micro_batch, step, int64_t(Purpose::mixup), copy);
}

at::Tensor cross_entropy(const at::Tensor& logits, const at::Tensor& labels) { return at::cross_entropy_loss(logits, labels); }

}  // namespace

double mixup_lambda(double alpha, uint64_t seed, int64_t step) {
  if (!(alpha >= 0) || !std::isfinite(alpha)) throw Error(fmt::format("MixUp needs a finite alpha >= 0, got {}", alpha));
  if (alpha == 0) return 1;
  return RandomStream(key(seed, step, 0, kLambdaCopy)).beta(alpha, alpha);
}

double fold_lambda(double lambda) { return std::max(lambda, 1 - lambda); }

at::Tensor mixup_partners(Partner kind, int64_t rows, uint64_t seed, int64_t step, int64_t micro_batch) {
  if (rows < 0) throw Error(fmt::format("MixUp needs a batch, got {} rows", rows));
  const auto order = at::arange(rows, at::kLong);
  if (kind == Partner::reverse) return order.flip(0);
  if (kind == Partner::roll) return order.roll(1);
  const auto drawn = permutation(rows, key(seed, step, micro_batch, kPartnerCopy));
  return at::tensor(drawn, at::kLong);
}

at::Tensor mix(const at::Tensor& images, const at::Tensor& partners, double lambda) {
  if (lambda == 1) return images;
  return images * lambda + images.index_select(0, partners) * (1 - lambda);
}

at::Tensor mixed_targets(const at::Tensor& labels, const at::Tensor& partner_labels, double lambda, int64_t num_classes) {
  if (labels.dim() == 2) return lambda == 1 ? labels : labels * lambda + partner_labels * (1 - lambda);
  auto targets = at::zeros({labels.size(0), num_classes}, labels.options().dtype(at::kFloat));
  const auto weight = [&](double value) { return at::full({labels.size(0), 1}, value, targets.options()); };
  targets.scatter_add_(1, labels.unsqueeze(1), weight(lambda));
  return targets.scatter_add_(1, partner_labels.unsqueeze(1), weight(1 - lambda));
}

at::Tensor mixed_cross_entropy(const at::Tensor& logits, const at::Tensor& labels, const at::Tensor& partner_labels, double lambda) {
  if (lambda == 1) return cross_entropy(logits, labels);
  return lambda * cross_entropy(logits, labels) + (1 - lambda) * cross_entropy(logits, partner_labels);
}

}  // namespace zoo::bit
