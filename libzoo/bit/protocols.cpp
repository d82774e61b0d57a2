#include <libzoo/bit/protocols.h>

#include <libzoo/core/error.h>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numeric>

namespace zoo::bit {
namespace {

using enum VtabGroup;
constexpr std::array<VtabTask, 19> kTasks{{{"caltech101", 102, natural},
                                           {"cifar100", 100, natural},
                                           {"dtd", 47, natural},
                                           {"flowers102", 102, natural},
                                           {"pets", 37, natural},
                                           {"sun397", 397, natural},
                                           {"svhn", 10, natural},
                                           {"patch_camelyon", 2, specialized},
                                           {"eurosat", 10, specialized},
                                           {"resisc45", 45, specialized},
                                           {"diabetic_retinopathy", 5, specialized},
                                           {"clevr-count", 8, structured},
                                           {"clevr-distance", 6, structured},
                                           {"dmlab", 6, structured},
                                           {"kitti-distance", 4, structured},
                                           {"dsprites-xpos", 16, structured},
                                           {"dsprites-orientation", 16, structured},
                                           {"smallnorb-azimuth", 18, structured},
                                           {"smallnorb-elevation", 9, structured}}};

constexpr double kClevrDistance[] = {0, 8, 8.5, 9, 9.5, 10, 100};
constexpr double kKittiDistance[] = {-100, 8, 20, 999};
constexpr double kNoVehicle = 1000;  // what the list of z values always ends with

// The largest i with thresholds[i] < value.
int64_t bin(std::string_view task, std::span<const double> thresholds, double value) {
  const auto above = std::lower_bound(thresholds.begin(), thresholds.end(), value);
  if (!(value > thresholds.front()))
    throw Error(fmt::format("{}: {} has no class; values start above {}", task, value, thresholds.front()));
  return int64_t(above - thresholds.begin()) - 1;
}

int64_t dsprites(std::string_view task, double value, int64_t originals) {
  if (!(value >= 0 && value < double(originals)) || value != std::floor(value))
    throw Error(fmt::format("{}: labels are 0 to {}, got {}", task, originals - 1, value));
  return int64_t(value) * 16 / originals;
}

std::vector<int64_t> range(int64_t first, int64_t count) {
  std::vector<int64_t> all(static_cast<size_t>(count));
  std::iota(all.begin(), all.end(), first);
  return all;
}

// Hits of each of the first k outputs by rank: bool [rows, k].
at::Tensor ranked_hits(const at::Tensor& logits, const at::Tensor& class_of_id, const at::Tensor& labels, int64_t k) {
  const auto ids = std::get<1>(logits.topk(std::min(k, logits.size(1)), 1));
  const auto classes = class_of_id.index_select(0, ids.reshape({-1})).view_as(ids);
  return classes.eq(labels.unsqueeze(1));
}

}  // namespace

std::span<const VtabTask> vtab_tasks() { return kTasks; }

VtabScore vtab_score(std::span<const double> accuracies) {
  if (accuracies.size() != kTasks.size())
    throw Error(fmt::format("VTAB has {} tasks, got {} accuracies", kTasks.size(), accuracies.size()));
  const auto mean = [&](auto belongs) {
    double sum = 0, n = 0;
    for (size_t i = 0; i < kTasks.size(); ++i)
      if (belongs(kTasks[i].group)) sum += accuracies[i], n += 1;
    return sum / n;
  };
  return {mean([](VtabGroup) { return true; }), mean([](VtabGroup g) { return g == natural; }),
          mean([](VtabGroup g) { return g == specialized; }), mean([](VtabGroup g) { return g == structured; })};
}

int64_t vtab_label(std::string_view task, double value) {
  if (std::isnan(value)) throw Error(fmt::format("{}: NaN has no class", task));
  if (task == "clevr-distance") return bin(task, kClevrDistance, value);
  if (task == "kitti-distance") return bin(task, kKittiDistance, std::min(value, kNoVehicle));
  if (task == "dsprites-xpos") return dsprites(task, value, 32);
  if (task == "dsprites-orientation") return dsprites(task, value, 40);
  throw Error(fmt::format("no label rule for the VTAB task '{}'", task),
              "there are clevr-distance, kitti-distance, dsprites-xpos and dsprites-orientation");
}

int64_t vtab_clevr_count_label(int64_t objects) {
  if (objects < 3 || objects > 10) throw Error(fmt::format("clevr-count: 3 to 10 objects, got {}", objects));
  return objects - 3;
}

VtabSplit vtab_split(int64_t train_size, int64_t val_size) {
  if (train_size < 800 || val_size < 200)
    throw Error(fmt::format("VTAB-1k takes 800 training and 200 validation examples, the data set has {} and {}", train_size, val_size));
  VtabSplit split{range(0, 800), range(train_size, 200), range(0, 800)};
  split.train800val200.insert(split.train800val200.end(), split.val200.begin(), split.val200.end());
  return split;
}

ObjectNetScore objectnet_score(const at::Tensor& logits, const at::Tensor& class_of_id, const at::Tensor& labels) {
  if (logits.dim() != 2 || class_of_id.dim() != 1 || class_of_id.size(0) != logits.size(1) || labels.dim() != 1 ||
      labels.size(0) != logits.size(0))
    throw Error("ObjectNet needs logits [rows, outputs], class_of_id [outputs] and labels [rows]");
  const auto rows = labels.ge(0).nonzero().reshape({-1});
  const int64_t count = rows.size(0);
  if (count == 0) throw Error("ObjectNet: no picture has a class that the network knows");
  const auto kept = logits.index_select(0, rows), wanted = labels.index_select(0, rows);
  const auto outputs = class_of_id.ge(0).nonzero().reshape({-1});
  if (outputs.size(0) == 0) throw Error("ObjectNet: no output of the network has a class");
  const auto fraction = [&](const at::Tensor& l, const at::Tensor& ids, int64_t k) {
    return ranked_hits(l, ids, wanted, k).any(1).sum().item<double>() / double(count);
  };
  const auto restricted = kept.index_select(1, outputs), restricted_ids = class_of_id.index_select(0, outputs);
  return {fraction(kept, class_of_id, 1), fraction(kept, class_of_id, 5), fraction(restricted, restricted_ids, 1),
          fraction(restricted, restricted_ids, 5), count};
}

}  // namespace zoo::bit
