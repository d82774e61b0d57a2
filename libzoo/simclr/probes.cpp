#include <libzoo/simclr/probes.h>

#include <libzoo/core/error.h>

#include <ATen/ATen.h>

#include <fmt/format.h>

#include <cmath>
#include <deque>

namespace zoo::simclr {
namespace {

void check_rows(const at::Tensor& features, const at::Tensor& labels, int64_t num_classes) {
  if (features.dim() != 2 || labels.dim() != 1 || features.size(0) != labels.size(0) || features.numel() == 0)
    throw UserError("features must be [rows, width] and labels [rows]");
  if (labels.min().item<int64_t>() < 0 || labels.max().item<int64_t>() >= num_classes)
    throw UserError(
        fmt::format("labels must be 0 to {}, got {} to {}", num_classes - 1, labels.min().item<int64_t>(), labels.max().item<int64_t>()));
}

at::Tensor unit_rows(const at::Tensor& rows) { return rows / rows.norm(2, 1, /*keepdim=*/true).clamp_min(1e-12); }

// The objective of a logistic probe over [weight, bias], and its gradient.
class Objective {
 public:
  Objective(const at::Tensor& x, const at::Tensor& labels, int64_t classes, double l2)
      : x_(x), targets_(at::one_hot(labels, classes).to(at::kDouble)), classes_(classes), l2_(l2) {}

  std::pair<double, at::Tensor> operator()(const at::Tensor& parameters) const {
    const int64_t width = x_.size(1);
    const auto weight = parameters.slice(0, 0, classes_ * width).view({classes_, width}), bias = parameters.slice(0, classes_ * width);
    const auto log_p = at::log_softmax(at::addmm(bias, x_, weight.t()), 1);
    const double value = -(log_p * targets_).sum().item<double>() / double(x_.size(0)) + l2_ / 2 * weight.square().sum().item<double>();
    const auto residual = (log_p.exp() - targets_) / double(x_.size(0));
    return {value, at::cat({(residual.t().mm(x_) + l2_ * weight).flatten(), residual.sum(0)})};
  }

 private:
  at::Tensor x_, targets_;
  int64_t classes_;
  double l2_;
};

double scalar_product(const at::Tensor& a, const at::Tensor& b) { return at::dot(a, b).item<double>(); }

// Limited-memory BFGS (Nocedal and Wright 2006, algorithms 7.4 and 3.5 with bisection for the Wolfe conditions).
class Lbfgs {
 public:
  at::Tensor direction(const at::Tensor& gradient) const {
    auto q = gradient.clone();
    std::vector<double> alphas(pairs_.size());
    for (size_t i = pairs_.size(); i-- > 0;) {
      alphas[i] = scalar_product(pairs_[i].s, q) / pairs_[i].sy;
      q.sub_(pairs_[i].y, alphas[i]);
    }
    if (!pairs_.empty()) q.mul_(pairs_.back().sy / scalar_product(pairs_.back().y, pairs_.back().y));
    for (size_t i = 0; i < pairs_.size(); ++i) q.add_(pairs_[i].s, alphas[i] - scalar_product(pairs_[i].y, q) / pairs_[i].sy);
    return q.neg_();
  }
  void learn(const at::Tensor& s, const at::Tensor& y) {
    const double sy = scalar_product(s, y);
    if (sy <= 1e-300) return;
    pairs_.push_back({s, y, sy});
    if (pairs_.size() > 20) pairs_.pop_front();
  }
  void forget() { pairs_.clear(); }
  bool knows_nothing() const { return pairs_.empty(); }

 private:
  struct Pair {
    at::Tensor s, y;
    double sy;
  };
  std::deque<Pair> pairs_;
};

}  // namespace

KnnResult knn_probe(const at::Tensor& train_features, const at::Tensor& train_labels, const at::Tensor& test_features,
                    const KnnOptions& o) {
  check_rows(train_features, train_labels, o.num_classes);
  if (o.k < 1 || o.k > train_features.size(0))
    throw UserError(fmt::format("k must be 1 to {} (the training rows), got {}", train_features.size(0), o.k));
  if (!(o.temperature > 0)) throw UserError(fmt::format("the temperature must be positive, got {}", o.temperature));
  if (test_features.dim() != 2 || test_features.size(1) != train_features.size(1))
    throw UserError("training and test features must be equally wide");
  const auto [similarity, neighbours] = unit_rows(test_features).mm(unit_rows(train_features).t()).topk(o.k, 1);
  const auto votes = (similarity / o.temperature).exp();
  auto scores = at::zeros({test_features.size(0), o.num_classes}, votes.options());
  scores.scatter_add_(1, train_labels.index_select(0, neighbours.flatten()).view_as(neighbours), votes);
  return {scores, scores.argmax(1)};
}

at::Tensor LogisticProbe::probabilities(const at::Tensor& features) const {
  return at::softmax(at::addmm(bias, (features.to(at::kDouble) - mean) / deviation, weight.t()), 1);
}

at::Tensor RidgeProbe::scores(const at::Tensor& features) const {
  const auto x = (features.to(at::kDouble) - mean) / deviation;
  return x.mm(weight.slice(0, 0, x.size(1))) + weight[x.size(1)];
}

RidgeProbe fit_ridge_probe(const at::Tensor& features, const at::Tensor& labels, int64_t num_classes, double l2) {
  const at::NoGradGuard no_grad;
  check_rows(features, labels, num_classes);
  if (!(l2 > 0)) throw UserError(fmt::format("l2 must be positive, got {}", l2));
  const auto doubles = features.to(at::kDouble);
  RidgeProbe probe{.mean = doubles.mean(0), .deviation = doubles.std(0, /*unbiased=*/false)};
  probe.deviation.masked_fill_(probe.deviation == 0, 1);
  const auto x = at::cat({(doubles - probe.mean) / probe.deviation, at::ones({doubles.size(0), 1}, doubles.options())}, 1);
  auto gram = x.t().mm(x);
  gram.diagonal().add_(l2);
  probe.weight = at::linalg_solve(gram, x.t().mm(at::one_hot(labels, num_classes).to(at::kDouble)));
  return probe;
}

LogisticProbe fit_logistic_probe(const at::Tensor& features, const at::Tensor& labels, const LogisticOptions& o) {
  const at::NoGradGuard no_grad;
  check_rows(features, labels, o.num_classes);
  const auto x = features.to(at::kDouble);
  if (!x.isfinite().all().item<bool>()) throw UserError("the features hold values that are not finite");
  LogisticProbe probe;
  probe.mean = o.standardize ? x.mean(0) : at::zeros({x.size(1)}, at::kDouble);
  probe.deviation = o.standardize ? x.std(0, /*unbiased=*/false) : at::ones({x.size(1)}, at::kDouble);
  probe.deviation.masked_fill_(probe.deviation == 0, 1);
  const Objective objective((x - probe.mean) / probe.deviation, labels, o.num_classes, o.l2);

  auto at_point = at::zeros({o.num_classes * (x.size(1) + 1)}, at::kDouble);
  auto [value, gradient] = objective(at_point);
  Lbfgs memory;
  for (int64_t i = 0; i < o.max_iterations; ++i) {
    probe.converged = gradient.abs().max().item<double>() <= o.tolerance;
    if (probe.converged) break;
    auto direction = memory.direction(gradient);
    double slope = scalar_product(direction, gradient);
    if (!(slope < 0)) {
      memory.forget();
      direction = gradient.neg();
      slope = -scalar_product(gradient, gradient);
    }
    double low = 0, high = INFINITY, step = memory.knows_nothing() ? std::min(1.0, 1 / gradient.norm().item<double>()) : 1;
    at::Tensor next, next_gradient;
    double next_value = value;
    for (int tries = 0; tries < 60; ++tries) {
      next = at_point + step * direction;
      std::tie(next_value, next_gradient) = objective(next);
      if (next_value > value + 1e-4 * step * slope)
        high = step;
      else if (scalar_product(next_gradient, direction) < 0.9 * slope)
        low = step;
      else
        break;
      step = std::isinf(high) ? 2 * low : (low + high) / 2;
    }
    memory.learn(next - at_point, next_gradient - gradient);
    at_point = next;
    value = next_value;
    gradient = next_gradient;
  }
  probe.objective = value;
  probe.weight = at_point.slice(0, 0, o.num_classes * x.size(1)).view({o.num_classes, x.size(1)}).clone();
  probe.bias = at_point.slice(0, o.num_classes * x.size(1)).clone();
  return probe;
}

}  // namespace zoo::simclr
