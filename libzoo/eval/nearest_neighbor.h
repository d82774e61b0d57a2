// The label of the nearest example: a baseline that learns nothing.
#pragma once

#include <ATen/core/Tensor.h>

namespace zoo::eval {

// Share of queries whose nearest support row (Euclidean; the first one on ties) has their label.
// support [n, features], query [m, features] f32; labels int64 [n] and [m]. Throws Error on other shapes.
double nearest_neighbor_accuracy(const at::Tensor& support, const at::Tensor& support_labels, const at::Tensor& query,
                                 const at::Tensor& query_labels);

}  // namespace zoo::eval
