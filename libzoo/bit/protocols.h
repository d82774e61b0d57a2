// How the paper measures: VTAB-1k (Zhai et al. 2019, google-research/task_adaptation) and ObjectNet (Barbu et al. 2019).
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace zoo::bit {

enum class VtabGroup { natural, specialized, structured };
struct VtabTask {
  std::string_view name;
  int64_t num_classes;
  VtabGroup group;
};
std::span<const VtabTask> vtab_tasks();  // the 19, in the paper's order

struct VtabScore {
  double mean, natural, specialized, structured;
};
// `accuracies` in the order of vtab_tasks(): top-1 in any unit. The score is the plain mean of the 19, not of the groups.
// Throws Error unless there are 19.
VtabScore vtab_score(std::span<const double> accuracies);

// The class of a value: least pixel depth (clevr-distance), least z of car, van and truck in metres (kitti-distance), label
// of the original data set (dsprites-xpos, 32 of them; dsprites-orientation, 40). Throws Error for other tasks and for
// values that have no class.
int64_t vtab_label(std::string_view task, double value);
int64_t vtab_clevr_count_label(int64_t objects);  // 3 to 10 objects

// Indices of the 1000 examples in the source order of train followed by val. Throws Error if train has less than 800
// examples or val less than 200.
struct VtabSplit {
  std::vector<int64_t> train800, val200, train800val200;
};
VtabSplit vtab_split(int64_t train_size, int64_t val_size);

// ObjectNet: classes 0 … of pictures, of which a network sees ILSVRC ids. Only pictures with a label >= 0 count, and the
// fractions are of those.
struct ObjectNetScore {
  double top1_full, top5_full;              // among all outputs
  double top1_restricted, top5_restricted;  // outputs without an ObjectNet class left out
  int64_t count;                            // pictures scored
};
// logits [rows, outputs]; class_of_id int64 [outputs], -1 for outputs without a class (several outputs may share one);
// labels int64 [rows], -1 to leave a picture out. Throws Error on other shapes or if no picture is left.
ObjectNetScore objectnet_score(const at::Tensor& logits, const at::Tensor& class_of_id, const at::Tensor& labels);

}  // namespace zoo::bit
