#include <libzoo/bit/fewshot.h>

#include <libzoo/core/error.h>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <bit>
#include <random>

namespace zoo::bit {
namespace {

constexpr double kConstantColumn = 100, kEpsilon = 1e-5;

void require_counts(int64_t shots, int64_t num_classes) {
  if (shots < 1) throw Error(fmt::format("a few-shot subset needs at least 1 example of each class, not {}", shots));
  if (num_classes < 1) throw Error(fmt::format("a few-shot subset needs at least 1 class, not {}", num_classes));
}

int64_t checked_label(std::span<const int64_t> labels, int64_t index, int64_t num_classes) {
  const int64_t label = labels[size_t(index)];
  if (label < 0 || label >= num_classes)
    throw Error(fmt::format("example {} has label {}, outside 0 to {}", index, label, num_classes - 1));
  return label;
}

[[noreturn]] void refuse_short(const std::vector<std::vector<int64_t>>& held, int64_t shots) {
  std::vector<std::string> classes;
  size_t more = 0;
  for (size_t c = 0; c < held.size(); ++c) {
    if (int64_t(held[c].size()) >= shots) continue;
    if (classes.size() < 5)
      classes.push_back(fmt::format("class {} has {}", c, held[c].size()));
    else
      ++more;
  }
  throw UserError(fmt::format("too few examples for {} of each class: {}{}", shots, fmt::join(classes, ", "),
                              more ? fmt::format(" and {} more classes", more) : ""),
                  "ask for fewer examples of each class");
}

// [rows, features] with the constant column appended.
at::Tensor design(const at::Tensor& features, const at::Tensor& mean, const at::Tensor& deviation) {
  const auto x = (features.detach().to(at::kDouble) - mean) / deviation;
  return at::cat({x, at::full({x.size(0), 1}, kConstantColumn, x.options())}, 1);
}

}  // namespace

std::vector<int64_t> ring_subset(std::span<const int64_t> labels, std::span<const int64_t> order, int64_t shots, int64_t num_classes) {
  require_counts(shots, num_classes);
  std::vector<std::vector<int64_t>> held(static_cast<size_t>(num_classes));  // rings of `shots` places once full
  std::vector<size_t> oldest(size_t(num_classes), 0);
  int64_t missing = num_classes;
  for (int64_t index : order) {
    if (missing == 0) break;
    if (index < 0 || index >= int64_t(labels.size()))
      throw Error(fmt::format("index {} of the order is outside the {} examples", index, labels.size()));
    const size_t label = size_t(checked_label(labels, index, num_classes));
    auto& ring = held[label];
    if (int64_t(ring.size()) < shots) {
      ring.push_back(index);
      if (int64_t(ring.size()) == shots) --missing;
    } else {
      ring[oldest[label]] = index;
      oldest[label] = (oldest[label] + 1) % ring.size();
    }
  }
  if (missing > 0) refuse_short(held, shots);
  std::vector<int64_t> chosen;
  for (const auto& ring : held) chosen.insert(chosen.end(), ring.begin(), ring.end());
  std::sort(chosen.begin(), chosen.end());
  return chosen;
}

std::vector<int64_t> numpy_choice_subset(std::span<const int64_t> labels, int64_t shots, int64_t num_classes, uint32_t seed,
                                         std::optional<int64_t> pool_limit) {
  require_counts(shots, num_classes);
  if (pool_limit && *pool_limit < 1) throw Error(fmt::format("pool_limit must be at least 1, got {}", *pool_limit));
  const int64_t pool = pool_limit ? std::min(*pool_limit, int64_t(labels.size())) : int64_t(labels.size());
  std::vector<std::vector<int64_t>> held(static_cast<size_t>(num_classes));
  for (int64_t i = 0; i < pool; ++i) held[size_t(checked_label(labels, i, num_classes))].push_back(i);
  for (const auto& indices : held)
    if (int64_t(indices.size()) < shots) refuse_short(held, shots);

  std::mt19937 words(seed);
  std::vector<int64_t> chosen;
  for (auto& indices : held) {
    for (uint32_t i = uint32_t(indices.size()) - 1; i >= 1; --i) {
      const uint32_t mask = uint32_t(~0u) >> std::countl_zero(i);
      uint32_t j;
      do j = uint32_t(words()) & mask;
      while (j > i);
      std::swap(indices[i], indices[j]);
    }
    chosen.insert(chosen.end(), indices.begin(), indices.begin() + shots);
  }
  return chosen;
}

at::Tensor LinearProbe::scores(const at::Tensor& features) const {
  if (features.dim() != 2 || features.size(1) != mean.size(0))
    throw Error(fmt::format("the probe was fitted on {} features, got [{}]", mean.size(0), fmt::join(features.sizes(), ", ")));
  return design(features, mean, standard_deviation).matmul(weight);
}

LinearProbe fewshot_lsr(const at::Tensor& features, const at::Tensor& labels, int64_t num_classes, double l2) {
  if (features.dim() != 2 || features.size(0) < 1 || features.size(1) < 1 || labels.dim() != 1 || labels.size(0) != features.size(0))
    throw Error(fmt::format("a probe needs features [rows, features] and labels [rows], got [{}] and [{}]",
                            fmt::join(features.sizes(), ", "), fmt::join(labels.sizes(), ", ")));
  if (num_classes < 1) throw Error(fmt::format("a probe needs at least 1 class, not {}", num_classes));
  if (!(l2 > 0)) throw Error(fmt::format("a probe needs l2 > 0, got {}", l2));
  if (labels.min().item<int64_t>() < 0 || labels.max().item<int64_t>() >= num_classes)
    throw Error(fmt::format("labels run from {} to {}, outside 0 to {}", labels.min().item<int64_t>(), labels.max().item<int64_t>(),
                            num_classes - 1));

  const auto x64 = features.detach().to(at::kDouble);
  LinearProbe probe;
  probe.mean = x64.mean(0);
  probe.standard_deviation = x64.std(0, /*unbiased=*/false) + kEpsilon;
  const auto x = design(features, probe.mean, probe.standard_deviation);
  const auto y = at::one_hot(labels, num_classes).to(at::kDouble) * 2 - 1;
  const bool few_rows = x.size(0) < x.size(1);
  auto gram = few_rows ? x.matmul(x.t()) : x.t().matmul(x);
  gram.diagonal().add_(l2);
  probe.weight = few_rows ? x.t().matmul(at::linalg_solve(gram, y)) : at::linalg_solve(gram, x.t().matmul(y));
  return probe;
}

}  // namespace zoo::bit
