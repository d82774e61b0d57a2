#include <libzoo/eval/multi_label.h>

#include <libzoo/core/error.h>

#include <ATen/ATen.h>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cmath>
#include <limits>

namespace zoo::eval {
namespace {

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

double f1(int64_t hits, int64_t said, int64_t held) { return said + held == 0 ? kNone : 2.0 * double(hits) / double(said + held); }

double mean_of_numbers(const std::vector<ClassScores>& classes, double ClassScores::* member) {
  double sum = 0, n = 0;
  for (const auto& scores : classes)
    if (!std::isnan(scores.*member)) sum += scores.*member, n += 1;
  return n > 0 ? sum / n : kNone;
}

}  // namespace

double average_precision(const at::Tensor& scores, const at::Tensor& targets) {
  if (scores.dim() != 1 || scores.sizes() != targets.sizes())
    throw Error(fmt::format("average precision needs scores and targets [rows], got [{}] and [{}]", fmt::join(scores.sizes(), ", "),
                            fmt::join(targets.sizes(), ", ")));
  const auto [sorted, order] = scores.to(at::kDouble).contiguous().sort(/*dim=*/0, /*descending=*/true);
  const auto ranked = targets.to(at::kDouble).index_select(0, order).contiguous();
  const double *score = sorted.const_data_ptr<double>(), *target = ranked.const_data_ptr<double>();
  double hits = 0, sum = 0, hits_before = 0;
  for (int64_t i = 0; i < scores.size(0); ++i) {
    hits += target[i];
    if (i + 1 < scores.size(0) && score[i + 1] == score[i]) continue;
    sum += (hits - hits_before) * hits / double(i + 1);
    hits_before = hits;
  }
  return hits > 0 ? sum / hits : kNone;
}

void MultiLabel::add(const at::Tensor& logits, const at::Tensor& targets) {
  if (logits.dim() != 2 || logits.sizes() != targets.sizes())
    throw Error(fmt::format("metrics of several labels need logits and targets [rows, classes], got [{}] and [{}]",
                            fmt::join(logits.sizes(), ", "), fmt::join(targets.sizes(), ", ")));
  logits_.push_back(logits.detach().to(at::kCPU, at::kFloat));
  targets_.push_back(targets.detach().to(at::kCPU, at::kFloat));
}

MultiLabelMetrics MultiLabel::result() const {
  if (logits_.empty()) throw Error("there are no metrics over zero examples");
  const auto logits = at::cat(logits_), targets = at::cat(targets_);
  const auto said = logits.gt(0), held = targets.gt(0.5);
  const auto per_class = [](const at::Tensor& flags) { return flags.sum(0).contiguous(); };
  const auto hits = per_class(said.logical_and(held)), yes = per_class(said), positives = per_class(held);
  MultiLabelMetrics metrics{.count = logits.size(0)};
  metrics.loss = at::binary_cross_entropy_with_logits(logits.to(at::kDouble), targets.to(at::kDouble), {}, {}, at::Reduction::None)
                     .sum(1)
                     .mean()
                     .item<double>();
  for (int64_t c = 0; c < logits.size(1); ++c) {
    const auto at_class = [&](const at::Tensor& counts) { return counts[c].item<int64_t>(); };
    metrics.classes.push_back({at_class(positives), average_precision(logits.select(1, c), held.select(1, c)),
                               f1(at_class(hits), at_class(yes), at_class(positives))});
  }
  metrics.mean_average_precision = mean_of_numbers(metrics.classes, &ClassScores::average_precision);
  metrics.macro_f1 = mean_of_numbers(metrics.classes, &ClassScores::f1);
  const auto all = [](const at::Tensor& counts) { return counts.sum().item<int64_t>(); };
  metrics.micro_f1 = f1(all(hits), all(yes), all(positives));
  return metrics;
}

}  // namespace zoo::eval
