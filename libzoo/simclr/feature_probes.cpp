#include <libzoo/core/error.h>
#include <libzoo/simclr/feature_probes.h>
#include <libzoo/simclr/probes.h>

#include <ATen/ATen.h>

#include <algorithm>

namespace zoo::simclr {
namespace {

double share_right(const at::Tensor& said, const at::Tensor& labels) { return said.eq(labels).to(at::kDouble).mean().item<double>(); }

}  // namespace

Json probe_features(const train::Features& train, const train::Features& test, int64_t num_classes, const ProbeChoice& o) {
  for (const auto* features : {&train, &test})
    if (!features->values.isfinite().all().item<bool>())
      throw UserError("the features hold values that are not finite", "the network diverged: lower its rate and train it again");
  const auto nearest = knn_probe(train.values, train.labels, test.values,
                                 {.num_classes = num_classes, .k = std::min(o.k, train.values.size(0)), .temperature = o.temperature});
  const auto ridge = fit_ridge_probe(train.values, train.labels, num_classes, o.l2);
  return {{"knn", share_right(nearest.prediction, test.labels)}, {"ridge", share_right(ridge.scores(test.values).argmax(1), test.labels)}};
}

}  // namespace zoo::simclr
