#include <libzoo/core/error.h>
#include <libzoo/eval/nearest_neighbor.h>

#include <ATen/ATen.h>

namespace zoo::eval {

double nearest_neighbor_accuracy(const at::Tensor& support, const at::Tensor& support_labels, const at::Tensor& query,
                                 const at::Tensor& query_labels) {
  if (support.dim() != 2 || query.dim() != 2 || support.size(1) != query.size(1) || support.size(0) < 1 || query.size(0) < 1 ||
      support_labels.dim() != 1 || support_labels.size(0) != support.size(0) || query_labels.dim() != 1 ||
      query_labels.size(0) != query.size(0)) {
    throw Error("nearest neighbour: support and query must be [rows, features] with one label a row");
  }
  const auto nearest = at::cdist(query, support).argmin(1);
  return support_labels.index_select(0, nearest).eq(query_labels).to(at::kDouble).mean().item<double>();
}

}  // namespace zoo::eval
