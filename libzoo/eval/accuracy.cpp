#include <libzoo/eval/accuracy.h>

#include <libzoo/core/error.h>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace zoo::eval {
namespace {

void require_rows(const at::Tensor& logits, const at::Tensor& labels) {
  if (logits.dim() != 2 || logits.size(1) == 0 || labels.dim() != 1 || labels.size(0) != logits.size(0) ||
      labels.scalar_type() != at::kLong)
    throw Error(fmt::format("accuracy needs logits [rows, classes] and int64 labels [rows], got [{}] and {} [{}]",
                            fmt::join(logits.sizes(), ", "), c10::toString(labels.scalar_type()), fmt::join(labels.sizes(), ", ")));
  if (!labels.is_cpu() || labels.size(0) == 0) return;
  const auto [least, most] = labels.aminmax();
  if (least.item<int64_t>() < 0 || most.item<int64_t>() >= logits.size(1))
    throw Error(
        fmt::format("labels run from {} to {}, the network has {} classes", least.item<int64_t>(), most.item<int64_t>(), logits.size(1)));
}

// The number of classes that come before the label's; the number of classes in a row with a NaN. int64 [rows].
at::Tensor ranks(const at::Tensor& logits, const at::Tensor& labels) {
  const auto index = labels.unsqueeze(1);
  const auto own = logits.gather(1, index);
  const auto classes = at::arange(logits.size(1), labels.options()).unsqueeze(0);
  const auto before = logits.gt(own).logical_or(logits.eq(own).logical_and(classes.lt(index))).sum(1);
  return at::where(logits.isnan().any(1), logits.size(1), before);
}

}  // namespace

double ClassificationMetrics::top(int64_t k) const {
  const auto found = std::find(ks.begin(), ks.end(), k);
  if (found == ks.end()) throw Error(fmt::format("top-{} accuracy was not measured, only top-{}", k, fmt::join(ks, ", ")));
  return accuracy[size_t(found - ks.begin())];
}

at::Tensor top_k_hits(const at::Tensor& logits, const at::Tensor& labels, int64_t k) {
  require_rows(logits, labels);
  if (k < 1) throw Error(fmt::format("top-k accuracy needs k >= 1, got {}", k));
  const auto row = logits.detach();
  return ranks(row, labels).lt(std::min(k, logits.size(1)));
}

Classification::Classification(std::vector<int64_t> ks) : ks_(std::move(ks)) {
  for (int64_t k : ks_)
    if (k < 1) throw Error(fmt::format("top-k accuracy needs k >= 1, got {}", k));
}

void Classification::add(const at::Tensor& logits, const at::Tensor& labels) {
  require_rows(logits, labels);
  if (logits.size(0) == 0) return;
  const at::NoGradGuard no_grad;
  if (count_ == 0) {
    loss_ = at::zeros({}, logits.options().dtype(at::kDouble));
    hits_.assign(ks_.size(), at::zeros({}, labels.options()));
  }
  const auto rank = ranks(logits, labels);
  for (size_t i = 0; i < ks_.size(); ++i) hits_[i] = hits_[i] + rank.lt(std::min(ks_[i], logits.size(1))).sum();
  const auto log_probability = at::log_softmax(logits.to(at::kDouble), 1);
  loss_ = loss_ - log_probability.gather(1, labels.unsqueeze(1)).sum();
  count_ += logits.size(0);
}

ClassificationMetrics Classification::result() const {
  if (count_ == 0) throw Error("there is no accuracy over zero examples");
  ClassificationMetrics metrics{.count = count_, .loss = loss_.item<double>() / double(count_), .ks = ks_, .accuracy = {}};
  for (const auto& hits : hits_) metrics.accuracy.push_back(double(hits.item<int64_t>()) / double(count_));
  return metrics;
}

ClassificationMetrics classification_metrics(const at::Tensor& logits, const at::Tensor& labels, std::vector<int64_t> ks) {
  Classification meter(std::move(ks));
  meter.add(logits, labels);
  return meter.result();
}

}  // namespace zoo::eval
